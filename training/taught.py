"""What one correction brings: on the page somebody says that a song is of another genre.

    export OPENBLAS_NUM_THREADS=1
    python -m training.taught --data WORLD GTZAN --model FOLDER

Every recording that the model is wrong about is taught alone, as it would be while it plays. Then
it plays again, one second shifted; and all others are judged anew: those by the same artist, and
those that were right. FOLDER must hold a model that was fitted without ``--split`` (held-out):
``python -m training.export`` makes it of such a run. More threads only wait for each other.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import track as progress_bar

from rtgenre.errors import RtgenreError
from rtgenre.learning.fitting import Ground, lay_ground
from rtgenre.learning.own_model import read_ground_examples
from rtgenre.learning.taught.genres import TaughtGenres, fit_taught
from rtgenre.learning.taught.stretch import taught_stretch
from rtgenre.model.folders import find_model_folder
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import track_verdict
from training.data.dataset import DatasetError
from training.data.library import OTHER, cut_windows, read_sound
from training.evaluate import Material, known_recordings, load_classifier, recordings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtgenre.model.classifier import Classifier
    from rtgenre.types import FloatArray, Prediction
    from training.data.library import Recording

SHIFT_SECONDS = 1.0
"""How much later the windows of a song begin that plays again: no window is the same."""
_NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Song:
    """A recording, and what the model says of its windows."""

    label: int
    artist: str
    """Empty where nobody knows."""
    heard: tuple[Prediction, ...]
    again: tuple[Prediction, ...]
    """Of the windows that begin ``SHIFT_SECONDS`` later."""

    @property
    def verdict(self) -> int:
        """What the model takes it for."""
        return verdict(self.heard)


@dataclass(slots=True)
class Brought:
    """What corrections brought, each for itself, added up."""

    corrections: int = 0
    windows_again: int = 0
    windows_again_right: int = 0
    """Of the corrected songs, when they play again."""
    wrong_by_artist: int = 0
    """Other songs by the artist of a correction that are of its genre and called otherwise."""
    made_right: int = 0
    right: int = 0
    """Other songs that are called right, whoever they are by."""
    made_wrong: int = 0

    def add(self, other: Brought) -> None:
        """Count another correction, too."""
        for field in fields(Brought):
            value = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, value)

    def lines(self) -> str:
        """Say it in words."""

        def share(part: int, whole: int) -> str:
            return f"{100 * part / whole:.2f} % of {whole}" if whole else "none"

        again = share(self.windows_again_right, self.windows_again)
        by_artist = share(self.made_right, self.wrong_by_artist)
        return "\n".join(
            [
                f"songs corrected, each for itself      {self.corrections}",
                f"the same song again, windows right    {again}",
                f"wrong ones by its artist made right   {by_artist}",
                f"right ones made wrong                 {share(self.made_wrong, self.right)}",
            ]
        )


def hear(recordings: Sequence[Recording], classifier: Classifier) -> Iterator[Song]:
    """Play recordings of the model's genres."""
    labels, params = classifier.info.labels, classifier.info.features

    def judged(waveform: FloatArray) -> tuple[Prediction, ...]:
        windows = cut_windows(waveform, params.sample_rate_hz)
        return tuple(classifier.predict_window(np.ascontiguousarray(one)) for one in windows)

    for one in recordings:
        waveform = read_sound(one.path, params.sample_rate_hz)
        shifted = waveform[round(SHIFT_SECONDS * params.sample_rate_hz) :]
        artist = "" if one.artist in {_NOBODY, one.name} else one.artist
        yield Song(labels.index(one.genre), artist, judged(waveform), judged(shifted))


def correct(songs: Sequence[Song], ground: Ground, labels: Sequence[str]) -> Iterator[Brought]:
    """Correct every song that is called by a wrong name, each for itself."""
    wrong = [song for song in songs if song.verdict != song.label]
    right = [song for song in songs if song.verdict == song.label]
    for song in wrong:
        genre = labels[song.label]
        stretch = taught_stretch("", genre, (0.0, 60.0), song.heard)
        taught = fit_taught(ground, labels, [stretch])
        others = [
            one
            for one in wrong
            if one is not song and (one.artist, one.label) == (song.artist, song.label)
        ]
        again = [int(taught.apply(one).probabilities.argmax()) for one in song.again]
        yield Brought(
            corrections=1,
            windows_again=len(again),
            windows_again_right=again.count(song.label),
            wrong_by_artist=len(others) if song.artist else 0,
            made_right=_n_right(taught, others) if song.artist else 0,
            right=len(right),
            made_wrong=len(right) - _n_right(taught, right),
        )


def verdict(predictions: Sequence[Prediction]) -> int:
    """Say which genre a song is likeliest of."""
    n_labels = len(predictions[0].probabilities)
    found = track_verdict(predictions, TrackerParams(), n_labels=n_labels)
    return int(found.probabilities.argmax())


def _n_right(taught: TaughtGenres, songs: Sequence[Song]) -> int:
    return sum(verdict([taught.apply(one) for one in song.heard]) == song.label for song in songs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.taught",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="libraries")
    parser.add_argument("--split", default="held-out", help="train, valid, test, all; held-out")
    parser.add_argument("--model", default="crnn", help="name or folder: crnn")
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    options = parser.parse_args(arguments)
    material = Material(tuple(options.data), options.split)
    try:
        classifier = load_classifier(options.model)
        info = classifier.info
        examples = read_ground_examples(find_model_folder(options.model), info)
        found = known_recordings(recordings_of(material, info.data), info)
    except (DatasetError, RtgenreError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    recordings = [one for one in found if one.genre != OTHER]
    console = Console(stderr=True)
    heard = hear(recordings, classifier)
    songs = list(progress_bar(heard, "playing", console=console, total=len(recordings)))
    ground = lay_ground(examples, len(info.labels))
    brought = Brought()
    n_wrong = sum(song.verdict != song.label for song in songs)
    corrections = correct(songs, ground, info.labels)
    for one in progress_bar(corrections, "correcting", console=console, total=n_wrong):
        brought.add(one)
    print(json.dumps(asdict(brought)) if options.json else brought.lines())


if __name__ == "__main__":
    main()
