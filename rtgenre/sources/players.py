"""What media players tell of themselves (MPRIS), and which of them is heard; pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rtgenre.sources.title import told_track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtgenre.types import Track

_PREFIX = "org.mpris.MediaPlayer2."
# One repeats what the newest player says, the other is a telephone's, which is not heard here.
_NO_PLAYERS = (f"{_PREFIX}playerctld", f"{_PREFIX}kdeconnect")
_MOST_ARTISTS = 8


def is_player(name: str) -> bool:
    """Say whether a name on the bus is that of a player on this machine."""
    return name.startswith(_PREFIX) and not name.startswith(_NO_PLAYERS)


class Players:
    """The players there are; of several that play, the one that began last is heard."""

    def __init__(self) -> None:
        # By name, what each that plays says; who began last comes last.
        self._playing: dict[str, Track | None] = {}

    @property
    def track(self) -> Track | None:
        """What plays, as far as somebody says it."""
        tracks = [track for track in self._playing.values() if track is not None]
        return tracks[-1] if tracks else None

    def take(self, name: str, properties: Mapping[str, object]) -> None:
        """Take what a player says of itself, whatever that is."""
        if properties.get("PlaybackStatus") == "Playing":
            self._playing[name] = _track(properties.get("Metadata"))
        else:
            self.forget(name)

    def forget(self, name: str) -> None:
        """A player plays no more."""
        self._playing.pop(name, None)


def _track(metadata: object) -> Track | None:
    if not isinstance(metadata, dict):
        return None
    artist = _text(metadata.get("xesam:artist")) or _text(metadata.get("xesam:albumArtist"))
    url = _text(metadata.get("xesam:url"))
    name = PurePosixPath(unquote(url[len("file://") :])).name if url.startswith("file://") else ""
    return told_track(_text(metadata.get("xesam:title")), artist, name=name)


def _text(value: object) -> str:
    """Return a text, or the texts of a list; nothing of what is neither."""
    if isinstance(value, list):
        return ", ".join(each for each in value[:_MOST_ARTISTS] if isinstance(each, str))
    return value if isinstance(value, str) else ""
