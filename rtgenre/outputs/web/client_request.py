"""What a WebSocket client may send, and how often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypedDict

STREAMS = frozenset({"spectrogram"})
"""What can be subscribed to, beside the state that everyone gets."""

BURST_MESSAGES = 20


class LessonDocument(TypedDict):
    """What is playing now in a room. The answer is a ``taught`` or an ``error`` message."""

    node: str
    """The room."""
    genre: str
    """One of the genres, or a new one."""


class RequestDocument(TypedDict, total=False):
    """What a WebSocket client may send."""

    token: str
    """Must be in the first message where a token is needed and the Authorization header was not
    sent."""
    subscribe: list[Literal["spectrogram"]]
    """Asks for the spectrogram, in binary messages."""
    unsubscribe: list[Literal["spectrogram"]]
    """Wants no more of it."""
    node: str
    """The room whose spectrogram is meant. Without it, that of every room."""
    teach: LessonDocument
    """A genre to learn."""
    forget: int
    """The id of what was taught. The answer is a ``forgotten`` or an ``error`` message."""


class ClientRequestError(ValueError):
    """A client's message makes no sense; the text is for that client."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One message from a client."""

    token: str | None = None
    subscribe: frozenset[str] = frozenset()
    unsubscribe: frozenset[str] = frozenset()
    node: str | None = None
    """Whose spectrogram is meant; None: every node's."""
    teach: tuple[str, str] | None = None
    """A node, and what is playing there."""
    forget: int | None = None
    """The number of a stretch that was taught."""


def parse_client_request(message: str | bytes) -> ClientRequest:
    """Read a message, such as ``{"subscribe": […]}``; the schema's ``request`` lists all.

    ``{"subscribe": […], "node": "…"}`` is about one node.

    Raises:
        ClientRequestError: it is none of them.
    """
    if isinstance(message, bytes):
        raise ClientRequestError("binary messages are not understood; send JSON as text")
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        raise ClientRequestError("the message is not JSON") from None
    if not isinstance(document, dict) or not document:
        raise ClientRequestError("the message is not a JSON object with a key")
    if document.keys() - RequestDocument.__annotations__.keys():
        raise ClientRequestError(
            "the keys are token, subscribe, unsubscribe, node, teach and forget"
        )
    token = document.get("token")
    if token is not None and not isinstance(token, str):
        raise ClientRequestError("the token is not a string")
    node = document.get("node")
    if node is not None and not isinstance(node, str):
        raise ClientRequestError("the node is not a string")
    return ClientRequest(
        token=token,
        node=node,
        subscribe=_streams(document.get("subscribe", [])),
        unsubscribe=_streams(document.get("unsubscribe", [])),
        teach=_lesson(document["teach"]) if "teach" in document else None,
        forget=_number(document["forget"]) if "forget" in document else None,
    )


def _streams(names: Any) -> frozenset[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ClientRequestError("subscribe and unsubscribe take a list of names")
    if not STREAMS.issuperset(names):
        raise ClientRequestError(f"what can be subscribed to: {', '.join(sorted(STREAMS))}")
    return frozenset(names)


def _lesson(lesson: Any) -> tuple[str, str]:
    if isinstance(lesson, dict) and lesson.keys() == {"node", "genre"}:
        node, genre = lesson["node"], lesson["genre"]
        if isinstance(node, str) and isinstance(genre, str):
            return node, genre
    raise ClientRequestError('teach takes {"node": "…", "genre": "…"}')


def _number(number: Any) -> int:
    if type(number) is not int:
        raise ClientRequestError("forget takes the id of what was taught")
    return number


class RateLimit:
    """A token bucket: ``burst`` at once, ``per_second`` over time."""

    def __init__(self, per_second: float, burst: int = BURST_MESSAGES) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._last_seconds: float | None = None

    def allows(self, now_seconds: float) -> bool:
        """Count one message at ``now_seconds`` (any clock that never runs backwards)."""
        if self._last_seconds is not None:
            self._left += self._per_second * (now_seconds - self._last_seconds)
            self._left = min(self._left, self._burst)
        self._last_seconds = now_seconds
        if self._left < 1:
            return False
        self._left -= 1
        return True
