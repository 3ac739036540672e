"""``rtgenre classify``: what files are, over time and overall."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from rtgenre.audio import check_channel
from rtgenre.classifier import Classifier, find_model_folder
from rtgenre.features import log_mel_spectrogram
from rtgenre.pipeline import Pipeline
from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.folders import expand_paths
from rtgenre.sources.names import told_path
from rtgenre.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtgenre.config import Config
    from rtgenre.payload import StateDocument
    from rtgenre.sources.decode import AudioFile
    from rtgenre.types import Window

_PROBABILITY_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one shown state and genre."""

    start_seconds: float
    end_seconds: float
    title: str
    """The genre, or ``unknown`` or ``silence``."""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What one file is."""

    path: Path
    genre: str
    probabilities: dict[str, float]
    """Mean of the windows' log-probabilities, over those that hold music, summing to one."""
    sections: tuple[Section, ...]
    remark: str | None
    """What is wrong with the file: it was judged by what could be read."""

    def document(self) -> dict[str, Any]:
        """Return the JSON document of ``--json``."""
        return {
            "file": str(self.path),
            "genre": self.genre,
            "confidence": max(self.probabilities.values()),
            "probabilities": self.probabilities,
            "sections": [
                {
                    "start_seconds": section.start_seconds,
                    "end_seconds": section.end_seconds,
                    "genre": section.title,
                }
                for section in self.sections
            ],
        }


def classify_files(paths: Sequence[Path], config: Config, *, as_json: bool) -> int:
    """Print what each file is; return 1 if one could not be used, else 0."""
    classifier = Classifier.load(
        find_model_folder(config.model.folder), threads=config.model.threads
    )
    files, failures = expand_paths(paths)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("classifying", total=len(files), visible=len(files) > 1)
        for file in files:
            try:
                verdict = classify_file(file, classifier, config)
            except DecodeError as error:
                failures.append(str(error))
            else:
                _print(verdict, as_json=as_json)
                if verdict.remark is not None:
                    _tell(f"{told_path(file)}: {verdict.remark}")
            progress.advance(task)
    for failure in failures:
        _tell(failure)
    return 1 if failures else 0


def classify_file(path: Path, classifier: Classifier, config: Config) -> FileVerdict:
    """Listen to a whole file as the service would.

    Raises:
        DecodeError: it cannot be read, or is shorter than one window.
    """
    info = classifier.info
    pipeline = Pipeline(
        node=config.source[0].node,
        source=told_path(path),
        channel=config.source[0].channel,
        hop_seconds=config.windows.hop_seconds,
        info=info,
        tracker_params=config.smoothing.tracker_params(),
    )
    with closing(open_audio(path)) as file:
        try:
            check_channel(config.source[0].channel, file.n_channels)
        except ValueError as error:
            raise DecodeError(path, str(error)) from error
        documents = list(_documents(file, classifier, pipeline))
    if not documents:
        problem = file.remark or "is shorter than one window"
        needed = f"at least {info.features.window_seconds:g} s of audio are needed"
        raise DecodeError(path, f"{problem}; {needed}")
    probabilities = _overall(documents)
    genre = max(probabilities, key=lambda label: probabilities[label])
    if all(document["state"] != "music" for document in documents):
        genre = documents[-1]["state"]
    return FileVerdict(path, genre, probabilities, tuple(_sections(documents)), file.remark)


def _documents(
    file: AudioFile, classifier: Classifier, pipeline: Pipeline
) -> Iterator[StateDocument]:
    for window in _windows(file, pipeline):
        features = log_mel_spectrogram(window.samples, classifier.info.features)
        (prediction,) = classifier.predict(features[None])
        yield pipeline.conclude(window, prediction, latency_seconds=0.0)


def _windows(file: AudioFile, pipeline: Pipeline) -> Iterator[Window]:
    for samples in file.blocks():
        yield from pipeline.push(Block(samples, file.sample_rate_hz, captured_at=0.0))
    yield from pipeline.finish()


def _overall(documents: Sequence[StateDocument]) -> dict[str, float]:
    music = [d for d in documents if d["state"] == "music"] or list(documents)
    raw = np.array([list(document["raw_probabilities"].values()) for document in music])
    means = np.log(np.maximum(raw, _PROBABILITY_FLOOR)).mean(axis=0)
    likelihoods = np.exp(means - means.max())
    labels = documents[0]["raw_probabilities"]
    shares = likelihoods / likelihoods.sum()
    return {label: round(float(share), 5) for label, share in zip(labels, shares, strict=True)}


def _sections(documents: Sequence[StateDocument]) -> Iterator[Section]:
    start_seconds = documents[0]["window_start_seconds"]
    for index, document in enumerate(documents):
        title = document["genre"] or document["state"]
        following = documents[index + 1] if index + 1 < len(documents) else None
        if following is None or (following["genre"] or following["state"]) != title:
            yield Section(start_seconds, document["window_end_seconds"], title)
            start_seconds = document["window_end_seconds"]


def _tell(message: str) -> None:
    print(f"rtgenre: {message}", file=sys.stderr)  # noqa: T201 - a message to the user


def _print(verdict: FileVerdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.document()), flush=True)  # noqa: T201 - this is the output
        return
    ranked = sorted(verdict.probabilities.items(), key=lambda item: -item[1])
    summary = ", ".join(f"{label} {share:.0%}" for label, share in ranked[:3])
    print(f"{told_path(verdict.path)}: {verdict.genre}  ({summary})")  # noqa: T201
    for section in verdict.sections:
        times = f"{_clock(section.start_seconds)} - {_clock(section.end_seconds)}"
        print(f"    {times}  {section.title}")  # noqa: T201


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:2d}:{rest:02d}"
