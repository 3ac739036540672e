"""What a recording is, over time and overall."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rtgenre.audio.samples import check_channel
from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.names import told_path
from rtgenre.tagging.sparing import predict_sparingly
from rtgenre.tracking.silence import holds_sound
from rtgenre.tracking.verdict import say_the_same, track_verdict
from rtgenre.types import Block, UnknownReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.messages.documents import StateDocument
    from rtgenre.model.classifier import Classifier
    from rtgenre.model.info import ModelInfo
    from rtgenre.sources.decode import AudioFile
    from rtgenre.tracking.smoothing import TrackerParams
    from rtgenre.types import Channel, Prediction, Window


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one shown state and genre."""

    start_seconds: float
    end_seconds: float
    genre: str
    """Or ``unknown`` or ``silence``."""
    reason: str | None
    """Why the genre is unknown; None if it is not."""


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """What is shown after a window, and what the model says of it; None if it is partly silent."""

    document: StateDocument
    prediction: Prediction | None


@dataclass(frozen=True, slots=True)
class OverallVerdict:
    """What a recording is as a whole; its fields are those of ``FileVerdict``."""

    genre: str
    reason: str | None
    confidence: float | None
    familiar: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What one file is."""

    path: Path
    genre: str
    """Or ``unknown`` or ``silence``."""
    reason: str | None
    """Why the genre is unknown; None if it is not."""
    confidence: float | None
    """How likely it is that this is the likeliest genre: its probability times ``familiar``; None
    where none was judged."""
    familiar: float
    """Probability that the music is of one of the genres; 1 where there is no music."""
    probabilities: dict[str, float]
    """Of the windows that hold music, together, summing to one; all the same if there are none."""
    sections: tuple[Section, ...]
    remark: str | None
    """What is wrong with the file: it was judged by what could be read."""

    @property
    def seconds(self) -> float:
        """How much was judged."""
        return self.sections[-1].end_seconds - self.sections[0].start_seconds

    @property
    def music_seconds(self) -> float:
        """For how long a genre would have been shown."""
        return sum(
            section.end_seconds - section.start_seconds
            for section in self.sections
            if section.genre not in {"unknown", "silence"}
        )

    def plot(self, axes: Any = None) -> Any:
        """Draw the sections over the spectrogram of the recording, which is read again.

        Args:
            axes: matplotlib's; None makes a new figure, which notebooks show.

        Returns:
            The axes.

        Raises:
            DecodeError: the file can no longer be read.
            RtgenreError: matplotlib is missing: ``pip install 'rtgenre[plot]'``.
        """
        from rtgenre.tagging.file_plot import plot_file

        return plot_file(self, axes)

    def document(self) -> dict[str, Any]:
        """Return the JSON document of ``--json``."""
        return {
            "file": str(self.path),
            "genre": self.genre,
            "reason": self.reason,
            "confidence": self.confidence,
            "familiar_probability": self.familiar,
            "probabilities": self.probabilities,
            "music_seconds": round(self.music_seconds, 3),
            "sections": [asdict(section) for section in self.sections],
        }


def classify_file(
    path: Path,
    classifier: Classifier,
    *,
    channel: Channel,
    hop_seconds: float,
    tracker_params: TrackerParams,
    taught: TaughtGenres | None = None,
    sparing: bool = False,
) -> FileVerdict:
    """Listen to a whole file as the service would.

    Args:
        path: of the file.
        classifier: of this thread.
        channel: ``mix``, ``left``, ``right`` or a number from 1.
        hop_seconds: time between windows.
        tracker_params: how calm or how quick the sections follow the music.
        taught: what the service was taught, if that is to count.
        sparing: hear no window between two that say the same, see ``predict_sparingly``.

    Raises:
        DecodeError: it cannot be read, or is shorter than one window.
    """
    info = classifier.info
    pipeline = Pipeline(
        node="",
        source=told_path(path),
        channel=channel,
        hop_seconds=hop_seconds,
        info=info,
        tracker_params=tracker_params,
    )
    if taught is not None:
        pipeline.follow(taught)
    with closing(open_audio(path)) as file:
        try:
            check_channel(channel, file.n_channels)
        except ValueError as error:
            raise DecodeError(path, str(error)) from error
        windows = list(_judged_windows(file, classifier, pipeline, sparing=sparing))
    if not windows:
        raise too_short(file, info)
    return _file_verdict(path, windows, pipeline.tracker.params, file.remark)


def too_short(file: AudioFile, info: ModelInfo) -> DecodeError:
    """Return the error of a file that was read to its end without filling one window."""
    problem = file.remark or "is shorter than one window"
    needed = f"at least {info.features.window_seconds:g} s of audio are needed"
    return DecodeError(file.path, f"{problem}; {needed}")


def _judged_windows(
    file: AudioFile, classifier: Classifier, pipeline: Pipeline, *, sparing: bool
) -> Iterator[JudgedWindow]:
    params = pipeline.tracker.params

    def predict(window: Window) -> Prediction:
        return classifier.predict_window(window.samples)

    def sounds(window: Window) -> bool:
        below_dbfs = params.silence_below_dbfs
        return holds_sound(window.levels_dbfs.tolist(), below_dbfs=below_dbfs)

    def alike(stretch: Sequence[Window], first: Prediction, last: Prediction) -> bool:
        return all(map(sounds, stretch)) and say_the_same(
            pipeline.judged(first), pipeline.judged(last), params
        )

    windows = _windows(file, pipeline)
    heard = (
        predict_sparingly(windows, predict=predict, alike=alike)
        if sparing
        else ((window, predict(window)) for window in windows)
    )
    for window, prediction in heard:
        document = pipeline.conclude(window, prediction, latency_seconds=0.0)
        yield JudgedWindow(document, pipeline.judged(prediction) if sounds(window) else None)


def _windows(file: AudioFile, pipeline: Pipeline) -> Iterator[Window]:
    for samples in file.blocks():
        yield from pipeline.push(Block(samples, file.sample_rate_hz, captured_at=0.0))
    yield from pipeline.finish()


def overall_verdict(
    predictions: Sequence[Prediction], labels: Sequence[str], params: TrackerParams
) -> OverallVerdict:
    """Judge a recording by its windows that sound to their end; none of them is silence."""
    verdict = track_verdict(predictions, params, n_labels=len(labels))
    genre = "silence" if not predictions else "unknown"
    if verdict.genre_index is not None:
        genre = labels[verdict.genre_index]
    rounded = [round(float(probability), 5) for probability in verdict.probabilities]
    return OverallVerdict(
        genre=genre,
        reason=verdict.reason if genre == "unknown" else None,
        confidence=(
            None if verdict.reason == UnknownReason.NOT_MUSIC else round(verdict.confidence, 5)
        ),
        familiar=round(verdict.familiar, 5),
        probabilities=dict(zip(labels, rounded, strict=True)),
    )


def _file_verdict(
    path: Path, windows: Sequence[JudgedWindow], params: TrackerParams, remark: str | None
) -> FileVerdict:
    documents = [window.document for window in windows]
    labels = list(documents[0]["probabilities"])
    predictions = [window.prediction for window in windows if window.prediction is not None]
    overall = overall_verdict(predictions, labels, params)
    return FileVerdict(
        path=path,
        genre=overall.genre,
        reason=overall.reason,
        confidence=overall.confidence,
        familiar=overall.familiar,
        probabilities=overall.probabilities,
        sections=tuple(_sections(documents)),
        remark=remark,
    )


def _sections(documents: Sequence[StateDocument]) -> Iterator[Section]:
    start_seconds = documents[0]["window_start_seconds"]
    for heard, group in groupby(documents, key=_heard):
        end_seconds = list(group)[-1]["window_end_seconds"]
        yield Section(start_seconds, end_seconds, *heard)
        start_seconds = end_seconds


def _heard(document: StateDocument) -> tuple[str, str | None]:
    return document["genre"] or document["state"], document["reason"]
