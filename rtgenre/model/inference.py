"""Shares one classifier among all pipelines: windows that wait together go as one batch."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.features import log_mel_spectrogram

if TYPE_CHECKING:
    from types import TracebackType

    from rtgenre.model.classifier import Classifier
    from rtgenre.types import FloatArray, Prediction


@dataclass(frozen=True, slots=True)
class Inference:
    """A prediction and what it cost."""

    prediction: Prediction
    seconds: float
    """Features and network, of the whole batch that the window was part of."""
    batch_size: int


class BatchingClassifier:
    """Runs features and network on one worker thread, so that the event loop never waits."""

    def __init__(self, classifier: Classifier) -> None:
        self.info = classifier.info
        self._classifier = classifier
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
        # Windows that wait, each with the future of who waits for it.
        self._waiting: list[tuple[FloatArray, asyncio.Future[Inference]]] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> BatchingClassifier:
        """Start the worker."""
        self._task = asyncio.create_task(self._run(), name="inference")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the worker; windows that still wait are given up."""
        if self._task is not None:
            self._task.cancel()
        for _, future in self._waiting:
            future.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def classify(self, samples: FloatArray) -> Inference:
        """Classify one window of ``(window_samples,)`` at the model's rate.

        Raises:
            ValueError: the window or the network's output has a wrong shape.
        """
        future: asyncio.Future[Inference] = asyncio.get_running_loop().create_future()
        self._waiting.append((samples, future))
        self._arrived.set()
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            windows = [samples for samples, _ in batch]
            try:
                results = await loop.run_in_executor(self._executor, self._infer, windows)
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)

    def _infer(self, windows: list[FloatArray]) -> list[Inference]:
        started = time.perf_counter()
        features = [log_mel_spectrogram(samples, self.info.features) for samples in windows]
        predictions = self._classifier.predict(np.stack(features))
        seconds = time.perf_counter() - started
        return [Inference(prediction, seconds, len(windows)) for prediction in predictions]
