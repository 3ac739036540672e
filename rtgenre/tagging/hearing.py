"""Windows that are spread over a song, and what the model says of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.audio.samples import check_channel
from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.tagging.file_verdict import too_short
from rtgenre.tagging.sampling import sample_starts
from rtgenre.tagging.song_tags import read_tags
from rtgenre.tracking.silence import holds_sound
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtgenre.model.classifier import Classifier
    from rtgenre.model.info import ModelInfo
    from rtgenre.sources.decode import AudioFile
    from rtgenre.types import Channel, FloatArray, Prediction, Window

# More than a resampler's rounding can take from a window.
_SPARE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SampledSong:
    """What the model says of windows that are spread over a song."""

    seconds: float
    """Length of the song."""
    predictions: tuple[Prediction, ...]
    """Of the windows that sound to their end, in order."""
    remark: str | None
    """What is wrong with the file: it was judged by what could be read."""


def predict_sample(
    path: Path,
    classifier: Classifier,
    *,
    sample_seconds: float,
    channel: Channel = "mix",
    silence_below_dbfs: float = TrackerParams().silence_below_dbfs,
    tagged_seconds: float | None = None,
) -> SampledSong:
    """Hear at most ``sample_seconds`` of a song, spread over it.

    Args:
        path: of the song.
        classifier: of this thread.
        sample_seconds: at least one window is heard.
        channel: ``mix``, ``left``, ``right`` or a number from 1.
        silence_below_dbfs: what is quieter is not judged.
        tagged_seconds: the length that the tags say, if they were read already.

    Raises:
        DecodeError: it cannot be read, or is shorter than one window.
    """
    with closing(open_audio(path)) as file:
        seconds = file.promised_seconds or tagged_seconds or song_seconds(file)
        heard, predictions = 0, []
        for window in sampled_windows(
            file,
            classifier.info,
            seconds=seconds,
            sample_seconds=sample_seconds,
            channel=channel,
        ):
            heard += 1
            if holds_sound(window.levels_dbfs.tolist(), below_dbfs=silence_below_dbfs):
                predictions.append(classifier.predict_window(window.samples))
        if not heard:
            raise too_short(file, classifier.info)
        return SampledSong(seconds, tuple(predictions), file.remark)


def song_seconds(file: AudioFile) -> float:
    """Return how long a file says that it is, itself or in its tags, else how long it was found.

    Raises:
        DecodeError: it cannot be read.
    """
    return file.promised_seconds or read_tags(file.path).seconds or _measured_seconds(file.path)


def _measured_seconds(path: Path) -> float:
    """Read a file to its end, since of some kinds nobody else knows their length, as of WebM."""
    with closing(open_audio(path)) as file:
        return sum(len(block) for block in file.blocks()) / file.sample_rate_hz


def sampled_windows(
    file: AudioFile,
    info: ModelInfo,
    *,
    seconds: float,
    sample_seconds: float,
    channel: Channel = "mix",
) -> Iterator[Window]:
    """Cut windows that are spread over a song; see ``sample_starts``.

    What lies between them is not decoded where the format lets it be passed over.

    Args:
        file: at its beginning.
        info: of the model that is to hear them.
        seconds: the length of the song.
        sample_seconds: how much is heard at most; at least one window is.
        channel: ``mix``, ``left``, ``right`` or a number from 1.

    Raises:
        DecodeError: it cannot be read, or has no such channel.
    """
    try:
        check_channel(channel, file.n_channels)
    except ValueError as error:
        raise DecodeError(file.path, str(error)) from error
    window_seconds = info.features.window_seconds
    pipeline = Pipeline(
        node="",
        source="",
        channel=channel,
        hop_seconds=window_seconds,
        info=info,
        tracker_params=TrackerParams(),
    )
    rate_hz, position = file.sample_rate_hz, 0
    for start_seconds in sample_starts(seconds, window_seconds, sample_seconds):
        start = max(position, round(start_seconds * rate_hz))
        file.skip(start - position)
        samples = _read(file, round((window_seconds + _SPARE_SECONDS) * rate_hz))
        position = start + len(samples)
        # What lies between two windows is a gap, as audio that a device has lost.
        block = Block(samples, rate_hz, captured_at=0.0, gap=True)
        yield from (pipeline.push(block) + pipeline.finish())[:1]


def _read(file: AudioFile, n_frames: int) -> FloatArray:
    """Return ``(n_frames, n_channels)``, fewer at the end."""
    parts = [np.zeros((0, file.n_channels), dtype=np.float32)]
    while n_frames > 0 and len(samples := file.read(n_frames)):
        parts.append(samples)
        n_frames -= len(samples)
    return np.concatenate(parts)
