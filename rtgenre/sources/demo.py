"""The demo: free recordings of different genres, where there is nothing to listen to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.sources.file import FileSource
from rtgenre.sources.portaudio import has_default_input

if TYPE_CHECKING:
    from rtgenre.sources.base import Deliver

# How often it is looked for an input that was plugged in.
LOOK_SECONDS = 3.0


class DemoSource(FileSource):
    """The demo recordings in a loop, as they would be heard."""

    def __init__(self, *, until_input: bool = False) -> None:
        """Play for good, or until the machine has a default input."""
        super().__init__(DEMO_RECORDINGS, loop=True)
        self._until_input = until_input
        self.name = f"demo: {len(DEMO_RECORDINGS)} recordings"
        self._gives_way = False

    @property
    def is_demo(self) -> bool:
        """Always: what is heard is not kept, and moves no lamps."""
        return True

    @property
    def gives_way(self) -> bool:
        """Whether it has ended because the machine has a default input now."""
        return self._gives_way

    async def run(self, deliver: Deliver) -> None:
        """Deliver the recordings.

        Raises:
            SourceError: they cannot be read.
        """
        if not self._until_input:
            await super().run(deliver)
            return
        playing = asyncio.create_task(super().run(deliver), name="play the demo")
        looking = asyncio.create_task(_input_comes(), name="look for an input")
        try:
            await asyncio.wait({playing, looking}, return_when=asyncio.FIRST_COMPLETED)
            self._gives_way = looking.done()
        finally:
            playing.cancel()
            looking.cancel()
            await asyncio.wait({playing, looking})
        if not self._gives_way:
            playing.result()


async def _input_comes() -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if await asyncio.to_thread(has_default_input):
            return
