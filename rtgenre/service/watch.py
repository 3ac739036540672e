"""Tells everybody when an input is lost, back or over."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from rtgenre.messages.payload import status_document
from rtgenre.outputs.words import source_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.messages.hub import Hub
    from rtgenre.service.listener import Listener

_WATCH_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Watch:
    """Looks at every listener now and then, and says once what has changed."""

    def __init__(self, listeners: Sequence[Listener], hub: Hub) -> None:
        self._listeners = listeners
        self._hub = hub
        self.failures: list[str] = []
        """Inputs that could not be used, one line each; they decide the exit code."""
        # By node, the problem and the hint that were told last.
        self._told: dict[str, tuple[str | None, str | None]] = {}

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
        for listener in self._listeners:
            before = self._told.get(listener.node, (None, None))
            news = (listener.problem, listener.hint)
            if news != before:
                self._told[listener.node] = news
                self._tell(listener, was_lost=before[0] is not None)

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

    def _tell(self, listener: Listener, *, was_lost: bool) -> None:
        if listener.problem is not None:
            level = logging.INFO if listener.ended else logging.WARNING
            logger.log(level, "%s: %s", listener.node, listener.problem)
        elif was_lost:
            logger.info("%s: hearing %s again", listener.node, source_name(listener.source.name))
        if listener.hint is not None:
            logger.info("%s: %s", listener.node, listener.hint)
        self._hub.publish(
            status_document(
                node=listener.node,
                source=listener.source.name,
                problem=listener.problem,
                hint=listener.hint,
                time=time.time(),
                instance=listener.pipeline.instance,
            )
        )
