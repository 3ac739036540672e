"""Hearing over MQTT what plays, on a topic that rtgenre or the settings name."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from rtgenre.sources.title import stream_track, told_track

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rtgenre.messages.documents import Document
    from rtgenre.outputs.mqtt.topics import Message
    from rtgenre.types import Track

MAX_PAYLOAD_BYTES = 4096

logger = logging.getLogger(__name__)


class TrackError(ValueError):
    """A message that does not say what plays; the text says why."""


def command_topic(prefix: str, node: str) -> str:
    """Return the topic that takes what plays in a room, unless the settings name another."""
    return f"{prefix}/{node}/playing/set"


class PlayingExtension:
    """Takes what other programs say plays; answers nothing."""

    # Who lets the broker keep it means it to be known after a restart.
    takes_retained = True

    def __init__(
        self, tell: Callable[[str, Track | None], None], *, topics: Mapping[str, str]
    ) -> None:
        """Prepare.

        Args:
            tell: takes a node and what plays there; None: nothing that is known.
            topics: by node, where that is said; rooms may share one.
        """
        self._tell = tell
        self._topic_of = topics
        self.topics: Sequence[str] = list(dict.fromkeys(topics.values()))
        # Topics whose last message was refused, each told once.
        self._refused: set[str] = set()

    def on_connect(self, node: str) -> list[Message]:
        """Return nothing: there is nothing to say."""
        return []

    def on_document(self, document: Document) -> list[Message]:
        """Return nothing: the document itself says what plays."""
        return []

    def on_message(self, node: str, topic: str, payload: bytes) -> list[Message]:
        """Take what plays; every node hears of every topic, and takes its own."""
        if topic != self._topic_of.get(node):
            return []
        try:
            self._tell(node, read_track(payload))
        except TrackError as error:
            if topic not in self._refused:
                self._refused.add(topic)
                logger.warning("%s: %s; what plays there stays as it was", topic, error)
        else:
            self._refused.discard(topic)
        return []


def read_track(payload: bytes) -> Track | None:
    """Read a message: JSON, or a text as radios write it, "Artist - Title".

    An empty one, or one without a title, says that nothing known plays.

    Raises:
        TrackError: it is something else.
    """
    if payload.strip() in {b"", b"null"}:
        return None
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TrackError(
            f"a message of {len(payload):,} bytes came; at most {MAX_PAYLOAD_BYTES:,} are taken"
        )
    told: object = None
    with suppress(ValueError, RecursionError):
        text = payload.decode()
        # Any text but an object or a list, a number too, may be a title, with quotes in it.
        told = None if text.lstrip().startswith(("{", "[")) else text
        parsed = json.loads(text)
        if isinstance(parsed, str | dict):
            told = parsed
    if isinstance(told, str):
        return stream_track(told)
    if not isinstance(told, dict):
        raise TrackError(
            f'{payload[:40]!r} came; write JSON: {{"title": "So What", "artist": "Miles Davis"}}, '
            "or Miles Davis - So What"
        )
    title, artist = told.get("title") or "", told.get("artist") or ""
    if not isinstance(title, str) or not isinstance(artist, str):
        raise TrackError("title and artist are texts, or null")
    return told_track(title, artist)
