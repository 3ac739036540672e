"""The way to the nodes' own services: whether it can be gone, and why not."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from rtgenre.hub.http_request import ask
from rtgenre.outputs.secret import read_secret
from rtgenre.outputs.web.auth import is_loopback
from rtgenre.outputs.web.server import CLOSE_TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rtgenre.config import HubConfig
    from rtgenre.hub.node import Node

OPEN_SECONDS = 5.0
MAX_MESSAGE_BYTES = 65_536

_logger = logging.getLogger(f"{__name__}.client")
_logger.setLevel(logging.CRITICAL)


class NoWayError(Exception):
    """A node's own service cannot be reached, or does not let the hub in; the text says why."""


@dataclass(frozen=True, slots=True)
class OwnService:
    """A node's own service, which has let the hub in."""

    address: str
    token: str
    connection: ClientConnection
    """A WebSocket whose greeting was read."""
    hello: dict[str, Any]

    async def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body of the answer to an HTTP request.

        Args:
            method: GET, POST or DELETE.
            target: the path below the service's address, and the query.
            body: what is sent along.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await ask(method, self.address + target, headers, body)


class OwnServices:
    """Leads to the service of each node, with the token that it asks for."""

    def __init__(self, config: HubConfig) -> None:
        """Read the token.

        Raises:
            OutputError: it cannot be read.
        """
        self._config = config
        self._token = read_secret(config.token, config.token_file, "[hub] token_file")

    @asynccontextmanager
    async def connected(self, node: Node) -> AsyncIterator[OwnService]:
        """Connect to a node's service for the length of a block.

        Raises:
            NoWayError: there is no way to it, or no longer, or another process is there.
        """
        address, token = self._way_to(node)
        try:
            async with connect(
                "ws" + address.removeprefix("http") + "ws",
                additional_headers={"Authorization": f"Bearer {token}"} if token else {},
                open_timeout=OPEN_SECONDS,
                close_timeout=1.0,
                max_size=MAX_MESSAGE_BYTES,
                compression=None,
                proxy=None,
                logger=_logger,
            ) as connection:
                if not token:
                    # A service that asks for one refuses at once, in place of waiting for it.
                    await connection.send('{"subscribe": []}')
                hello = json.loads(await connection.recv())
                if hello["instance"] != node.claims.holder:
                    raise NoWayError(f"{address} is another rtgenre than the one that is shown")
                yield OwnService(address, token, connection, hello)
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise NoWayError(f"{address} {_explain(error)}") from None
        except (ValueError, TypeError, KeyError, RecursionError, InvalidURI, HTTPException):
            raise NoWayError(f"{address} is no rtgenre of this version") from None

    def _way_to(self, node: Node) -> tuple[str, str]:
        """Return the address of a node's service, and the token that it asks for.

        Raises:
            NoWayError: it has no address for other machines, or its token is not known.
        """
        about = node.about
        address = self._config.addresses.get(node.name) or (about["address"] if about else "")
        if about is None or not address:
            raise NoWayError("it serves no page: [websocket] enabled = false")
        try:
            host = urlsplit(address).hostname
        except ValueError:
            host = None
        if not host:
            raise NoWayError(f"{address} is no address")
        own_token = self._config.tokens.get(node.name)
        token = self._token if own_token is None else own_token.get_secret_value()
        if is_loopback(host):
            if about["host"] != socket.gethostname():
                raise NoWayError(
                    f"rtgenre on {about['host']} lets no other machine in; set its "
                    "[websocket] host = '0.0.0.0' and a token"
                )
        elif not token:
            raise NoWayError(
                f"the hub does not know the token of {address}; set [hub] token, or tokens"
            )
        return address, token


def _explain(error: Exception) -> str:
    """Say what is wrong with an address, as the end of a sentence about it."""
    if isinstance(error, InvalidStatus):
        if error.response.status_code == 401:
            return "does not take the hub's token; set [hub] tokens to its own"
        return f"answers {error.response.status_code}"
    if isinstance(error, ConnectionClosed):
        if error.rcvd is not None and error.rcvd.code == CLOSE_TOKEN:
            return "asks for a token; set [hub] token, or tokens"
        return "has closed the connection"
    if isinstance(error, ssl.SSLError):
        return _not_trusted(error)
    reason = error.strerror if isinstance(error, OSError) else None
    return f"cannot be reached: {reason or 'it does not answer'}"


def _not_trusted(error: ssl.SSLError) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"cannot be trusted: {error.reason}"
    return (
        f"has a certificate that is not trusted ({error.verify_message}); if it is the right "
        "machine, set the hub's SSL_CERT_FILE to the certificate of who signed it"
    )
