"""Passes lessons on to the rooms: each learns, and keeps, what was taught in it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from rtgenre.messages.taught import TeachError
from rtgenre.outputs.mqtt.teach import command_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtgenre.messages.taught import TakenInDocument, TaughtDocument, TaughtListDocument

ANSWER_WITHIN_SECONDS = 8.0
"""A room answers with its next window; who asks over HTTP is answered within ten seconds."""
MAX_REMEMBERED = 1000
_ELSEWHERE, _NO_ANSWER = 409, 504


class Sender(Protocol):
    """Says something to the broker."""

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message.

        Raises:
            TeachError: the broker is not there.
        """


class Lessons:
    """Takes in lessons for rooms, as a room's own page does."""

    def __init__(self, sender: Sender, prefix: str, rooms: Callable[[], list[str]]) -> None:
        """Prepare.

        Args:
            sender: sends to the broker.
            prefix: the first part of every topic.
            rooms: gives the rooms that are shown.
        """
        self._sender = sender
        self._prefix = prefix
        self._rooms = rooms
        self._waiting: dict[str, list[asyncio.Future[dict[str, Any]]]] = defaultdict(list)
        # Rooms number what they are taught each for itself.
        self._numbers: dict[int, tuple[str, int]] = {}
        self._last_number = 0

    async def teach(self, node: str, genre: str) -> TaughtDocument:
        """Say what is playing now in a room.

        Raises:
            TeachError: there is no such room, it does not answer, or it refuses.
        """
        if genre.lstrip().startswith("{"):
            raise TeachError(f"a genre cannot be called {genre[:40]!r}")
        answer = await self._ask(node, genre)
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
                node, own_number = self._numbers.pop(number)
                n += (await self._ask(node, json.dumps({"forget": own_number})))["stretches"]
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
        """Take in what a room answers, to whomever: rooms answer one after another."""
        waiting = [each for each in self._waiting.pop(node, []) if not each.done()]
        if not waiting:
            return
        answer = _read(payload)
        first, *self._waiting[node] = waiting
        first.set_result(answer)

    async def _ask(self, node: str, payload: str) -> dict[str, Any]:
        rooms = self._rooms()
        if node not in rooms:
            raise TeachError(f"node is {node!r}; it may be {', '.join(rooms) or 'none yet'}")
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        topic = command_topic(self._prefix, node)
        self._waiting[node].append(answer)
        try:
            await self._sender.publish(topic, payload)
            found = await asyncio.wait_for(answer, ANSWER_WITHIN_SECONDS)
        except TimeoutError:
            raise TeachError(
                f"{node} did not answer: teaching may be off there, its rtgenre may be older, or "
                f"the broker may not let this hub write to {topic}",
                _NO_ANSWER,
            ) from None
        finally:
            answer.cancel()
        if found["type"] == "error":
            raise TeachError(str(found["message"]), _ELSEWHERE)
        return found

    def _refuse(self) -> NoReturn:
        rooms = ", ".join(self._rooms()) or "none yet"
        raise TeachError(
            f"what was taught is kept by each room; say which one with node: {rooms}", _ELSEWHERE
        )


def _read(payload: bytes) -> dict[str, Any]:
    """Read an answer; one that no room gives says so itself."""
    try:
        answer = json.loads(payload)
        kind = answer["type"]
        if kind == "error" and isinstance(answer["message"], str):
            return {"type": "error", "message": answer["message"][:500]}
        if kind == "taught" and type(answer["id"]) is int and isinstance(answer["genre"], str):
            return {**answer}
        if kind == "forgotten" and type(answer["stretches"]) is int:
            return {**answer}
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return {"type": "error", "message": "the room's answer cannot be read"}
