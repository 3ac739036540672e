"""Fetches spectrograms from the nodes' own services, while somebody looks."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, NoReturn

from rtgenre.hub.own_service import NoWayError
from rtgenre.messages.columns import source_index_of
from rtgenre.sources.backoff import Backoff

if TYPE_CHECKING:
    from rtgenre.hub.node import Node
    from rtgenre.hub.own_service import OwnServices
    from rtgenre.hub.roster import Roster
    from rtgenre.messages.column_hub import ColumnHub


class Relay:
    """Holds a connection to the service of each node whose spectrogram is watched."""

    def __init__(self, services: OwnServices, roster: Roster, columns: ColumnHub) -> None:
        """Prepare."""
        self._services = services
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
            began_at = time.monotonic()
            try:
                await self._pass_on(node)
            except NoWayError as reason:
                self._roster.set_spectrogram_problem(node, str(reason))
            backoff.lasted(time.monotonic() - began_at)
            await asyncio.sleep(backoff.next_seconds())

    async def _pass_on(self, node: Node) -> None:
        """Pass columns on, until another process is shown under the node's name.

        Raises:
            NoWayError: there is no way to the node's columns, or no longer.
        """
        async with self._services.connected(node) as service:
            index = [source["node"] for source in service.hello["sources"]].index(node.name)
            wanted = {"subscribe": ["spectrogram"], "node": node.name}
            await service.connection.send(json.dumps(wanted))
            self._roster.set_spectrogram_problem(node, None)
            async for message in service.connection:
                if isinstance(message, bytes) and source_index_of(message) == index:
                    self._columns.publish_message(node.name, message)
                if service.hello["instance"] != node.claims.holder:
                    return
