"""Saying over MQTT what is playing: ``<prefix>/<node>/teach/set`` takes a genre.

Or ``{"teach": "jazz"}``, or ``{"forget": 17}``, which undoes the lesson that was answered with the
id 17. With ``"request": "a1"`` beside it the answer repeats that: so answers are told apart.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from rtgenre.messages.taught import TeachError, forgotten_document
from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.outputs.mqtt.topics import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rtgenre.messages.documents import Document

MAX_PAYLOAD_BYTES = 900
MAX_WAITING_ANSWERS = 5
_REQUEST = re.compile(r"[A-Za-z0-9_-]{1,32}")


def command_topic(prefix: str, node: str) -> str:
    """Return the topic that takes what is playing."""
    return f"{prefix}/{node}/teach/set"


class TeachExtension:
    """Takes in lessons, and answers on ``<prefix>/<node>/teach/answer`` as soon as it can."""

    # A lesson that the broker kept is about music of another time.
    takes_retained = False

    def __init__(
        self,
        teach: Callable[[str, str], Awaitable[Mapping[str, Any]]],
        forget: Callable[[Sequence[int]], Awaitable[int]],
        *,
        prefix: str,
        nodes: Sequence[str],
        qos: int,
    ) -> None:
        """Prepare.

        Args:
            teach: takes a node and a genre, and returns the answer; may raise ``TeachError``.
            forget: takes what to undo, and returns how many lessons that were; may raise it, too.
            prefix: the first part of every topic.
            nodes: the rooms.
            qos: MQTT's quality of service, 0 to 2.
        """
        self._teach = teach
        self._forget = forget
        self._prefix = prefix
        self._qos = qos
        self.topics: Sequence[str] = [command_topic(prefix, node) for node in nodes]
        self._answers: dict[str, asyncio.Queue[str]] = {
            node: asyncio.Queue(MAX_WAITING_ANSWERS) for node in nodes
        }
        self._lessons: set[asyncio.Task[None]] = set()

    def on_connect(self, node: str) -> list[Message]:
        """Return nothing: there is nothing to say yet."""
        return []

    def on_document(self, document: Document) -> list[Message]:
        """Return nothing: answers do not wait for a document, which may never come."""
        return []

    def on_message(self, node: str, topic: str, payload: bytes) -> list[Message]:
        """Teach in the background; every node hears of every topic, and takes its own."""
        if topic == command_topic(self._prefix, node):
            lesson = asyncio.create_task(self._take(node, payload), name=f"mqtt lesson {node}")
            self._lessons.add(lesson)
            lesson.add_done_callback(self._lessons.discard)
        return []

    async def next_message(self, node: str) -> Message:
        """Wait for an answer; those to lessons of a connection that was lost come first."""
        answer = await self._answers[node].get()
        return Message(f"{self._prefix}/{node}/teach/answer", answer, retain=False, qos=self._qos)

    async def _take(self, node: str, payload: bytes) -> None:
        request: dict[str, str] = {}
        answer: Mapping[str, Any]
        try:
            asked = _asked(_text(payload))
            request = _request(asked)
            answer = await self._answer(node, asked)
        except TeachError as error:
            answer = {"schema": SCHEMA_VERSION, "type": "error", "message": str(error)}
        waiting = self._answers[node]
        if waiting.full():
            waiting.get_nowait()
        waiting.put_nowait(json.dumps({**answer, **request}, ensure_ascii=False))

    async def _answer(self, node: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        match asked:
            case {"teach": str(genre)}:
                return await self._teach(node, genre)
            case {"forget": int(number)} if not isinstance(number, bool):
                return forgotten_document(await self._forget([number]))
        raise TeachError('the message is neither a genre nor {"teach": "jazz"} nor {"forget": 17}')


def _asked(text: str) -> Mapping[str, Any]:
    """Read a command, of which a genre alone is the short form; nothing if it is none.

    What programs send for nothing, such as ``null``, is no genre.
    """
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return {} if text.startswith("{") else {"teach": text}
    match asked:
        case dict():
            return asked
        case str(genre):
            return {"teach": genre}
        case bool() | None | list():
            return {}
    return {"teach": text}  # 80 is a genre's name like any other


def _request(asked: Mapping[str, Any]) -> dict[str, str]:
    """Return what the answer repeats.

    Raises:
        TeachError: it cannot be repeated.
    """
    if "request" not in asked:
        return {}
    request = asked["request"]
    if not isinstance(request, str) or not _REQUEST.fullmatch(request):
        raise TeachError("request is no text of 1 to 32 letters, digits, '-' or '_'")
    return {"request": request}


def _text(payload: bytes) -> str:
    """Read a command.

    Raises:
        TeachError: it is no text, or too long for a genre.
    """
    try:
        if len(payload) <= MAX_PAYLOAD_BYTES:
            return payload.decode()
    except UnicodeDecodeError:
        pass
    raise TeachError("the message is no genre's name")
