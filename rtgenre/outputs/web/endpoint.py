"""Where the port is opened: its address and token, checked before anything starts."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

from rtgenre.errors import WrongSettings
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.secret import read_secret
from rtgenre.outputs.web.auth import checked_token, is_loopback
from rtgenre.outputs.web.connections import ListeningSocket

if TYPE_CHECKING:
    from rtgenre.config import WebSocketConfig
    from rtgenre.outputs.web.connections import Connections

_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class TokenNeeded(OutputError, WrongSettings):
    """Other machines can connect, and no token is set."""


def read_token(config: WebSocketConfig) -> str:
    """Return the token that clients must show; empty where none is needed.

    Raises:
        OutputError: it is missing where one is needed, is too short or cannot be read.
    """
    token = read_secret(config.token, config.token_file, "[websocket] token_file")
    try:
        checked_token(token)
    except ValueError as error:
        raise OutputError(f"[websocket] token_file = {str(config.token_file)!r}: {error}") from None
    if not token and not is_loopback(config.host):
        raise TokenNeeded(
            f"[websocket] host = {config.host!r} can be reached from other machines, so clients "
            "must show a token: set RTGENRE_WEBSOCKET__TOKEN, [websocket] token or token_file "
            "(`python3 -c 'import secrets; print(secrets.token_urlsafe())'` makes one), "
            "or set host = '127.0.0.1'"
        )
    return token


async def listening_sockets(
    config: WebSocketConfig, connections: Connections
) -> list[ListeningSocket]:
    """Open the port on every address that the host's name stands for.

    Args:
        config: the host and the port; 0 takes any, the same for all addresses.
        connections: where connections are counted as they arrive.

    Raises:
        OSError: it cannot be opened.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        config.host or None, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    opened: list[ListeningSocket] = []
    missing: list[OSError] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            port = opened[0].getsockname()[1] if opened else config.port
            try:
                plain = socket.create_server((str(address[0]), port), family=family)
            except OSError as error:
                # A machine without IPv6 still has ::1 among its names.
                if error.errno not in _NO_SUCH_ADDRESS:
                    raise
                missing.append(error)
            else:
                opened.append(ListeningSocket(connections, plain))
        if not opened:
            raise missing[0]
    except OSError:
        for each in opened:
            each.close()
        raise
    return opened


def server_address(config: WebSocketConfig, port: int) -> str:
    """Return ``host:port`` as clients on this machine write it in a URL."""
    host = _ANY_ADDRESS.get(config.host, config.host).strip("[]")
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def announced_url(config: WebSocketConfig, port: int, local_address: str) -> str:
    """Return where other machines find the page.

    Args:
        config: the host; one that stands for every address is told as ``local_address``.
        port: the port that was opened.
        local_address: this machine's on the network of those who are told; may be empty.
    """
    scheme = "https" if config.cert_file else "http"
    host = config.host
    if host in _ANY_ADDRESS and local_address:
        host = local_address
    host = _ANY_ADDRESS.get(host, host).strip("[]")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def listen_problem(config: WebSocketConfig, error: OSError) -> str:
    """Say why the port could not be opened, and what to do."""
    place = f"port {config.port} on {config.host or 'every address'}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{place} is in use by another program; stop that one, or choose another port with "
            "--port or [websocket] port (0 takes any that is free)"
        )
    if isinstance(error, PermissionError):
        return f"{place} may not be opened by this user; choose a port above 1023 with --port"
    return (
        f"{place} cannot be opened: {error.strerror or error}; [websocket] host must be a name or "
        "an address of this machine, for example 127.0.0.1, or 0.0.0.0 for all of them"
    )
