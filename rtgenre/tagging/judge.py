"""Judges one song, in whatever process or on whatever machine it is asked to."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from rtgenre.errors import one_line
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError
from rtgenre.sources.decoder import DecodeError
from rtgenre.tagging.file_verdict import classify_file, overall_verdict
from rtgenre.tagging.hearing import predict_sample
from rtgenre.tagging.remote import local_copy
from rtgenre.tagging.song import Row
from rtgenre.tagging.song_tags import read_tags

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.model.info import ModelInfo
    from rtgenre.tagging.song import Song
    from rtgenre.tagging.song_tags import SongTags
    from rtgenre.tracking.smoothing import TrackerParams
    from rtgenre.types import Channel

# Interpreters cannot be shared by threads, of which a cluster's worker has several.
_loaded = threading.local()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges songs by the same model and settings; can be sent to other processes."""

    model_folder: str
    """A shipped model's name, or a folder, on the machine that judges."""
    model: tuple[str, str]
    """Which model is expected there; see ``model_of``."""
    channel: Channel
    hop_seconds: float | None
    """Time between windows, all of which are heard; None for one after another, of which those are
    heard that differ from their neighbours."""
    sample_seconds: float | None
    """How much of each song is heard at most; None for all of it."""
    tracker_params: TrackerParams
    taught: TaughtGenres | None = None
    """What the service was taught, if that is to count."""

    @property
    def row_model(self) -> tuple[str, str]:
        """Name and checksum as rows have them: another hop, or what was taught, changes it."""
        name, checksum = self.model
        hop = "" if self.hop_seconds is None else f"+{self.hop_seconds:g}s"
        taught = "" if self.taught is None else f"+{self.taught.checksum}"
        return name, checksum + hop + taught

    def __call__(self, song: Song) -> Row:
        """Return the row of a song; one that cannot be judged has a fault and no genre.

        Raises:
            ModelError: the model cannot be used here, or is another one.
        """
        classifier = _classifier(self.model_folder, self.model)
        unjudged = Row(song.path, song.size, song.modified)
        model, model_checksum = self.row_model
        row = replace(
            unjudged,
            model=model,
            model_checksum=model_checksum,
            sample_seconds=self.sample_seconds,
        )
        try:
            with local_copy(song.location) as path:
                tags = read_tags(path)
                row = replace(row, title=tags.title, artist=tags.artist, album=tags.album)
                hear = self._heard_whole if self.sample_seconds is None else self._heard_in_part
                return hear(row, path, classifier, tags)
        except DecodeError as error:
            # What may pass is tried again by the next run: no model has judged it yet.
            return replace(unjudged if error.may_pass else row, fault=one_line(error.problem))

    def _heard_whole(self, row: Row, path: Path, classifier: Classifier, tags: SongTags) -> Row:
        verdict = classify_file(
            path,
            classifier,
            channel=self.channel,
            hop_seconds=self.hop_seconds or classifier.info.features.window_seconds,
            tracker_params=self.tracker_params,
            taught=self.taught,
            sparing=self.hop_seconds is None,
        )
        return replace(
            row,
            duration_seconds=round(tags.seconds or verdict.sections[-1].end_seconds, 3),
            genre=verdict.genre,
            reason=verdict.reason,
            confidence=verdict.confidence,
            probabilities=verdict.probabilities,
            sections=tuple(asdict(section) for section in verdict.sections),
            fault=_told(verdict.remark),
        )

    def _heard_in_part(self, row: Row, path: Path, classifier: Classifier, tags: SongTags) -> Row:
        sample = predict_sample(
            path,
            classifier,
            sample_seconds=self.sample_seconds or 0.0,
            channel=self.channel,
            silence_below_dbfs=self.tracker_params.silence_below_dbfs,
            tagged_seconds=tags.seconds,
        )
        predictions, labels = sample.predictions, classifier.info.labels
        if self.taught is not None:
            predictions = tuple(self.taught.apply(one) for one in predictions)
            labels = self.taught.labels
        verdict = overall_verdict(predictions, labels, self.tracker_params)
        return replace(
            row,
            duration_seconds=round(sample.seconds, 3),
            genre=verdict.genre,
            reason=verdict.reason,
            confidence=verdict.confidence,
            probabilities=verdict.probabilities,
            fault=_told(sample.remark),
        )


def _told(remark: str | None) -> str | None:
    return None if remark is None else one_line(remark)


def model_of(info: ModelInfo) -> tuple[str, str]:
    """Return a model's name with its version, and its checksum, as rows have them."""
    name = f"{info.name} {info.version}"
    return name, info.identity.removeprefix(name).strip()


def _classifier(folder: str, model: tuple[str, str]) -> Classifier:
    """Load the model once in each thread.

    Raises:
        ModelError: it cannot be used, or is another one.
    """
    classifiers: dict[tuple[str, tuple[str, str]], Classifier] = _loaded.__dict__.setdefault(
        "classifiers", {}
    )
    key = (folder, model)
    if key not in classifiers:
        classifier = Classifier.load(find_model_folder(folder))
        found = model_of(classifier.info)
        if found != model:
            raise ModelError(
                f"the model {folder} is {' '.join(found)} on this worker; {' '.join(model)} is "
                "asked for: install the same version of rtgenre, or the same model, there"
            )
        classifiers[key] = classifier
    return classifiers[key]
