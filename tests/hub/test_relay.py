"""How a room's spectrogram is fetched anew; test_service.py fetches real ones."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rtgenre.hub import relay
from rtgenre.hub.node import Node
from rtgenre.hub.own_service import NoWayError
from rtgenre.hub.roster import Roster
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.sources import backoff
from rtgenre.sources.backoff import Backoff


class Services:
    """Ways to a room that all end at once."""

    @contextlib.asynccontextmanager
    async def connected(self, _):
        raise NoWayError("it is away")
        yield


class Waits(Backoff):
    """Remembers how long to wait, and has nobody wait."""

    def __init__(self, **seconds):
        super().__init__(**seconds, uniform=lambda _, longest: longest)
        self.told = asyncio.Queue()
        made.append(self)

    def next_seconds(self):
        self.told.put_nowait(super().next_seconds())
        return 0.0


made: list[Waits] = []


@pytest.mark.parametrize(
    ("stable_seconds", "waits"), [(3600.0, [1.0, 2.0, 4.0]), (-1.0, [1.0, 1.0, 1.0])]
)
async def test_a_room_that_was_long_there_is_soon_asked_again(monkeypatch, stable_seconds, waits):
    monkeypatch.setattr(relay, "Backoff", Waits)
    monkeypatch.setattr(backoff, "STEADY_SECONDS", stable_seconds)
    made.clear()
    columns = ColumnHub(["den"])
    roster = Roster(Hub(), columns, Metrics(), instance="00c0ffee", colors={})
    monkeypatch.setattr(roster, "nodes", lambda: [Node("den")])
    with columns.subscribe("den"):
        running = asyncio.create_task(relay.Relay(Services(), roster, columns).run())
        while not made:
            await asyncio.sleep(0)
        assert [await made[0].told.get() for _ in waits] == waits
        running.cancel()
        await asyncio.wait({running})
