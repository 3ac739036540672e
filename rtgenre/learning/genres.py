"""Which names genres may have; pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rtgenre.errors import RtgenreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_GENRES = 64
"""Of one model, the network's included."""
MAX_CHARACTERS = 40

_ALLOWED = re.compile(r"[^\W_][\w-]*")
_RESERVED = frozenset({"unknown", "silence", "music", "other", "none", "off", "online", "offline"})
"""What messages say in a genre's place, or might be taken to."""


class LearningError(RtgenreError):
    """Nothing can be learnt; the message says what was found, what is needed and what to do."""


def checked_genre(name: str) -> str:
    """Return a genre's name if messages, MQTT topics and pages can hold it.

    Its accents are written one way (Unicode's NFC), however the name of a folder has them.

    Raises:
        LearningError: it cannot be one; the message proposes another.
    """
    name = unicodedata.normalize("NFC", name)
    if name.casefold() in _RESERVED:
        raise LearningError(
            f"a genre cannot be called {name!r}: messages say {name.casefold()!r} of what has no "
            "genre; choose another name"
        )
    if not _ALLOWED.fullmatch(name) or len(name) > MAX_CHARACTERS:
        raise LearningError(
            f"a genre cannot be called {name!r}: 1 to {MAX_CHARACTERS} letters, digits, '-' or "
            "'_' are allowed, the first one a letter or digit, so that MQTT topics and pages can "
            f"hold it; for example {_proposal(name)!r}"
        )
    return name


def known_genre(name: str, known: Iterable[str]) -> str | None:
    """Return which known genre a name means: ``Hip-Hop`` is ``hiphop``; None for a new one."""
    plain = _plain(name)
    return next((label for label in known if _plain(label) == plain), None)


def check_different(names: Sequence[str]) -> None:
    """Check that no two names mean the same genre.

    Raises:
        LearningError: two do.
    """
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(_plain(name), name)
        if other != name:
            raise LearningError(
                f"{other!r} and {name!r} are one genre, written in two ways; put their songs into "
                "one folder"
            )


def _plain(name: str) -> str:
    composed = unicodedata.normalize("NFC", name.casefold())
    return "".join(character for character in composed if character.isalnum())


def _proposal(name: str) -> str:
    words = re.findall(r"[^\W_]+", re.sub("['\u2019]", "", name))
    return "-".join(words)[:MAX_CHARACTERS].strip("-") or "my-genre"
