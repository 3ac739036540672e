"""What every source of audio is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from rtgenre.errors import RtgenreError
from rtgenre.types import Block, Track

SHORTEST_BLOCK_SECONDS = 0.02
"""A window is complete at most this long before the block that completes it."""
Deliver = Callable[[Block], Awaitable[None]]
"""Takes one block; a source that is not live waits for it, so that no audio is skipped."""


class SourceError(RtgenreError):
    """A source cannot be used; the message says what was found, what is allowed, what to do."""


class NoInputDevice(SourceError):
    """The default input was asked for, and this machine has none."""


class AudioSource(ABC):
    """One input, from opening to closing.

    Everything that a source holds open lives inside ``run``: to stop it, cancel the task.
    """

    def __init__(self, name: str, *, live: bool) -> None:
        self.name = name
        """Shown to people and in messages, for example ``device: USB Audio``."""
        self.live = live
        """Sound that passes whether or not anybody listens; late windows are skipped."""
        # How many seconds the next block may have, by whoever listens: longer ones wake him less.
        self.wanted_seconds: Callable[[], float] = lambda: SHORTEST_BLOCK_SECONDS
        # What plays just now by the source's own account; None where it has none.
        self.track: Track | None = None
        # Why no audio comes just now, for people; None while all is well.
        self.problem: str | None = None
        # Inputs that could not be used, one line each; they decide the exit code.
        self.failures: list[str] = []
        # Input overflows reported by the audio system, each a gap in the audio.
        self.overruns = 0
        # Blocks thrown away because the pipeline was too slow to take them, each a gap too.
        self.dropped_blocks = 0
        # How often the input was opened again after it was lost.
        self.reopens = 0

    @property
    def is_microphone(self) -> bool:
        """Whether it records what sounds around it, which is never wholly silent."""
        return False

    @property
    def records_playback(self) -> bool:
        """Whether it is known to record what this machine plays."""
        return False

    @property
    def is_demo(self) -> bool:
        """Whether it plays what this program brings along, which is nobody's listening."""
        return False

    @property
    def gives_way(self) -> bool:
        """Whether it has ended because something better can be listened to now."""
        return False

    @abstractmethod
    async def run(self, deliver: Deliver) -> None:
        """Deliver blocks until the input ends (return) or the task is cancelled.

        An input that is lost and may come back is reopened from here, with ``problem`` set
        meanwhile; the first block after it has ``gap`` set.

        Raises:
            SourceError: the input cannot be used and waiting would not help.
        """
