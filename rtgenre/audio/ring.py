"""A ring buffer of samples, addressed by sample number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtgenre.types import FloatArray


class RingBuffer:
    """Keeps the newest ``capacity`` samples in memory that is allocated once.

    Samples are numbered from the first one ever written, so a reader says *which* samples it
    wants, not where they happen to lie.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring buffer of {capacity} samples was asked for; it needs 1")
        self._samples: FloatArray = np.zeros(capacity, dtype=np.float32)
        # Number of the sample that the next write begins with.
        self._end_sample = 0

    @property
    def capacity(self) -> int:
        """How many samples it holds."""
        return len(self._samples)

    @property
    def start_sample(self) -> int:
        """The oldest sample that can still be read."""
        return max(0, self._end_sample - self.capacity)

    @property
    def end_sample(self) -> int:
        """One past the newest sample."""
        return self._end_sample

    def write(self, samples: FloatArray) -> None:
        """Append ``(n_samples,)`` samples, overwriting the oldest."""
        kept = samples[-self.capacity :]
        first = (self._end_sample + len(samples) - len(kept)) % self.capacity
        until_wrap = min(len(kept), self.capacity - first)
        self._samples[first : first + until_wrap] = kept[:until_wrap]
        self._samples[: len(kept) - until_wrap] = kept[until_wrap:]
        self._end_sample += len(samples)

    def read(self, start_sample: int, end_sample: int) -> FloatArray:
        """Return a copy of samples ``[start_sample, end_sample)``, shape ``(n_samples,)``.

        Raises:
            IndexError: some of them were overwritten, or are not written yet.
        """
        if not self.start_sample <= start_sample <= end_sample <= self._end_sample:
            raise IndexError(
                f"samples [{start_sample}, {end_sample}) were asked for; the ring buffer holds "
                f"[{self.start_sample}, {self._end_sample})"
            )
        length = end_sample - start_sample
        first = start_sample % self.capacity
        until_wrap = min(length, self.capacity - first)
        result = np.empty(length, dtype=np.float32)
        result[:until_wrap] = self._samples[first : first + until_wrap]
        result[until_wrap:] = self._samples[: length - until_wrap]
        return result
