"""Keeps what was heard: stretches to the history file, and ``GET /history`` for the page."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from rtgenre.history.moments import parse_span
from rtgenre.history.report import (
    chosen,
    clipped,
    duration_text,
    history_csv,
    history_document,
    merged,
)
from rtgenre.history.sqlite_store import BUSY_TIMEOUT_SECONDS
from rtgenre.history.store import HistoryError, read_stretches
from rtgenre.history.stretches import StretchFold
from rtgenre.history.writer import HistoryWriter
from rtgenre.outputs.web.http import HttpResponse, error_response, json_response
from rtgenre.threads import LimitedCalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtgenre.config import HistoryConfig
    from rtgenre.history.stretches import Stretch
    from rtgenre.messages.hub import Hub
    from rtgenre.outputs.web.http import Query, Route

WRITE_EVERY_SECONDS = 60.0
CLOSE_SECONDS = BUSY_TIMEOUT_SECONDS + 1.0
"""Longer than the file is waited for while another process has it."""
READ_TIMEOUT_SECONDS = 10.0
MAX_READS = 2
"""Queries that are answered at once; each has a thread while it reads."""
DEFAULT_SINCE = "1d"
_DELETION_KEYS = ("since", "until", "node", "genre")

logger = logging.getLogger(__name__)


FILE_NAME, HUB_FILE_NAME = "history.db", "hub.db"


def history_file(config: HistoryConfig, name: str = FILE_NAME) -> Path:
    """Return where the history is: as configured, else under a name in the user's data folder."""
    if config.file is not None:
        return config.file
    return user_data_path("rtgenre", appauthor=False) / name


class HistoryOutput:
    """Follows the hub and answers queries; the disk never holds up either."""

    def __init__(
        self,
        config: HistoryConfig,
        hub: Hub,
        *,
        model_of: Callable[[str], str | None],
        file_name: str = FILE_NAME,
        write_every_seconds: float = WRITE_EVERY_SECONDS,
    ) -> None:
        """Prepare, without touching the disk.

        Args:
            config: where to write, and for how long to keep it.
            hub: where the documents come from.
            model_of: returns the model of a node, kept with each stretch; None for those whose
                documents are not kept, such as files at maximum speed, whose time is nobody's.
            file_name: of the file, where ``config`` names none.
            write_every_seconds: how often stretches that go on are written.
        """
        self._hub = hub
        self._model_of = model_of
        # By node, its model and the stretch that goes on.
        self._folds: dict[str, tuple[str, StretchFold]] = {}
        self._file = history_file(config, file_name)
        self._write_every_seconds = write_every_seconds
        self.writer = HistoryWriter(self._file, retention_days=config.retention_days)
        self._reads = LimitedCalls(MAX_READS)

    async def run(self) -> None:
        """Keep what is heard until cancelled; what waits then is written."""
        self.writer.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="history follow")
                tasks.create_task(self._write_current(), name="history write")
        finally:
            self.writer.put(self._current())
            with suppress(TimeoutError):
                await LimitedCalls(1).call(self.writer.close, CLOSE_SECONDS)
            self._tell_lost()

    def routes(self) -> dict[str, Route]:
        """Return what to answer beside the WebSocket."""
        return {"/history": self.answer, "DELETE /history": self.delete}

    async def answer(self, query: Query) -> HttpResponse:
        """Answer ``GET /history?since=…&until=…&node=…&genre=…&format=json|csv``."""
        now = time.time()
        try:
            since, until = parse_span(query.get("since", DEFAULT_SINCE), query.get("until"), now)
        except ValueError as error:
            return error_response(400, str(error))
        output_format = query.get("format", "json")
        if output_format not in {"json", "csv"}:
            return error_response(400, f"format is {output_format!r}; it may be json or csv")
        # Taken here, in the loop, before the thread reads the file.
        newer = [*self.writer.waiting(), *self._current()]

        def build() -> HttpResponse:
            stretches = merged(read_stretches(self._file, since, until), newer)
            stretches = chosen(stretches, node=query.get("node"), genre=query.get("genre"))
            stretches = clipped(stretches, since, until)
            if output_format == "csv":
                return _csv_response(history_csv(stretches))
            return json_response(
                history_document(stretches, since=since, until=until, problem=self.writer.problem)
            )

        try:
            return await self._reads.call(build, READ_TIMEOUT_SECONDS)
        except HistoryError as error:
            return error_response(503, str(error))
        except TimeoutError:
            return error_response(503, f"the disk took longer than {READ_TIMEOUT_SECONDS:g} s")

    async def delete(self, query: Query) -> HttpResponse:
        """Answer ``DELETE /history?since=…&until=…&node=…&genre=…``: forget what was heard then.

        Without ``node`` that is of every room, without ``genre`` of every genre; what is heard from
        now on is kept.
        """
        if unknown := query.keys() - set(_DELETION_KEYS):
            # Passed over, more would be deleted than was meant.
            return error_response(
                400, f"a deletion takes {', '.join(_DELETION_KEYS)}, not {min(unknown)!r}"
            )
        try:
            since, until = parse_span(query["since"], query["until"], time.time())
        except KeyError as error:
            return error_response(400, f"{error} is missing; say from when until when to delete")
        except ValueError as error:
            return error_response(400, str(error))
        node, genre = query.get("node"), query.get("genre")
        # What goes on is cut here: its end would bring its beginning back.
        self.writer.put(self._current())
        for _, fold in self._folds.values():
            goes_on = fold.current()
            if goes_on is not None and chosen([goes_on], node=node, genre=genre):
                fold.cut()
        try:
            forgotten = asyncio.wrap_future(self.writer.forget(since, until, node, genre))
            await asyncio.wait_for(forgotten, READ_TIMEOUT_SECONDS)
        except HistoryError as error:
            return error_response(503, str(error))
        except TimeoutError:
            return error_response(503, f"the disk took longer than {READ_TIMEOUT_SECONDS:g} s")
        return json_response(history_document([], since=since, until=until))

    def _tell_lost(self) -> None:
        lost = self.writer.waiting()
        if lost:
            length = duration_text(sum(stretch.seconds for stretch in lost))
            reason = self.writer.problem or f"the disk took longer than {CLOSE_SECONDS:g} s"
            logger.error("the newest %s of the history are lost: %s", length, reason)

    async def _follow(self) -> None:
        with self._hub.subscribe(lossless=True) as subscription:
            while True:
                document = await subscription.get()
                if document["type"] != "state":
                    continue
                fold = self._fold(document["node"])
                ended = None if fold is None else fold.update(document)
                if ended is not None:
                    self.writer.put([ended])

    def _fold(self, node: str) -> StretchFold | None:
        """Return what follows a node; None if its documents are not kept."""
        model = self._model_of(node)
        if model is None:
            return None
        known, fold = self._folds.get(node, (None, None))
        if fold is None or known != model:
            ended = None if fold is None else fold.current()
            if ended is not None:
                self.writer.put([ended])
            fold = StretchFold(node, model)
            self._folds[node] = (model, fold)
        return fold

    async def _write_current(self) -> None:
        while True:
            await asyncio.sleep(self._write_every_seconds)
            self.writer.put(self._current())

    def _current(self) -> list[Stretch]:
        stretches = [fold.current() for _, fold in self._folds.values()]
        return [stretch for stretch in stretches if stretch is not None]


def _csv_response(text: str) -> HttpResponse:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="rtgenre-history.csv"',
    }
    return HttpResponse(200, text.encode(), "text/csv; charset=utf-8", headers)
