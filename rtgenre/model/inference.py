"""Shares the model among all pipelines: each window is a worker's turn, who waits longest first."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from rtgenre.model.classifier import Classifier
    from rtgenre.types import FloatArray, Prediction


@dataclass(frozen=True, slots=True)
class Inference:
    """A prediction and what it cost."""

    prediction: Prediction
    seconds: float
    """Features and network."""


Classify = Callable[["FloatArray"], Awaitable[Inference]]
"""Classifies one window, as ``InferenceWorkers.classify`` does."""


class InferenceWorkers:
    """Runs features and network on threads of their own, so that the event loop never waits."""

    def __init__(self, classifier: Classifier, workers: int = 1) -> None:
        """Load the network once more for each further worker.

        Raises:
            ModelError: it cannot be loaded once more.
        """
        self.info = classifier.info
        self.workers = workers
        """How many windows are worked on at once."""
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        # As many as there are threads: none ever waits for one.
        self._classifiers: queue.SimpleQueue[Classifier] = queue.SimpleQueue()
        for each in [classifier, *(classifier.copy() for _ in range(workers - 1))]:
            self._classifiers.put(each)
        # Whoever waits longest is served first.
        self._turns = asyncio.Semaphore(workers)

    async def __aenter__(self) -> InferenceWorkers:
        """Do nothing: threads start with the first windows."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the workers; windows that still wait are given up."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Classify]:
        """Wait until a worker is free, and have it for the length of a ``with`` block.

        Which window it gets can be said as late as that.
        """
        async with self._turns:
            yield self._classify

    async def classify(self, samples: FloatArray) -> Inference:
        """Classify one window of ``(window_samples,)`` at the model's rate.

        Raises:
            ValueError: the window or the network's output has a wrong shape.
        """
        async with self.turn() as classify:
            return await classify(samples)

    async def _classify(self, samples: FloatArray) -> Inference:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._infer, samples)

    def _infer(self, samples: FloatArray) -> Inference:
        classifier = self._classifiers.get()
        try:
            started = time.perf_counter()
            prediction = classifier.predict_window(samples)
            return Inference(prediction, time.perf_counter() - started)
        finally:
            self._classifiers.put(classifier)
