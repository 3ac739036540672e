"""The demo: free recordings of different genres, where there is nothing to listen to."""

from __future__ import annotations

from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.sources.file import FileSource


class DemoSource(FileSource):
    """The demo recordings in a loop, as they would be heard; nobody's music."""

    def __init__(self) -> None:
        super().__init__(DEMO_RECORDINGS, loop=True)
        self.name = f"demo: {len(DEMO_RECORDINGS)} recordings"

    @property
    def is_demo(self) -> bool:
        """Always: what is heard is not kept, and moves no lamps."""
        return True
