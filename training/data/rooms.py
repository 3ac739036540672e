"""What rooms, speakers and codecs do to log-mel spectrograms, as a layer that works in training.

One copy of what the heads learn from is heard through it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops, random
from numpy.typing import NDArray

from rtgenre.model.feature_params import MUSICNN_FEATURES, YAMNET_FEATURES
from rtgenre.model.features import YAMNET_LOG_OFFSET
from rtgenre.model.filter_banks import htk_filter_bank, mel_filter_bank

if TYPE_CHECKING:
    from collections.abc import Callable

Tensor = Any
FloatArray = NDArray[np.float32]
_LN_PER_DB = math.log(10.0) / 20.0
_OCTAVES_PER_BAND = 5.0 / 63.0
_TAIL_FRAMES = 64
_TAIL_SECONDS = (0.25, 0.9)
"""Until a tail has fallen by 60 dB."""


@dataclass(frozen=True, slots=True)
class RoomParams:
    """How often each change is made to a window, and how far it goes."""

    equaliser_db: float = 8.0
    dull: float = 0.3
    """Share of windows whose treble falls off, as small speakers, codecs and old recordings do."""
    thin: float = 0.15
    """Share without bass."""
    noise: float = 0.5
    snr_db: tuple[float, float] = (0.0, 30.0)
    reverb: float = 0.3
    mask: float = 0.3
    masked_bands: float = 0.125
    """Of the window's bands at most, and so …"""
    masked_frames: float = 0.1
    """… of its frames."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a log-mel spectrogram is read as magnitudes, and written."""

    to_magnitude: Callable[[Tensor], Tensor]
    from_magnitude: Callable[[Tensor], Tensor]
    silent: float
    """What no sound is written as."""
    positions: FloatArray
    """``(n_bands,)``, where each band lies, counted in YAMNet's bands."""
    frames_per_second: float


def yamnet_scale() -> Scale:
    """Read YAMNet's spectrograms."""
    return Scale(
        to_magnitude=ops.exp,
        from_magnitude=lambda heard: ops.log(ops.maximum(heard, YAMNET_LOG_OFFSET)),
        silent=math.log(YAMNET_LOG_OFFSET),
        positions=np.arange(YAMNET_FEATURES.n_mels, dtype=np.float32),
        frames_per_second=YAMNET_FEATURES.sample_rate_hz / YAMNET_FEATURES.hop_length,
    )


def musicnn_scale() -> Scale:
    """Read musicnn's spectrograms."""
    centres_hz = mel_filter_bank(MUSICNN_FEATURES) @ np.fft.rfftfreq(
        MUSICNN_FEATURES.frame_length, 1.0 / MUSICNN_FEATURES.sample_rate_hz
    )
    centres_hz /= mel_filter_bank(MUSICNN_FEATURES).sum(axis=1)
    yamnets = htk_filter_bank(YAMNET_FEATURES)
    bins_hz = np.fft.rfftfreq(2 * (len(yamnets) - 1), 1.0 / YAMNET_FEATURES.sample_rate_hz)
    yamnets_hz = bins_hz @ yamnets / yamnets.sum(axis=0)
    positions = np.interp(centres_hz, yamnets_hz, np.arange(len(yamnets_hz)))
    return Scale(
        to_magnitude=lambda log_mel: ops.sqrt(ops.maximum(10.0**log_mel - 1.0, 0.0)) / 100.0,
        from_magnitude=lambda heard: ops.log10(1.0 + 10000.0 * ops.square(heard)),
        silent=0.0,
        positions=positions.astype(np.float32),
        frames_per_second=MUSICNN_FEATURES.sample_rate_hz / MUSICNN_FEATURES.hop_length,
    )


class Rooms(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """Changes ``(batch, n_frames, n_bands)`` log-mel spectrograms while training, else nothing.

    Of the same seed, spectrograms of two scales are put into the same rooms.
    """

    def __init__(
        self,
        params: RoomParams | None = None,
        seed: int = 1,
        scale: Scale | None = None,
        **options: Any,
    ) -> None:
        super().__init__(dtype="float32", **options)  # sums of magnitudes need the precision
        self.params = params or RoomParams()
        self.scale = scale or yamnet_scale()
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, windows: Tensor, training: bool = False) -> Tensor:
        """Return the windows, changed while training."""
        if not training:
            return windows
        heard = self.scale.to_magnitude(ops.convert_to_tensor(windows))
        changed = self._reverberate(heard)
        changed = changed * ops.exp(_LN_PER_DB * self._curve_db(windows))
        changed = self._add_noise(changed)
        # The live window is brought to one level after all this.
        loudness = ops.sqrt(_mean_square(heard) / (_mean_square(changed) + 1e-9))
        return self._mask(self.scale.from_magnitude(changed * loudness))

    def _uniform(self, shape: tuple[Any, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        return random.uniform(shape, low, high, seed=self.seed_generator)

    def _chosen(self, n: Any, share: float) -> Tensor:
        return ops.cast(self._uniform((n, 1, 1)) < share, "float32")

    def _reverberate(self, heard: Tensor) -> Tensor:
        """Add an exponentially falling tail."""
        n, _, n_bands = heard.shape
        n = ops.shape(heard)[0]
        frames = np.arange(1, _TAIL_FRAMES + 1)
        wet = 0.0
        for seconds in _TAIL_SECONDS:
            tail = 10.0 ** (-3.0 * frames / (seconds * self.scale.frames_per_second))
            kernel = np.append((tail / np.sqrt((tail**2).sum()))[::-1], 0.0).astype(np.float32)
            padded = ops.pad(heard, ((0, 0), (_TAIL_FRAMES, 0), (0, 0)))
            series = ops.reshape(ops.transpose(padded, (0, 2, 1)), (-1, padded.shape[1], 1))
            smeared = ops.conv(
                series, ops.convert_to_tensor(kernel[:, None, None]), padding="valid"
            )
            smeared = ops.reshape(smeared, (-1, n_bands, heard.shape[1]))
            wet = wet + ops.transpose(smeared, (0, 2, 1)) * self._uniform((n, 1, 1), 0.0, 0.5)
        return heard + wet * self._chosen(n, self.params.reverb)

    def _curve_db(self, windows: Tensor) -> Tensor:
        """Draw gains over frequency: colour, missing treble, missing bass."""
        n = ops.shape(windows)[0]
        phase = self.scale.positions * np.pi / (YAMNET_FEATURES.n_mels - 1)
        waves = np.stack([np.cos(order * phase) / order**0.5 for order in range(1, 6)])
        gains = self._uniform((n, 1, 5), -1.0, 1.0)
        curve = ops.matmul(
            gains, ops.convert_to_tensor(waves * self.params.equaliser_db / 2, dtype="float32")
        )
        bands = ops.convert_to_tensor(self.scale.positions[None, None])
        top, bottom = self._uniform((n, 1, 1), 24.0, 62.0), self._uniform((n, 1, 1), 1.0, 10.0)
        slope = self._uniform((n, 1, 1), 1.0, 8.0)  # dB a band
        dull = ops.relu(bands - top) * slope * self._chosen(n, self.params.dull)
        thin = ops.relu(bottom - bands) * slope * self._chosen(n, self.params.thin)
        return curve - ops.minimum(dull + thin, 60.0)

    def _add_noise(self, heard: Tensor) -> Tensor:
        """Add steady noise of some colour."""
        n, n_frames, n_bands = ops.shape(heard)[0], heard.shape[1], heard.shape[2]
        octaves = ops.convert_to_tensor(self.scale.positions[None, None] * _OCTAVES_PER_BAND)
        colour = ops.exp(-_LN_PER_DB * octaves * self._uniform((n, 1, 1), -3.0, 6.0))
        grain = ops.abs(random.normal((n, n_frames, n_bands), seed=self.seed_generator) * 0.4 + 1.0)
        noise = colour * grain
        snr = ops.exp(-_LN_PER_DB * self._uniform((n, 1, 1), *self.params.snr_db))
        level = ops.sqrt(_mean_square(heard) / _mean_square(noise)) * snr
        added = noise * level * self._chosen(n, self.params.noise)
        return ops.sqrt(ops.square(heard) + ops.square(added))

    def _mask(self, windows: Tensor) -> Tensor:
        """Silence some bands and some frames (SpecAugment, Park et al. 2019)."""
        n = ops.shape(windows)[0]
        kept = 1.0
        for axis, share in ((1, self.params.masked_frames), (2, self.params.masked_bands)):
            length = windows.shape[axis]
            most = share * length
            shape = (1, length, 1) if axis == 1 else (1, 1, length)
            places = ops.reshape(ops.arange(length, dtype="float32"), shape)
            start = self._uniform((n, 1, 1)) * (length - most)
            width = self._uniform((n, 1, 1)) * most * self._chosen(n, self.params.mask)
            inside = ops.logical_and(places >= start, places < start + width)
            kept = kept * (1.0 - ops.cast(inside, "float32"))
        return windows * kept + self.scale.silent * (1.0 - kept)


def _mean_square(heard: Tensor) -> Tensor:
    return ops.mean(ops.square(heard), axis=(1, 2), keepdims=True)
