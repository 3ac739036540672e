"""What others say plays in a room whose source does not know."""

from __future__ import annotations

import logging
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtgenre.config import SourceConfig
    from rtgenre.sources.base import AudioSource
    from rtgenre.sources.mpris import PlayerWatch
    from rtgenre.types import Track

TOLD_SECONDS = 3 * 3600.0
"""Longer than nearly all music: who said it has gone, and what he said with him."""


logger = logging.getLogger(__name__)


class ToldTracks:
    """What programs told of each room, until they tell something else or it is old."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # By node, what plays there and when that was said.
        self._told: dict[str, tuple[Track, float]] = {}

    def tell(self, node: str, track: Track | None) -> None:
        """Take what plays in a room; None: nothing that is known."""
        if track is None:
            self._told.pop(node, None)
        else:
            self._told[node] = (track, self._monotonic())

    def now(self, node: str) -> Track | None:
        """Return what plays in a room, as far as that was said."""
        track, told_at = self._told.get(node, (None, 0.0))
        return track if self._monotonic() - told_at <= TOLD_SECONDS else None


class PlayersHeard:
    """What the media players of this desktop say, for the rooms in which they are heard."""

    def __init__(self, sources: Sequence[tuple[SourceConfig, AudioSource]]) -> None:
        """Find out which rooms these are."""
        self._nodes = {config.node for config, source in sources if _hears_players(config, source)}
        self._watch: PlayerWatch | None = None
        if not self._nodes:
            return
        asked_for = any(config.mpris == "on" for config, _ in sources)
        if find_spec("dbus_fast") is not None:
            from rtgenre.sources.mpris import PlayerWatch

            self._watch = PlayerWatch(asked_for=asked_for)
        elif asked_for:
            logger.warning(
                '[source] mpris = "on" needs a package that is not installed: pip install '
                "'rtgenre[mpris]'"
            )

    @property
    def enabled(self) -> bool:
        """Whether anybody is asked."""
        return self._watch is not None

    async def run(self) -> None:
        """Ask until cancelled."""
        if self._watch is not None:
            await self._watch.run()

    def now(self, node: str) -> Track | None:
        """Return what plays in a room, as far as a player says it."""
        return self._watch.track if self._watch is not None and node in self._nodes else None


def _hears_players(config: SourceConfig, source: AudioSource) -> bool:
    return config.mpris == "on" or (config.mpris == "auto" and source.records_playback)
