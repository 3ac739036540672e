"""Spectrogram columns for viewers, as the audio comes in; the same whatever the model hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.features import mel_power_spectrogram
from rtgenre.model.filter_banks import mel_filter_bank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rtgenre.types import FloatArray

COLUMNS = FeatureParams()
"""How columns are made: 24 of 93 ms a second, 128 bands up to 11 kHz."""
FLOOR_DB = -100.0
"""What a value of 0 stands for; 255 stands for 0 dB."""


@dataclass(frozen=True, slots=True)
class Column:
    """The mel bands of one STFT frame."""

    values: NDArray[np.uint8]
    """``(n_mels,)``, lowest band first: 0 is ``FLOOR_DB`` or less, 255 is 0 dB, in equal steps."""
    end_seconds: float
    """End of the frame on the source's own clock."""
    captured_at: float
    """Unix time at which that end was heard, in seconds."""


class ColumnMaker:
    """Cuts STFT frames from a stream of samples, however they arrive, and measures their bands.

    Levels are absolute, with 0 dB where a full-scale sine in the lowest band comes close, so that
    loud looks loud.
    """

    def __init__(self, params: FeatureParams = COLUMNS) -> None:
        self._params = params
        # A full-scale sine has a spectral peak of frame_length / 4 under the Hann window.
        reference = (params.frame_length / 4) ** 2 * float(mel_filter_bank(params).max())
        self._reference_db = 10.0 * np.log10(reference)
        # Samples that frames still to come begin with.
        self._rest: FloatArray = np.empty(0, dtype=np.float32)

    def reset(self) -> None:
        """Forget the samples so far: the next frame holds only samples that are still to come."""
        self._rest = np.empty(0, dtype=np.float32)

    def push(self, samples: FloatArray, *, end_seconds: float, captured_at: float) -> list[Column]:
        """Take in samples and return the columns that they complete, oldest first.

        Args:
            samples: ``(n_samples,)``, any number of them, mono, full scale ±1, at
                ``params.sample_rate_hz``.
            end_seconds: end of the last sample on the source's own clock.
            captured_at: Unix time at which it was heard, in seconds.
        """
        params = self._params
        waveform = np.concatenate([self._rest, samples])
        if len(waveform) < params.frame_length:
            self._rest = waveform
            return []
        power = mel_power_spectrogram(waveform, params)  # (n_frames, n_mels)
        self._rest = waveform[len(power) * params.hop_length :]
        decibels = 10.0 * np.log10(np.maximum(power, 1e-20)) - self._reference_db
        scaled = np.clip((decibels - FLOOR_DB) * (255.0 / -FLOOR_DB), 0.0, 255.0)
        values = np.round(scaled).astype(np.uint8)
        ends = params.frame_length + params.hop_length * np.arange(len(power))
        ages = (len(waveform) - ends) / params.sample_rate_hz
        return [
            Column(each, end_seconds - age, captured_at - age)
            for each, age in zip(values, ages.tolist(), strict=True)
        ]
