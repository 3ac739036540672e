"""Overlapping windows cut from a stream of samples."""

from __future__ import annotations

import numpy as np

from rtgenre.audio.ring import RingBuffer
from rtgenre.types import FloatArray, Window

SILENCE_DBFS = -120.0
"""What digital silence is reported as."""
SEGMENT_SECONDS = 0.25
"""The stretches of a window whose levels tell silence from sound."""


class WindowSlicer:
    """Cuts windows of ``window_samples`` every ``hop_samples``, however the samples arrive.

    The first window ends ``window_samples`` and ``phase_samples`` after the first sample; after a
    gap the count starts anew, so that no window holds audio from both sides of it.
    """

    def __init__(
        self,
        window_samples: int,
        hop_samples: int,
        sample_rate_hz: int,
        phase_samples: int = 0,
    ) -> None:
        if not 1 <= hop_samples <= window_samples:
            raise ValueError(
                f"a hop of {hop_samples} samples was asked for; it must lie between 1 and the "
                f"window's {window_samples}"
            )
        self._window_samples = window_samples
        self._hop_samples = hop_samples
        self._segment_samples = min(window_samples, round(SEGMENT_SECONDS * sample_rate_hz))
        self._sample_rate_hz = sample_rate_hz
        self._ring = RingBuffer(window_samples)
        self._first_end_samples = window_samples + phase_samples
        self._next_end_sample = self._first_end_samples
        # Where the present run of windows began.
        self.run_start_sample = 0

    @property
    def end_sample(self) -> int:
        """Samples taken in so far."""
        return self._ring.end_sample

    @property
    def next_end_sample(self) -> int:
        """Where the next window ends."""
        return self._next_end_sample

    def reset(self) -> None:
        """Begin a new run of windows: the next one holds only samples that are still to come."""
        self.run_start_sample = self._ring.end_sample
        self._next_end_sample = self._ring.end_sample + self._first_end_samples

    def push(self, samples: FloatArray, captured_at: float) -> list[Window]:
        """Take in samples and return the windows that they complete, oldest first.

        Args:
            samples: ``(n_samples,)``, any number of them.
            captured_at: Unix time of the last sample, in seconds.
        """
        windows: list[Window] = []
        pushed_end_sample = self._ring.end_sample + len(samples)
        taken = 0
        while self._next_end_sample <= pushed_end_sample:
            until_window = self._next_end_sample - self._ring.end_sample
            self._ring.write(samples[taken : taken + until_window])
            taken += until_window
            age_seconds = (pushed_end_sample - self._next_end_sample) / self._sample_rate_hz
            windows.append(self._cut(captured_at - age_seconds))
            self._next_end_sample += self._hop_samples
        self._ring.write(samples[taken:])
        return windows

    def _cut(self, captured_at: float) -> Window:
        end_sample = self._next_end_sample
        start_sample = end_sample - self._window_samples
        samples = self._ring.read(start_sample, end_sample)
        return Window(
            samples=samples,
            start_sample=start_sample,
            end_sample=end_sample,
            captured_at=captured_at,
            level_dbfs=rms_dbfs(samples[-self._hop_samples :]),
            levels_dbfs=segment_levels_dbfs(samples, self._segment_samples),
        )


def segment_levels_dbfs(samples: FloatArray, segment_samples: int) -> FloatArray:
    """Return the RMS levels of the whole segments that ``(n_samples,)`` samples end with.

    What is constant in a segment does not count.

    Returns:
        ``(n_samples // segment_samples,)`` dBFS, oldest first, each at least ``SILENCE_DBFS``.
    """
    n_segments = len(samples) // segment_samples
    segments = samples[len(samples) - n_segments * segment_samples :].reshape(n_segments, -1)
    # Cheap converters add a constant, which nobody hears: with it silence would never begin.
    mean_squares = segments.var(axis=1)
    levels = 10.0 * np.log10(np.maximum(mean_squares, 10.0 ** (SILENCE_DBFS / 10.0)))
    return np.asarray(levels, dtype=np.float32)


def rms_dbfs(samples: FloatArray) -> float:
    """Return the RMS level of samples in dBFS, at least ``SILENCE_DBFS``.

    Args:
        samples: ``(n_samples,)`` or ``(n_samples, n_channels)``; what is constant in them does not
            count.
    """
    if len(samples) == 0:
        return SILENCE_DBFS
    mean_square = float(samples.var(axis=0, dtype=np.float64).mean())
    return max(SILENCE_DBFS, 10.0 * float(np.log10(max(mean_square, 1e-12))))
