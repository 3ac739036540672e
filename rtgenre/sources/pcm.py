"""Raw PCM bytes as samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from rtgenre.types import FloatArray

_SAMPLE_TYPES: dict[str, np.dtype[Any]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}
_INT16_FULL_SCALE = np.float32(32768.0)


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """What raw PCM does not say of itself."""

    samples: Literal["s16le", "f32le"]
    """As ffmpeg calls it."""
    sample_rate_hz: int
    n_channels: int


class PcmDecoder:
    """Turns bytes, however they are cut, into whole frames of interleaved samples."""

    def __init__(self, pcm: PcmFormat) -> None:
        self._sample_type = _SAMPLE_TYPES[pcm.samples]
        self._n_channels = pcm.n_channels
        # The beginning of a frame whose rest is still to come.
        self._partial_frame = b""

    @property
    def frame_bytes(self) -> int:
        """Size of one sample of every channel."""
        return int(self._sample_type.itemsize) * self._n_channels

    def push(self, data: bytes) -> FloatArray:
        """Take in bytes and return the frames they complete, ``(n_samples, n_channels)``."""
        data = self._partial_frame + data
        whole_bytes = len(data) // self.frame_bytes * self.frame_bytes
        self._partial_frame = data[whole_bytes:]
        interleaved = np.frombuffer(data[:whole_bytes], dtype=self._sample_type)
        samples: FloatArray = interleaved.reshape(-1, self._n_channels).astype(np.float32)
        if self._sample_type.kind == "i":
            samples /= _INT16_FULL_SCALE
        return samples
