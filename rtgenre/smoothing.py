"""From one prediction a window to what is shown: smoothing, hysteresis, unknown and silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgenre.types import FloatArray, GenreState, PlayState, Prediction

_PROBABILITY_FLOOR = 1e-4
"""Keeps one confident mistake from outweighing many right windows in the log domain."""


@dataclass(frozen=True, slots=True)
class TrackerParams:
    """How calm or how quick the shown genre is; ``config.toml`` says what each does to the eye."""

    time_constant_seconds: float = 4.0
    """Of the exponential smoothing of log-probabilities; 0 turns it off."""
    switch_margin: float = 0.05
    """A new genre must lead the shown one by this much smoothed probability …"""
    switch_hold_seconds: float = 2.0
    """… for this long before it is shown."""
    unknown_below: float = 0.3
    """No genre is shown while the likeliest one has less smoothed probability than this."""
    music_below: float = 0.5
    """No genre is shown while the smoothed probability of music is less than this."""
    silence_below_dbfs: float = -60.0
    silence_after_seconds: float = 3.0
    """Silence is shown once the level has stayed below for this long."""


class GenreTracker:
    """Follows one source's predictions; a pure fold, with time counted by the caller in seconds.

    Probabilities are smoothed as log-probabilities (a geometric mean with exponentially fading
    weights), so that windows count as independent evidence. A change is shown when it has led by
    ``switch_margin`` for ``switch_hold_seconds``; the first genre after silence is shown at once.
    """

    def __init__(self, n_labels: int, params: TrackerParams) -> None:
        self._n_labels = n_labels
        self.params = params
        # Smoothed log-probabilities and probability of music; None until the first window.
        self._log_probabilities: FloatArray | None = None
        self._music = 0.0
        self._last_seconds = 0.0
        # Index of the shown genre (None while unknown or silence) and since when.
        self._shown: int | None = None
        self._state = PlayState.UNKNOWN
        self._shown_since_seconds: float | None = None
        # What is about to replace it (-1: unknown), and since when it has led.
        self._challenger: int | None = None
        self._challenger_since_seconds = 0.0
        self._quiet_since_seconds: float | None = None
