"""Fetches spectrograms from the nodes' own services, while somebody looks."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from rtgenre.messages.columns import source_index_of
from rtgenre.outputs.secret import read_secret
from rtgenre.outputs.web.auth import is_loopback
from rtgenre.outputs.web.server import CLOSE_TOKEN
from rtgenre.sources.backoff import Backoff

if TYPE_CHECKING:
    from rtgenre.config import HubConfig
    from rtgenre.hub.node import Node
    from rtgenre.hub.roster import Roster
    from rtgenre.messages.column_hub import ColumnHub

OPEN_SECONDS = 5.0
MAX_MESSAGE_BYTES = 65_536

_logger = logging.getLogger(f"{__name__}.client")
_logger.setLevel(logging.CRITICAL)


class _RefusedError(Exception):
    """A service cannot give its spectrogram; the text says why."""


class Relay:
    """Holds a connection to the service of each node whose spectrogram is watched."""

    def __init__(self, config: HubConfig, roster: Roster, columns: ColumnHub) -> None:
        """Read the token.

        Raises:
            OutputError: it cannot be read.
        """
        self._config = config
        self._token = read_secret(config.token, config.token_file, "[hub] token_file")
        self._roster = roster
        self._columns = columns
        self._fetching: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> NoReturn:
        """Follow who looks at what until cancelled."""
        try:
            while True:
                self._columns.changed.clear()
                for node in self._roster.nodes():
                    self._follow(node)
                await self._columns.changed.wait()
        finally:
            for task in self._fetching.values():
                task.cancel()
            if self._fetching:
                await asyncio.wait(self._fetching.values())

    def _follow(self, node: Node) -> None:
        is_watched = self._columns.is_watched(node.name)
        if is_watched and node.name not in self._fetching:
            self._fetching[node.name] = asyncio.create_task(
                self._fetch(node), name=f"hub spectrogram {node.name}"
            )
        elif not is_watched and node.name in self._fetching:
            self._fetching.pop(node.name).cancel()
            self._roster.set_spectrogram_problem(node, None)

    async def _fetch(self, node: Node) -> None:
        backoff = Backoff(first_seconds=1.0, longest_seconds=30.0)
        while True:
            try:
                await self._connect(node)
            except _RefusedError as refusal:
                self._roster.set_spectrogram_problem(node, str(refusal))
            await asyncio.sleep(backoff.next_seconds())

    async def _connect(self, node: Node) -> None:
        """Connect and pass columns on, until another process is shown under the node's name.

        Raises:
            _RefusedError: there is no way to the node's columns, or no longer.
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
                await self._pass_on(node, connection, address)
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise _RefusedError(f"{address} {_explain(error)}") from None
        except (ValueError, TypeError, KeyError):
            raise _RefusedError(f"{address} is no rtgenre of this version") from None

    def _way_to(self, node: Node) -> tuple[str, str]:
        """Return the address of a node's service, and the token that it asks for.

        Raises:
            _RefusedError: it has no address for other machines, or its token is not known.
        """
        about = node.about
        address = self._config.addresses.get(node.name) or (about["address"] if about else "")
        if about is None or not address:
            raise _RefusedError("it serves no page: [websocket] enabled = false")
        own_token = self._config.tokens.get(node.name)
        token = self._token if own_token is None else own_token.get_secret_value()
        if is_loopback(urlsplit(address).hostname or ""):
            if about["host"] != socket.gethostname():
                raise _RefusedError(
                    f"rtgenre on {about['host']} lets no other machine in; set its "
                    "[websocket] host = '0.0.0.0' and a token"
                )
        elif not token:
            raise _RefusedError(
                f"the hub does not know the token of {address}; set [hub] token, or tokens"
            )
        return address, token

    async def _pass_on(self, node: Node, connection: ClientConnection, address: str) -> None:
        hello = json.loads(await connection.recv())
        if hello["instance"] != node.claims.holder:
            raise _RefusedError(f"{address} is another rtgenre than the one that is shown")
        index = [source["node"] for source in hello["sources"]].index(node.name)
        await connection.send(json.dumps({"subscribe": ["spectrogram"], "node": node.name}))
        self._roster.set_spectrogram_problem(node, None)
        async for message in connection:
            if isinstance(message, bytes) and source_index_of(message) == index:
                self._columns.publish_message(node.name, message)
            if hello["instance"] != node.claims.holder:
                return


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
        return f"cannot be trusted: {error.reason}"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"cannot be reached: {reason or 'it does not answer'}"
