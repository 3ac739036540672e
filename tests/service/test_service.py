import asyncio
from itertools import pairwise

import pytest

from rtgenre.config import Config
from rtgenre.service.service import Service
from rtgenre.types import Block
from tests.networks import tone_classifier
from tests.signals import tone
from tests.sources_in_memory import MemorySource

QUIET = {"websocket": {"enabled": False}, "history": {"enabled": False}}


async def ends_of_windows(n_sources, seconds=9):
    """Return when the windows of each source end, in seconds, of sources that begin together."""
    tables = {"source": [{"node": f"room{number}"} for number in range(n_sources)]}
    config = Config.model_validate({**tables, **QUIET})
    blocks = [Block(tone(200, 0.5)[:, None], 22050, 1000 + i / 2) for i in range(2 * seconds)]
    sources = [(each, MemorySource(blocks)) for each in config.source]
    service = Service(config, tone_classifier(), sources)
    ends = {each.node: [] for each in config.source}

    async def collect():
        with service.hub.subscribe(lossless=True) as subscription:
            while True:
                document = await subscription.get()
                if document["type"] == "state":
                    ends[document["node"]].append(document["window_end_seconds"])

    collecting = asyncio.create_task(collect())
    async with asyncio.timeout(30):
        await service.run(asyncio.Event())
    collecting.cancel()
    return list(ends.values())


async def test_windows_of_several_sources_are_spread_over_the_hop():
    ends = await ends_of_windows(4)
    assert [each[0] for each in ends] == pytest.approx([4.0, 4.5, 5.0, 5.5], abs=1e-3)
    for each in ends:
        assert [after - before for before, after in pairwise(each)] == pytest.approx(
            [2.0] * (len(each) - 1)
        )


async def test_the_windows_of_a_lone_source_end_as_soon_as_they_can():
    assert await ends_of_windows(1) == [[4.0, 6.0, 8.0]]
