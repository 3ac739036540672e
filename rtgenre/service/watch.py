"""Tells everybody when an input is lost, back or over."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from rtgenre.messages.payload import status_document
from rtgenre.outputs.words import source_name
from rtgenre.types import GONE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.messages.hub import Hub
    from rtgenre.service.listener import Listener

_NAMED_NODES = 3
_WATCH_SECONDS = 0.5

logger = logging.getLogger(__name__)


class _News(NamedTuple):
    """What is told of a room."""

    problem: str | None = None
    hint: str | None = None
    gone: bool = False


class Watch:
    """Looks at every listener now and then, and says once what has changed."""

    def __init__(self, listeners: Sequence[Listener], hub: Hub) -> None:
        self._listeners = listeners
        self._hub = hub
        self.failures: list[str] = []
        """Inputs that could not be used, one line each; they decide the exit code."""
        # By node, what was told last, and since when there is a problem on the monotonic clock.
        self._told: dict[str, _News] = {}
        self._lost_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_WATCH_SECONDS)

    def look(self) -> None:
        """Tell what has changed since the last look."""
        self._note_failures()
        for listener in self._listeners:
            listener.watch()
        if all(listener.ended for listener in self._listeners):
            # The service ends with the last of them.
            return
        # By hint, the rooms that have it: too slow a machine is that for all of them at once.
        hinted: dict[str, list[str]] = {}
        for listener in self._listeners:
            before = self._told.get(listener.node, _News())
            news = self._news(listener)
            if (news.problem, news.hint) != (before.problem, before.hint):
                self._log(listener, was_lost=before.problem is not None)
                if news.hint is not None:
                    hinted.setdefault(news.hint, []).append(listener.node)
            if news != before:
                self._told[listener.node] = news
                self._publish(listener, news)
        for hint, nodes in hinted.items():
            logger.info("%s: %s", _first_nodes(nodes), hint)

    def say_goodbye(self) -> None:
        """Tell, without a word in the log, that inputs have ended and the service with them."""
        for listener in self._listeners:
            if listener.ended and not self._told.get(listener.node, _News()).gone:
                self._publish(listener, self._news(listener))

    def _news(self, listener: Listener) -> _News:
        if listener.problem is None:
            self._lost_at.pop(listener.node, None)
            return _News(hint=listener.hint)
        now = time.monotonic()
        lost_seconds = now - self._lost_at.setdefault(listener.node, now)
        gone = listener.ended or lost_seconds >= GONE_SECONDS
        return _News(listener.problem, listener.hint, gone)

    def _note_failures(self) -> None:
        """Name each input that could not be used, once."""
        for listener in self._listeners:
            for failure in listener.source.failures:
                if failure in self.failures:
                    continue
                self.failures.append(failure)
                # The problem of a room that may still come is told as such.
                if listener.ended or failure not in (listener.problem or ""):
                    logger.error("%s: %s", listener.node, failure)

    def _log(self, listener: Listener, *, was_lost: bool) -> None:
        if listener.problem is not None:
            level = logging.INFO if listener.ended else logging.WARNING
            logger.log(level, "%s: %s", listener.node, listener.problem)
        elif was_lost:
            logger.info("%s: hearing %s again", listener.node, source_name(listener.source.name))

    def _publish(self, listener: Listener, news: _News) -> None:
        self._hub.publish(
            status_document(
                node=listener.node,
                source=listener.source.name,
                problem=news.problem,
                hint=news.hint,
                gone=news.gone,
                time=time.time(),
                instance=listener.pipeline.instance,
            )
        )


def _first_nodes(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - _NAMED_NODES} more" if len(nodes) > _NAMED_NODES else ""
    return ", ".join(nodes[:_NAMED_NODES]) + more
