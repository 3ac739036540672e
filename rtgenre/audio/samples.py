"""What happens to samples between a source and the windows: channel, repair, sample rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from rtgenre.types import Channel, FloatArray

# Soxr keeps memory for as much as it was ever given at once, and there may be hundreds of them.
_PIECE_SAMPLES = 8192
CLIPPED_FROM = 0.999
"""Samples this close to full scale count as clipped: converters stop at or just below it."""


def select_channel(samples: FloatArray, channel: Channel) -> FloatArray:
    """Return one channel of ``(n_samples, n_channels)``, as ``(n_samples,)``.

    Args:
        samples: any number of channels.
        channel: ``mix`` is the mean of all; ``left`` is the first, ``right`` the second; a number
            counts from 1.

    Raises:
        ValueError: the input does not have that channel.
    """
    n_channels = samples.shape[1]
    check_channel(channel, n_channels)
    if channel == "mix":
        return _mixed(samples)
    return samples[:, _channel_number(channel) - 1]


def _mixed(samples: FloatArray) -> FloatArray:
    if samples.shape[1] == 1:
        return samples[:, 0]
    # Columns as a whole: numpy is ten times as slow along an axis that is that short.
    total = samples[:, 0] + samples[:, 1]
    for column in range(2, samples.shape[1]):
        total += samples[:, column]
    total /= np.float32(samples.shape[1])
    return total


def check_channel(channel: Channel, n_channels: int) -> None:
    """Do nothing if an input of ``n_channels`` has ``channel``.

    Raises:
        ValueError: it does not; the message says what there is.
    """
    if channel == "mix" or 1 <= _channel_number(channel) <= n_channels:
        return
    raise ValueError(
        f"channel {channel!r} was asked for; this input has {channels_in_words(n_channels)}"
    )


def channels_in_words(n_channels: int) -> str:
    """Say how many channels there are, and which may be chosen."""
    if n_channels == 1:
        return "1 channel: use 'mix'"
    return f"{n_channels} channels: use 'mix' or a number from 1 to {n_channels}"


def _channel_number(channel: Channel) -> int:
    return channel if isinstance(channel, int) else {"left": 1, "right": 2}.get(channel, 0)


def sanitise(samples: FloatArray) -> tuple[FloatArray, int, int]:
    """Make samples safe for everything that follows.

    Args:
        samples: any shape; it is left as it is.

    Returns:
        The samples, all finite and within ±1 (the same array where nothing was wrong); how many
        were NaN or infinite and became zero; how many were at or beyond full scale.
    """
    # False for NaN, too.
    if max(samples.max(initial=0.0), -samples.min(initial=0.0)) < CLIPPED_FROM:
        return samples, 0, 0
    finite = np.isfinite(samples)
    n_invalid = samples.size - int(np.count_nonzero(finite))
    repaired = np.where(finite, samples, np.float32(0.0))
    n_clipped = int(np.count_nonzero(np.abs(repaired) >= CLIPPED_FROM))
    return np.clip(repaired, -1.0, 1.0, out=repaired), n_invalid, n_clipped


class Resampler:
    """Changes the sample rate of a mono signal that arrives in blocks of any size.

    The result does not depend on how the blocks fall.
    """

    def __init__(self, input_rate_hz: int, output_rate_hz: int, *, prompt: bool = False) -> None:
        """Prepare.

        Args:
            input_rate_hz: of the samples that go in.
            output_rate_hz: of those that come out.
            prompt: samples come out as soon as they can, 5 to 30 ms behind, which takes ten times
                as much computing. Otherwise they come some 40 ms at a time, more at low rates.
        """
        self.input_rate_hz = input_rate_hz
        self.output_rate_hz = output_rate_hz
        # Samples that went in and came out since the last flush or reset.
        self._n_input = 0
        self._n_output = 0
        # None where there is nothing to change. Soxr's filters for variable rates are the prompt
        # ones; the others are those that training resamples with.
        self._stream = (
            None
            if input_rate_hz == output_rate_hz
            else soxr.ResampleStream(input_rate_hz, output_rate_hz, 1, dtype="float32", vr=prompt)
        )

    @property
    def held_seconds(self) -> float:
        """How much of what was taken in has not come out yet."""
        held_seconds = self._n_input / self.input_rate_hz - self._n_output / self.output_rate_hz
        return max(0.0, held_seconds)

    def push(self, samples: FloatArray) -> FloatArray:
        """Take in ``(n_samples,)`` and return what is ready, ``(n_output_samples,)``."""
        if self._stream is None:
            return samples
        contiguous = np.ascontiguousarray(samples)
        pieces = [
            self._stream.resample_chunk(contiguous[first : first + _PIECE_SAMPLES])
            for first in range(0, max(1, len(samples)), _PIECE_SAMPLES)
        ]
        output: FloatArray = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        self._n_input += len(samples)
        self._n_output += len(output)
        return output

    def flush(self) -> FloatArray:
        """Return what is still inside, ``(n_output_samples,)``, and begin anew."""
        if self._stream is None:
            return np.zeros(0, dtype=np.float32)
        tail: FloatArray = self._stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget what is inside: after a gap it must not reach into the new audio."""
        self._n_input = self._n_output = 0
        if self._stream is not None:
            self._stream.clear()


class DigitalSilenceWatch:
    """Notices an input of nothing but zeros, which no microphone delivers.

    A muted input, a monitor of an idle sink or a permission that was refused sound like that.
    """

    def __init__(self, after_seconds: float = 60.0) -> None:
        self._after_seconds = after_seconds
        # How long there have been only zeros.
        self._zero_seconds = 0.0

    @property
    def is_silent(self) -> bool:
        """Whether there were only zeros for ``after_seconds`` or longer."""
        return self._zero_seconds >= self._after_seconds

    def push(self, samples: FloatArray, sample_rate_hz: int) -> bool:
        """Take in samples of any shape, time on the first axis, and return ``is_silent``."""
        # Sound rarely has a zero where a block ends: most need no look at all of it.
        if samples[-1:].any() or samples.any():
            self._zero_seconds = 0.0
        else:
            self._zero_seconds += len(samples) / sample_rate_hz
        return self.is_silent
