"""Two real brokers with a bridge between them, as docs/many-machines.md describes it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.broker import Broker
from tests.documents import a_state
from tests.hub.running import a_hub, a_node

PAGE = Path(__file__).parents[2] / "docs" / "many-machines.md"


def documented_bridge(port: int) -> list[str]:
    """Return the page's settings, for a central broker on this machine that wants no password."""
    (block,) = re.findall(r"```\n(connection .*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line for line in block.splitlines() if not line.startswith("remote_")]
    return [line.replace("central-broker:1883", f"127.0.0.1:{port}") for line in lines]


async def test_a_room_behind_a_bridge_is_shown_and_is_away_when_it_stops(tmp_path):
    (tmp_path / "central").mkdir()
    (tmp_path / "floor").mkdir()
    async with (
        Broker(tmp_path / "central") as central,
        Broker(
            tmp_path / "floor", "allow_anonymous true", *documented_bridge(central.port)
        ) as floor,
        a_hub(central.port) as hub,
    ):
        async with a_node(floor.port, "attic") as node:
            await hub.until(lambda: hub.rooms() == ["attic"])
            node.hub.publish(a_state(1, node="attic"))
            await hub.until(lambda: hub.of("state", "attic") == [a_state(1, node="attic")])
            assert hub.problem("attic") is None
        await hub.until(lambda: hub.of("presence", "attic")[-1]["present"] is False)
