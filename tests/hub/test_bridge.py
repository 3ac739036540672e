"""Two real brokers with a bridge between them, as docs/many-machines.md describes it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.hub import lessons
from tests.broker import Broker
from tests.documents import a_state
from tests.hub.room import Room, ask
from tests.hub.running import a_hub, a_node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).parents[2] / "docs" / "many-machines.md"


def documented_bridge(port: int) -> list[str]:
    """Return the page's settings, for a central broker on this machine that wants no password."""
    (block,) = re.findall(r"```\n(connection .*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line for line in block.splitlines() if not line.startswith("remote_")]
    return [line.replace("central-broker:1883", f"127.0.0.1:{port}") for line in lines]


@contextlib.asynccontextmanager
async def two_brokers(folder: Path) -> AsyncIterator[tuple[Broker, Broker]]:
    """Run the central broker, and that of a floor with the bridge."""
    for name in ("central", "floor"):
        (folder / name).mkdir()
    async with Broker(folder / "central") as central:
        settings = ("allow_anonymous true", *documented_bridge(central.port))
        async with Broker(folder / "floor", *settings) as floor:
            yield central, floor


async def test_a_room_behind_a_bridge_is_shown_and_is_away_when_it_stops(tmp_path):
    async with two_brokers(tmp_path) as (central, floor), a_hub(central.port) as hub:
        async with a_node(floor.port, "attic") as node:
            await hub.until(lambda: hub.rooms() == ["attic"])
            node.hub.publish(a_state(1, node="attic"))
            await hub.until(lambda: hub.of("state", "attic") == [a_state(1, node="attic")])
            assert hub.problem("attic") is None
        await hub.until(lambda: hub.of("presence", "attic")[-1]["present"] is False)


async def test_a_room_behind_a_bridge_learns_what_it_is_taught_at_the_hub(tmp_path, monkeypatch):
    # On a busy machine, too.
    monkeypatch.setattr(lessons, "ANSWER_WITHIN_SECONDS", 60.0)
    async with (
        two_brokers(tmp_path) as (central, floor),
        a_hub(central.port) as hub,
        Room(tmp_path, floor.port, monkeypatch) as room,
    ):
        await hub.until(lambda: hub.of("state", room.node))
        status, taught = await ask(hub.port, f"POST /teach?node={room.node}&genre=techno")
        assert status == 200, taught
        await hub.until(lambda: hub.of("state", room.node)[-1]["genre"] == "techno")
