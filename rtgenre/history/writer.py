"""Writes the history from a thread of its own, however slow or full the disk is."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from rtgenre.history.store import HistoryError, HistoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rtgenre.history.stretches import Stretch

RETRY_SECONDS = 10.0
MAX_WAITING_STRETCHES = 20_000
"""Kept in memory while the disk takes nothing: some days' worth, about 5 MB."""
FORGET_EVERY_SECONDS = 3600.0
DAY_SECONDS = 86400.0

Forgetting = tuple[float, float, str | None, str | None]
"""From when until when, as Unix times, of which node and of which genre; None: of all."""

logger = logging.getLogger(__name__)


class HistoryWriter:
    """A thread that writes what it is given, and keeps it until it is written."""

    def __init__(
        self, file: Path, *, retention_days: int, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._file = file
        self._retention_days = retention_days
        self._retry_seconds = retry_seconds
        # What is not written yet, by node and start: a longer version replaces a shorter one.
        self._waiting: dict[tuple[str, float], Stretch] = {}
        # What is to be deleted.
        self._forgetting: list[tuple[Forgetting, Future[None]]] = []
        self._changed = threading.Condition()
        self._closing = False
        # Why nothing can be written, for people; None while all is well.
        self.problem: str | None = None
        # Stretches that were lost because too many waited.
        self.dropped = 0
        self._forgotten_at = float("-inf")
        self._doubted_clock = False
        # A daemon: a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, stretches: Iterable[Stretch]) -> None:
        """Hand over stretches; never waits for the disk."""
        with self._changed:
            for stretch in stretches:
                self._waiting[stretch.node, stretch.started_at] = stretch
            while len(self._waiting) > MAX_WAITING_STRETCHES:
                del self._waiting[next(iter(self._waiting))]
                self.dropped += 1
            self._changed.notify()

    def forget(
        self, since: float, until: float, node: str | None, genre: str | None = None
    ) -> Future[None]:
        """Delete what was heard between two Unix times, after all that was put before.

        Returns:
            A future that is done once it is deleted, or has the ``HistoryError`` that kept it.
        """
        done: Future[None] = Future()
        with self._changed:
            self._forgetting.append(((since, until, node, genre), done))
            self._changed.notify()
        return done

    def waiting(self) -> list[Stretch]:
        """Return what is not written yet."""
        with self._changed:
            return list(self._waiting.values())

    def close(self) -> None:
        """Try once more to write what waits, and stop the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._forgetting or self._closing)
                batch = list(self._waiting.values())
                taken, self._forgetting = self._forgetting, []
                forgetting = [each for each in taken if each[1].set_running_or_notify_cancel()]
                closing = self._closing
            try:
                self._write(batch, [what for what, _ in forgetting])
            except HistoryError as error:
                for _, done in forgetting:
                    done.set_exception(error)
                if closing:
                    self.problem = str(error)
                else:
                    self._report(str(error))
                    with self._changed:
                        self._changed.wait_for(
                            lambda: self._closing or self._forgetting, self._retry_seconds
                        )
            else:
                for _, done in forgetting:
                    done.set_result(None)
                self._report(None)
                self._forget_written(batch)
            if closing:
                return

    def _write(self, batch: list[Stretch], forgetting: list[Forgetting]) -> None:
        # Opened anew each time, a minute apart: whatever became of the file or its disk meanwhile.
        with HistoryStore(self._file) as store:
            store.write(batch)
            for what in forgetting:
                store.forget(*what)
            due = time.monotonic() - self._forgotten_at >= FORGET_EVERY_SECONDS
            if self._retention_days and due:
                self._forget_old(store, time.time())
                self._forgotten_at = time.monotonic()

    def _forget_old(self, store: HistoryStore, now: float) -> None:
        """Delete what is too old, unless the clock seems to be wrong."""
        keep_since = now - self._retention_days * DAY_SECONDS
        oldest_days, newest_days = evidence_days(self._retention_days)
        if store.holds_any(now - oldest_days * DAY_SECONDS, now - newest_days * DAY_SECONDS):
            store.forget_before(keep_since)
        elif store.holds_any(0, keep_since) and not self._doubted_clock:
            self._doubted_clock = True
            logger.warning(
                "nothing is deleted from the history, though parts are older than %d days by this "
                "machine's clock: nothing was heard in the last weeks, so the clock may be wrong",
                self._retention_days,
            )

    def _forget_written(self, batch: list[Stretch]) -> None:
        with self._changed:
            for stretch in batch:
                key = (stretch.node, stretch.started_at)
                if self._waiting.get(key) is stretch:
                    del self._waiting[key]

    def _report(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem is None:
            logger.info("the history is written again")
        else:
            logger.warning("%s; trying again every %g s", problem, self._retry_seconds)


def evidence_days(retention_days: int) -> tuple[float, float]:
    """Return how long ago, at most and at least, something must have been heard to delete anything.

    A clock that jumps ahead makes everything look old at once; one that is right has been there
    some days before.
    """
    return max(3.0, min(60.0, retention_days / 2)), min(7.0, retention_days / 8)
