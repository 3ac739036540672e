"""Takes in what people say is playing, and has every room judged by it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from rtgenre.messages.taught import (
    TakenInDocument,
    TaughtDocument,
    TaughtListDocument,
    TeachError,
    stretches_in_words,
    taken_in_document,
    taught_document,
    taught_list_document,
    taught_stretch_item,
)
from rtgenre.outputs.web.client_request import RateLimit
from rtgenre.threads import SerialThread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rtgenre.learning.taught.notebook import Notebook, Page
    from rtgenre.model.inference import InferenceWorkers
    from rtgenre.service.pipeline import Pipeline

T = TypeVar("T")

LESSONS_PER_SECOND, LESSONS_AT_ONCE = 0.5, 20
CHANGES_PER_SECOND, CHANGES_AT_ONCE = 1.0, 60
"""Removing and renaming, each of which has all that is left learnt anew."""
FILES_PER_SECOND, FILES_AT_ONCE = 1.0, 100
"""A page sends a file of 5,000 stretches in some sixty parts."""
LOOK_EVERY_SECONDS = 3.0
"""How soon what another process taught is known here, too."""
ANSWER_WITHIN_SECONDS = 8.0
_NICENESS = 3
"""More than the service's own; with much more a busy machine would never learn."""

logger = logging.getLogger(__name__)


class Teacher:
    """What was taught, in use by every pipeline; files and fits are in threads of their own."""

    def __init__(
        self,
        notebook: Notebook,
        pipelines: Mapping[str, Pipeline],
        inference: InferenceWorkers,
        changed: Callable[[], None],
    ) -> None:
        """Prepare, without touching the disk.

        Args:
            notebook: keeps what is taught, and learns it.
            pipelines: by node.
            inference: runs the network on the test sounds that tell networks apart.
            changed: is called when the genres are others.
        """
        self._notebook = notebook
        self._pipelines = pipelines
        self._inference = inference
        self._info = inference.info
        self._changed = changed
        self.labels: tuple[str, ...] = self._info.labels
        """The genres that are known now."""
        self.problem: str | None = None
        """Why what was taught has no effect; None while all is well."""
        self._writer = SerialThread("taught file")
        self._fitter = SerialThread("taught fit")
        self._rate = RateLimit(LESSONS_PER_SECOND, LESSONS_AT_ONCE)
        self._change_rate = RateLimit(CHANGES_PER_SECOND, CHANGES_AT_ONCE)
        self._file_rate = RateLimit(FILES_PER_SECOND, FILES_AT_ONCE)
        # Whether anything that was taught is in use, and what is to be learnt anew.
        self._uses_taught = False
        self._stale = asyncio.Event()
        self.is_learning = False
        """Whether something was taught that is not in use yet."""
        # Nodes whose readout follows at once when the next fit is ready.
        self._corrected: set[str] = set()

    async def run(self) -> None:
        """Learn what was taught before, then whatever is taught, here or by others."""
        if not self._info.embedding_size:
            return
        self._fitter.submit(_be_nice)
        mark: tuple[int, ...] = ()
        while True:
            found = await self._in_thread(self._writer, self._notebook.mark)
            if found != mark or self._stale.is_set():
                mark = found
                self._stale.clear()
                await self._learn()
                self.is_learning = self._stale.is_set()
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which before Python 3.12 can swallow a cancellation.
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._stale.wait()

    async def teach(self, node: str, genre: str) -> TaughtDocument:
        """Say what is playing now in a room.

        Raises:
            TeachError: nothing is playing, the genre cannot be called so, or it cannot be kept.
        """
        heard = self._allowed(node).recent.now()
        if not heard:
            raise TeachError(
                f"nothing that could be taught is playing in {node}; play it for some seconds",
                409,
            )
        label = self._notebook.checked_genre(genre, self.labels)
        await self._meet_network()
        added = await self._file(lambda: self._notebook.add(node, label, heard))
        self._learn_soon({node})
        span = (heard[0].started_at, heard[-1].ended_at)
        logger.info("%s: taught that %.0f s are %s", node, span[1] - span[0], label)
        return taught_document(
            number=added.numbers[0],
            node=node,
            genre=label,
            span=span,
            is_new=label not in self.labels,
            n_forgotten=added.n_forgotten,
        )

    async def forget(self, numbers: Sequence[int] | None) -> int:
        """Forget some stretches, or everything, and say how many there were.

        Raises:
            TeachError: they cannot be forgotten.
        """
        self._change_one()
        if numbers is None:
            n = await self._file(self._notebook.clear)
            self._learn_soon(set(self._pipelines))
            return n
        rows = (await self._page()).rows
        n = await self._file(lambda: self._notebook.remove(numbers))
        self._learn_soon({row.node for row in rows if row.stretch in numbers})
        return n

    async def rename(self, genre: str, new_genre: str) -> int:
        """Call what was taught as one genre another one, and say how many stretches that were.

        Raises:
            TeachError: nothing was taught by that name, or it cannot be called so.
        """
        self._change_one()
        # Its own name gives way to the new one, which may be the same in other letters.
        others = [one for one in self.labels if one != genre or one in self._info.labels]
        label = self._notebook.checked_genre(new_genre, others)
        n = await self._file(lambda: self._notebook.rename(genre, label))
        if not n:
            raise TeachError(f"nothing was taught by the name {genre!r}", 404)
        self._learn_soon(set(self._pipelines))
        return n

    async def written(self, numbers: Sequence[int] | None) -> str:
        """Write some of what was taught, or all, for a file that people keep.

        Raises:
            TeachError: it cannot be read.
        """
        return await self._file(lambda: self._notebook.written(numbers))

    async def take_in(self, text: str) -> TakenInDocument:
        """Add what was taught elsewhere, or before.

        Raises:
            TeachError: it is no such text, or cannot be kept.
        """
        if not self._file_rate.allows(time.monotonic()):
            raise TeachError("too much was sent at once; wait some seconds", 429)
        taken = await self._file(lambda: self._notebook.take_in(text))
        if taken.n_new:
            self._learn_soon(set(self._pipelines))
        logger.info("took in %s of what was taught elsewhere", stretches_in_words(taken.n_new))
        return taken_in_document(
            n_new=taken.n_new, n_known=taken.n_known, n_forgotten=taken.n_forgotten
        )

    async def list(self) -> TaughtListDocument:
        """List all that was taught.

        Raises:
            TeachError: it cannot be read.
        """
        page = await self._page()
        return taught_list_document(
            [
                taught_stretch_item(
                    number=row.stretch,
                    node=row.node,
                    span=(row.started_at, row.ended_at),
                    genre=row.genre,
                    network=row.network,
                    used=row.network in page.alike,
                )
                for row in page.rows
            ],
            limit=self._notebook.max_stretches,
            model=self._info.identity,
            problem=self.problem,
        )

    def _allowed(self, node: str) -> Pipeline:
        if not self._info.embedding_size:
            raise TeachError(
                f"the model {self._info.name} cannot be taught: it does not tell what it hears; "
                "crnn can",
                409,
            )
        if node not in self._pipelines:
            raise TeachError(f"node is {node!r}; it may be {', '.join(self._pipelines)}")
        if not self._rate.allows(time.monotonic()):
            raise TeachError("too much was taught at once; wait some seconds", 429)
        return self._pipelines[node]

    def _change_one(self) -> None:
        if not self._change_rate.allows(time.monotonic()):
            raise TeachError("too much was changed at once; wait some seconds", 429)

    async def _meet_network(self) -> None:
        if not self._notebook.knows_network:
            sounds = self._notebook.test_sounds()
            heard = [await self._inference.classify(one) for one in sounds]
            self._notebook.note_network([one.prediction for one in heard])

    async def _page(self) -> Page:
        if self._info.embedding_size:
            await self._meet_network()
        return await self._file(self._notebook.page)

    def _learn_soon(self, corrected: set[str]) -> None:
        self.is_learning = True
        self._corrected |= corrected
        self._stale.set()

    async def _learn(self) -> None:
        """Fit what was taught; until that is done, what was known before answers."""
        corrected, self._corrected = self._corrected, set()
        began = time.monotonic()
        try:
            await self._meet_network()
            taught = await self._in_thread(self._fitter, self._notebook.fit)
        except TeachError as error:
            if str(error) != self.problem:
                logger.warning("what was taught is not in use: %s", error)
            self.problem = str(error)
            return
        self.problem = None
        if taught is None and not self._uses_taught:
            return
        self._uses_taught = taught is not None
        for node, pipeline in self._pipelines.items():
            pipeline.follow(taught, corrected=node in corrected)
        logger.debug("learnt what was taught in %.1f s", time.monotonic() - began)
        labels = self._info.labels if taught is None else taught.labels
        if labels != self.labels:
            self.labels = labels
            self._changed()

    async def _file(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.wait_for(
                self._in_thread(self._writer, call), ANSWER_WITHIN_SECONDS
            )
        except TimeoutError:
            message = f"the disk took longer than {ANSWER_WITHIN_SECONDS:g} s"
            raise TeachError(message, 503) from None

    @staticmethod
    async def _in_thread(thread: SerialThread, call: Callable[[], T]) -> T:
        return await asyncio.wrap_future(thread.submit(call))


def _be_nice() -> None:
    """Let others go first, on Linux, where a thread has a priority of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            usual = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + _NICENESS)
