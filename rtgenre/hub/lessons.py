"""Passes lessons on to the rooms: each learns, and keeps, what was taught in it."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from rtgenre.hub.node import node_named
from rtgenre.learning.genres import LearningError, checked_genre
from rtgenre.messages.taught import TeachError
from rtgenre.outputs.mqtt.teach import command_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtgenre.hub.node import Node
    from rtgenre.messages.taught import TakenInDocument, TaughtDocument, TaughtListDocument

ANSWER_WITHIN_SECONDS = 8.0
"""An older room answers with its next window; who asks over HTTP is answered within ten seconds."""
LATE_SECONDS = 60.0
"""So long an older rtgenre, whose answers do not say to what, is not asked anything else."""
MAX_CHARACTERS_SENT = 200
"""Of a genre, so that its room can read the message and say why it is none."""
MAX_REMEMBERED = 1000
_BAD_NAME, _ELSEWHERE, _BUSY, _NO_ANSWER = 400, 409, 429, 504


class Sender(Protocol):
    """Says something to the broker."""

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message.

        Raises:
            TeachError: the broker is not there.
        """


@dataclass(frozen=True, slots=True)
class _Question:
    """What a room was asked and has not answered."""

    answer: asyncio.Future[dict[str, Any]]
    kind: str
    """The type of the document that answers it, if not an error."""
    asked_at: float
    """On the clock that never runs backwards."""


class Lessons:
    """Takes in lessons for rooms, as a room's own page does."""

    def __init__(self, sender: Sender, prefix: str, nodes: Callable[[], list[Node]]) -> None:
        """Prepare.

        Args:
            sender: sends to the broker.
            prefix: the first part of every topic.
            nodes: gives the rooms that are shown.
        """
        self._sender = sender
        self._prefix = prefix
        self._nodes = nodes
        # By room and by the request that its answer repeats; "" where it repeats none.
        self._questions: dict[tuple[str, str], _Question] = {}
        # Rooms number what they are taught each for itself.
        self._numbers: dict[int, tuple[str, int]] = {}
        self._last_number = 0

    async def teach(self, node: str, genre: str) -> TaughtDocument:
        """Say what is playing now in a room.

        Raises:
            TeachError: there is no such room, it is away or does not answer, or it refuses.
        """
        is_name = genre.isprintable() and len(genre) <= MAX_CHARACTERS_SENT
        if not is_name or genre.lstrip().startswith("{"):
            raise TeachError(f"a genre cannot be called {genre[:40]!r}")
        answer = await self._ask(node, "taught", {"teach": genre}, refused=_refusal(genre))
        self._last_number += 1
        self._numbers[self._last_number] = (node, answer["id"])
        while len(self._numbers) > MAX_REMEMBERED:
            del self._numbers[next(iter(self._numbers))]
        return cast("TaughtDocument", {**answer, "id": self._last_number})

    async def forget(self, numbers: Sequence[int] | None) -> int:
        """Undo lessons that were given here.

        Raises:
            TeachError: everything is meant, or the room does not answer.
        """
        if numbers is None:
            self._refuse()
        n = 0
        for number in numbers:
            if number in self._numbers:
                node, own_number = self._numbers[number]
                answer = await self._ask(node, "forgotten", {"forget": own_number})
                self._numbers.pop(number, None)
                n += answer["stretches"]
        return n

    async def rename(self, genre: str, new_genre: str) -> int:
        """Refuse: each room has a list of its own."""
        self._refuse()

    async def list(self) -> TaughtListDocument:
        """Refuse: each room has a list of its own."""
        self._refuse()

    async def written(self, numbers: Sequence[int] | None) -> str:
        """Refuse: each room has a list of its own."""
        self._refuse()

    async def take_in(self, text: str) -> TakenInDocument:
        """Refuse: each room has a list of its own."""
        self._refuse()

    def on_answer(self, node: str, payload: bytes) -> None:
        """Take in what a room answers; what comes late, or answers others, is dropped."""
        request, answer = _read(payload)
        question = self._questions.get((node, request))
        if question is None or answer["type"] not in {question.kind, "error"}:
            return
        del self._questions[node, request]
        if not question.answer.done():
            question.answer.set_result(answer)

    async def _ask(
        self, name: str, kind: str, asked: dict[str, Any], *, refused: int = _ELSEWHERE
    ) -> dict[str, Any]:
        node = node_named(name, self._nodes())
        if node.away is not None:
            raise TeachError(f"{name}: {node.away}", _NO_ANSWER)
        repeats = node.about is not None and node.about.get("repeats_requests", False)
        key = (name, secrets.token_hex(4) if repeats else "")
        question = self._open(key, kind)
        topic = command_topic(self._prefix, name)
        try:
            await self._sender.publish(topic, _written(asked, key[1]))
            found = await asyncio.wait_for(question.answer, ANSWER_WITHIN_SECONDS)
        except TimeoutError:
            raise TeachError(
                f"{name} did not answer: teaching may be off there, its rtgenre may be older, or "
                f"the broker may not let this hub write to {topic}",
                _NO_ANSWER,
            ) from None
        except TeachError:
            # What was not sent is not answered late.
            self._questions.pop(key, None)
            raise
        finally:
            question.answer.cancel()
            if repeats:
                self._questions.pop(key, None)
        if found["type"] == "error":
            raise TeachError(str(found["message"]), refused)
        return found

    def _open(self, key: tuple[str, str], kind: str) -> _Question:
        """Note what a room is asked.

        Raises:
            TeachError: its answer could not be told from one to what was asked before.
        """
        now = time.monotonic()
        before = self._questions.get(key)
        if before is not None and now < before.asked_at + LATE_SECONDS:
            wait_seconds = math.ceil(before.asked_at + LATE_SECONDS - now)
            raise TeachError(
                f"{key[0]} has not answered yet what it was asked before: ask again in "
                f"{wait_seconds} s, or update its rtgenre",
                _BUSY,
            )
        question = _Question(asyncio.get_running_loop().create_future(), kind, now)
        self._questions[key] = question
        return question

    def _refuse(self) -> NoReturn:
        rooms = ", ".join(node.name for node in self._nodes()) or "none yet"
        raise TeachError(
            f"what was taught is kept by each room; say which one with node: {rooms}", _ELSEWHERE
        )


def _refusal(genre: str) -> int:
    """Return the status of a room's refusal, whose answer has none: pages ask for a name again."""
    try:
        checked_genre(genre.strip())
    except LearningError:
        return _BAD_NAME
    return _ELSEWHERE


def _written(asked: dict[str, Any], request: str) -> str:
    """Write a question; an older rtgenre takes a genre as nothing but its name."""
    if request:
        return json.dumps({**asked, "request": request}, ensure_ascii=False)
    return str(asked["teach"]) if "teach" in asked else json.dumps(asked)


def _read(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Read to what a room answers, and what; one that no room gives says so itself."""
    request = ""
    try:
        answer = json.loads(payload)
        request = str(answer.pop("request", ""))
        kind = answer["type"]
        if kind == "error" and isinstance(answer["message"], str):
            return request, {"type": "error", "message": answer["message"][:500]}
        if kind == "taught" and type(answer["id"]) is int and isinstance(answer["genre"], str):
            return request, {**answer}
        if kind == "forgotten" and type(answer["stretches"]) is int:
            return request, {**answer}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return request, {"type": "error", "message": "the room's answer cannot be read"}
