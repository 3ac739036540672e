"""Runs one source through its pipeline: audio in, documents to the hub."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from rtgenre.monitoring.health import NodeHealth
from rtgenre.monitoring.metrics import SourceTotals
from rtgenre.monitoring.speed import SkipWatch, too_slow
from rtgenre.outputs.words import source_name
from rtgenre.sources.base import SHORTEST_BLOCK_SECONDS, SourceError
from rtgenre.sources.retry import run_with_retries
from rtgenre.threads import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtgenre.messages.column_hub import ColumnHub
    from rtgenre.messages.hub import Hub
    from rtgenre.model.inference import Inference, InferenceWorkers
    from rtgenre.monitoring.metrics import Metrics
    from rtgenre.service.pipeline import Pipeline
    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Block, Track, Window


OPENING_SECONDS = 10.0
"""What a source may take to open before its silence counts as ill health."""

# Whoever begins to look at a room sees its first column this late at most.
_LONGEST_BLOCK_SECONDS = 0.5

_DIGITAL_SILENCE = (
    "only digital silence for a minute: is the microphone muted, or is this program not allowed "
    "to record?"
)

logger = logging.getLogger(__name__)


class Listener:
    """One source, from the first block to the last document.

    A live source never waits: when its turn is late, the newest window is classified and the
    others are counted as skipped. As turns come in the order of asking, sources skip equally. A
    source that can wait does, and skips nothing.
    """

    def __init__(
        self,
        source: AudioSource,
        pipeline: Pipeline,
        workers: InferenceWorkers,
        *,
        hub: Hub,
        column_hub: ColumnHub,
        metrics: Metrics,
        wait_for_input: bool = False,
        told_track: Callable[[], Track | None] = lambda: None,
    ) -> None:
        self.source = source
        self.pipeline = pipeline
        self._workers = workers
        self._hub = hub
        self._column_hub = column_hub
        self._metrics = metrics
        # Whether a source that cannot be used is tried again: others go on meanwhile.
        self._wait_for_input = wait_for_input
        # What others say plays, where the source does not know.
        self._told_track = told_track
        # The window of a live source that is to be classified next.
        self._newest: Window | None = None
        self._newest_arrived = asyncio.Event()
        self._heard = self._judged = False
        # Whether only windows that wait are still to be classified.
        self._heard_all = False
        self.ended = False
        self.skipped_windows = 0
        self._skip_watch = SkipWatch()
        # When the last document was published, at first when the listener began, on the monotonic
        # clock; and for how much of the time since then the source said why there is none.
        self._last_window_at = time.monotonic()
        self._explained_seconds = OPENING_SECONDS
        source.wanted_seconds = self._wanted_seconds
        metrics.add_source(self.node, self.totals)

    @property
    def node(self) -> str:
        """The name of this source in messages."""
        return self.pipeline.node

    @property
    def problem(self) -> str | None:
        """Why nothing is heard just now, or None while all is well."""
        if self.ended and self.source.problem is None:
            return f"the input has ended: {source_name(self.source.name)}"
        return self.source.problem

    @property
    def hint(self) -> str | None:
        """What might be set wrong, though all may be well; else None."""
        if self.problem is not None:
            return None
        if self.source.is_microphone and self.pipeline.silence_watch.is_silent:
            return _DIGITAL_SILENCE
        if self._skip_watch.percent == 0:
            return None
        return too_slow(
            self._skip_watch.percent,
            workers=self._workers.workers,
            cores=usable_cores(),
            hop_seconds=self.pipeline.hop_seconds,
        )

    def watch(self) -> None:
        """Note, every now and then, for how long the source has said why no window comes."""
        if self.problem is not None:
            lost_seconds = time.monotonic() - self._last_window_at
            self._explained_seconds = max(self._explained_seconds, lost_seconds)

    def health(self) -> NodeHealth:
        """Return how the source is doing now."""
        self.watch()
        allowed_seconds = 2 * self.pipeline.hop_seconds + self._explained_seconds
        if self.pipeline.begins_anew:
            allowed_seconds += self.pipeline.first_window_seconds
        return NodeHealth(
            node=self.node,
            source=self.source.name,
            problem=self.problem,
            silent_for_seconds=time.monotonic() - self._last_window_at,
            allowed_seconds=allowed_seconds,
            hint=self.hint,
        )

    def totals(self) -> SourceTotals:
        """Return what was counted since the start."""
        return SourceTotals(
            up=self.problem is None,
            skipped_windows=self.skipped_windows,
            overruns=self.source.overruns,
            dropped_blocks=self.source.dropped_blocks,
            resets=self.pipeline.resets,
            invalid_samples=self.pipeline.invalid_samples,
            clipped_samples=self.pipeline.clipped_samples,
            reopens=self.source.reopens,
        )

    async def run(self) -> None:
        """Listen until the source ends.

        Raises:
            SourceError: the source cannot be used, and is not waited for.
            ValueError: the model gave nonsense.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._classify_newest(), name=f"classify {self.node}")
                if self._wait_for_input:
                    await run_with_retries(self.source, self._deliver)
                else:
                    await self.source.run(self._deliver)
                await self._take(self.pipeline.finish())
                self._heard_all = True
                self._newest_arrived.set()
        finally:
            # The sound system may hold the source until the process ends; it then holds no more.
            self.source.wanted_seconds = lambda: SHORTEST_BLOCK_SECONDS
        self.ended = True
        if self._heard and not self._judged:
            logger.warning(
                "%s: %s was over before one window was full; at least %g s of audio are needed",
                self.node,
                source_name(self.source.name),
                self.pipeline.info.features.window_seconds,
            )

    def _wanted_seconds(self) -> float:
        """Return how long the next block may be, so that it ends with the window, if not before."""
        if not self._heard or self._column_hub.is_watched(self.node):
            return SHORTEST_BLOCK_SECONDS
        due_seconds = self.pipeline.seconds_until_window
        n_blocks = math.ceil(due_seconds / _LONGEST_BLOCK_SECONDS)
        return max(SHORTEST_BLOCK_SECONDS, due_seconds / n_blocks)

    async def _deliver(self, block: Block) -> None:
        if not self._heard:
            self._heard = True
            logger.info("%s: listening to %s", self.node, source_name(self.source.name))
        self.pipeline.draws_columns = self._column_hub.is_watched(self.node)
        try:
            windows = self.pipeline.push(block, track=self.source.track or self._told_track())
        except ValueError as error:
            raise SourceError(f"{source_name(self.source.name)}: {error}") from error
        for column in self.pipeline.take_columns():
            self._column_hub.publish(
                self.node, column.values, column.end_seconds, column.captured_at
            )
        await self._take(windows)

    async def _take(self, windows: list[Window]) -> None:
        for window in windows:
            if not self.source.live:
                self._conclude(window, await self._workers.classify(window.samples))
                await self._hub.taken_by_lossless()
                continue
            if self._newest is not None:
                self.skipped_windows += 1
                self._skip_watch.push(skipped=True)
            self._newest = window
            self._newest_arrived.set()

    async def _classify_newest(self) -> None:
        while True:
            await self._newest_arrived.wait()
            self._newest_arrived.clear()
            while self._newest is not None:
                async with self._workers.turn() as classify:
                    window, self._newest = self._newest, None
                    inference = await classify(window.samples)
                self._skip_watch.push(skipped=False)
                self._conclude(window, inference)
            if self._heard_all:
                return

    def _conclude(self, window: Window, inference: Inference) -> None:
        latency_seconds = max(0.0, time.time() - window.captured_at)
        document = self.pipeline.conclude(
            window, inference.prediction, latency_seconds=latency_seconds
        )
        self._judged = True
        self._last_window_at = time.monotonic()
        self._explained_seconds = 0.0
        self._metrics.observe_window(
            document, inference_seconds=inference.seconds, latency_seconds=latency_seconds
        )
        self._hub.publish(document)
