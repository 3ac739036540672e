"""Judge a model: single windows, whole tracks, and what a viewer would see live.

``python -m training.evaluate --data DATASET --split valid`` takes a dataset of spectrograms, or a
folder of music: there ``--split`` chooses by its ``partition.csv``, else by GTZAN's, and ``all``
takes every track. The classifier and the tracker are the service's own. With ``--json`` standard
output holds the figures alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track as progress_bar

from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError
from training.data.audio import AudioFile, find_audio, read_audio, read_tracks
from training.data.dataset import (
    FEATURES,
    DatasetError,
    FloatArray,
    Track,
    load_tracks,
    mel_file,
    splits_of,
)
from training.data.library import OTHER, Recording, held_out_names, read_library
from training.data.splits import GTZAN_PARTITION, read_partition
from training.release.crnn_card import recordings_summary
from training.release.runs import names_fingerprint
from training.scoring import listening, metrics, spectrograms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rtgenre.model.info import ModelInfo
    from rtgenre.types import Prediction
    from training.scoring.outcome import Outcome

T = TypeVar("T")

SHORTEST_SECONDS = 1.0
"""Recordings shorter than a window are repeated to fill one, so that short clips count too."""

_BATCH = 64
_ALL = "all"
HELD_OUT = "held-out"
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Material:
    """What a model is judged on."""

    data: tuple[Path, ...]
    """A dataset of spectrograms, or libraries of recordings."""
    split: str
    negatives: Path | None = None
    """A dataset made by ``training.negatives``."""
    conditions: bool = False
    """Whether to play the recordings in ``data`` under ``training.data.conditions``."""


def load_split(folder: Path, split: str) -> list[Track]:
    """Read the tracks of one split of a dataset, or of a folder of music.

    Raises:
        DatasetError: there are none.
    """
    if mel_file(folder, split).exists() or splits_of(folder):
        return load_tracks(folder, split)
    tracks, faults = read_tracks(
        audio_of_split(folder, split),
        lambda files: _progress(files, "reading"),
        shortest_seconds=SHORTEST_SECONDS,
    )
    for fault in faults:
        print(f"left out: {fault.path}: {fault.reason}", file=sys.stderr)
    if not tracks:
        raise DatasetError(f"none of {len(faults)} files of {split!r} in {folder} can be used")
    return tracks


def audio_of_split(folder: Path, split: str) -> list[AudioFile]:
    """Find a split's music by ``folder/partition.csv``, else by GTZAN's partition.

    Raises:
        DatasetError: there is none.
    """
    files = find_audio(folder)
    if split == _ALL:
        return files
    own = folder / "partition.csv"
    partition = read_partition(own if own.exists() else GTZAN_PARTITION)
    chosen = [file for file in files if partition.get(file.name) == split]
    if not chosen:
        raise DatasetError(
            f"none of {len(files)} files in {folder} is of the split {split!r}; put a "
            f"partition.csv (track,split) beside them, or use --split {_ALL}"
        )
    return chosen


def predictor(classifier: Classifier) -> spectrograms.Predict:
    """Let a classifier predict many windows in batches, with a progress bar."""

    def predict(features: FloatArray) -> list[Prediction]:
        starts = range(0, len(features), _BATCH)
        return [
            prediction
            for start in _progress(starts, "predicting")
            for prediction in classifier.predict(features[start : start + _BATCH])
        ]

    return predict


def load_classifier(name_or_path: str) -> Classifier:
    """Load a model.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    return Classifier.load(find_model_folder(name_or_path))


def recordings_of(material: Material, made_of: Mapping[str, Any]) -> list[Recording]:
    """Find the recordings of a split: ``all``, ``held-out``, or what ``tracks.csv`` names.

    Args:
        material: which libraries and which split.
        made_of: what the model says that it learnt from.

    Raises:
        DatasetError: there are none; or artists of other libraries would be held out than were.
    """
    found = [one for folder in material.data for one in read_library(folder)]
    if material.split == HELD_OUT:
        if made_of.get("fingerprint", "") not in ("", names_fingerprint(one.name for one in found)):
            raise DatasetError(
                "which artists are held out depends on all recordings that the model was made of "
                f"({made_of['music']}); name the folders of just these, not "
                f"{', '.join(map(str, material.data))}"
            )
        names = held_out_names(found)
        return [one for one in found if one.name in names]
    chosen = [one for one in found if material.split in (_ALL, one.split)]
    if not chosen:
        splits = sorted({one.split for one in found if one.split})
        raise DatasetError(
            f"none of {len(found)} recordings is of the split {material.split!r}; found: "
            f"{', '.join(splits) or 'no splits'}; {_ALL!r} and {HELD_OUT!r} are always possible"
        )
    return chosen


def known_recordings(recordings: Sequence[Recording], info: ModelInfo) -> list[Recording]:
    """Leave out music of genres that a model does not have, and name these on standard error.

    Raises:
        DatasetError: none is left.
    """
    known = [one for one in recordings if one.genre in (*info.labels, OTHER)]
    strange = Counter(one.genre for one in recordings) - Counter(one.genre for one in known)
    counts = ", ".join(f"{n} of {genre}" for genre, n in sorted(strange.items()))
    if not known:
        raise DatasetError(
            f"{info.name} knows none of the genres ({counts}); it knows {', '.join(info.labels)}"
        )
    if strange:
        print(f"left out, as {info.name} has no such genre: {counts}", file=sys.stderr)
    return known


def evaluate(classifier: Classifier, material: Material, plots: Path | None) -> dict[str, Any]:
    """Judge a model, on spectrograms if it hears those of the datasets, else on recordings.

    Args:
        classifier: the model.
        material: what to judge it on.
        plots: folder for pictures of confusion and reliability; none without it.

    Raises:
        DatasetError: the material cannot be read, or its genres are not the model's.
    """
    if classifier.info.features == FEATURES:
        return _evaluate_spectrograms(classifier, material, plots)
    return _evaluate_recordings(classifier, material, plots)


def _evaluate_recordings(
    classifier: Classifier, material: Material, plots: Path | None
) -> dict[str, Any]:
    negatives: list[Recording] = []
    if material.negatives:
        negatives = [one for one in read_library(material.negatives) if one.split == "valid"]
        if not negatives:
            raise DatasetError(f"{material.negatives} holds nothing of the split 'valid'")
    figures, outcome = listening.evaluate_recordings(
        classifier,
        known_recordings(recordings_of(material, classifier.info.data), classifier.info),
        negatives,
        conditions=material.conditions,
    )
    if plots:
        _plot_collections(outcome, figures["collections"], plots)
    result: dict[str, Any] = _rounded({"split": material.split, **figures})
    return result


def _evaluate_spectrograms(
    classifier: Classifier, material: Material, plots: Path | None
) -> dict[str, Any]:
    """Judge a model on spectrograms; ``scoring/spectrograms.py`` says what the figures mean."""
    if len(material.data) > 1:
        raise DatasetError(
            f"{classifier.info.name} is judged on one dataset, not on {len(material.data)}"
        )
    labels = classifier.info.labels
    predict = predictor(classifier)
    tracks = load_split(material.data[0], material.split)
    outcome = spectrograms.predict_tracks(predict, labels, tracks)
    figures = {
        "model": {"name": classifier.info.name, "version": classifier.info.version},
        "split": material.split,
        "labels": list(labels),
        **spectrograms.judge_windows(outcome),
        **spectrograms.judge_tracks(outcome),
        "confusion": spectrograms.window_confusion(outcome).tolist(),
        "live": spectrograms.judge_live(predict, labels, tracks),
    }
    if material.negatives:
        negatives = load_tracks(material.negatives, f"negatives_{material.split}")
        figures["negatives"] = spectrograms.judge_negatives(predict, negatives)
    if material.conditions:
        recordings = read_recordings(material.data[0], material.split)
        figures["conditions"] = spectrograms.judge_conditions(predict, labels, recordings)
    if plots:
        _plot(outcome, classifier.info.name, plots)
    result: dict[str, Any] = _rounded(figures)
    return result


def read_recordings(folder: Path, split: str) -> Iterator[tuple[str, FloatArray]]:
    """Read the music of a split that can be decoded and is long enough: genre and waveform."""
    for file in _progress(audio_of_split(folder, split), "playing"):
        try:
            yield file.genre, read_audio(file.path, shortest_seconds=SHORTEST_SECONDS)
        except DatasetError:
            continue


def summary(figures: dict[str, Any]) -> str:
    """Say the main figures in a few lines."""
    if "collections" in figures:
        return recordings_summary(figures)
    live = figures["live"]
    window_low, window_high = figures["window_accuracy_95"]
    track_low, track_high = figures["track_accuracy_95"]
    lines = [
        (
            f"windows  {figures['window_accuracy']:.1%} of {figures['n_windows']} right "
            f"(95 %: {window_low:.1%} to {window_high:.1%}), ECE {figures['ece']:.3f}, "
            f"{figures['music_rejected_share']:.1%} taken for no music"
        ),
        (
            f"tracks   {figures['track_accuracy']:.1%} of {figures['n_tracks']} right "
            f"(95 %: {track_low:.1%} to {track_high:.1%})"
        ),
        (
            f"live     right genre {live['right_share']:.1%} of {live['minutes']:.0f} min "
            f"({live['settled_right_share']:.1%} after 8 s of a track), "
            f"{live['wrong_switches_per_minute']:.2f} wrong switches a minute, "
            f"the genre lost {live['dropouts_per_minute']:.2f} times, "
            f"{live['median_seconds_to_change'] or float('inf'):.1f} s to show a change (median; "
            f"{live['missed_share']:.1%} never)"
        ),
        *(
            f"{label:10} precision {scores['precision']:.2f} recall {scores['recall']:.2f} "
            f"F1 {scores['f1']:.2f}, tracks {scores['track']['recall']:.0%}"
            for label, scores in figures["per_genre"].items()
        ),
    ]
    if "negatives" in figures:
        kinds = figures["negatives"]["by_kind"].items()
        lines.append(
            f"not music: {figures['negatives']['shown_share']:.1%} of windows taken for music ("
            + ", ".join(f"{kind} {share:.1%}" for kind, share in kinds)
            + ")"
        )
    lines += [
        f"{name:18} {points:+.1f} points lost"
        for name, points in figures.get("conditions", {}).get("points_lost", {}).items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="a dataset, or libraries of recordings"
    )
    parser.add_argument(
        "--split", default="valid", help="train, valid, test, all, held-out; default: valid"
    )
    parser.add_argument("--model", default="crnn", help="a model's name or folder; default: crnn")
    parser.add_argument("--negatives", type=Path, help="dataset made by training.negatives")
    parser.add_argument("--conditions", action="store_true", help="noise, gain, phone, MP3: slow")
    parser.add_argument("--plots", type=Path, help="folder for confusion and reliability, as PNG")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, alone")
    args = parser.parse_args(arguments)
    try:
        material = Material(tuple(args.data), args.split, args.negatives, args.conditions)
        figures = evaluate(load_classifier(args.model), material, args.plots)
    except (DatasetError, ModelError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(json.dumps(figures, indent=2) if args.json else summary(figures))


def _plot(outcome: spectrograms.Outcome, name: str, folder: Path) -> None:
    from training.release import plots

    bins = metrics.reliability_bins(outcome.probabilities, outcome.truth)
    ece = metrics.expected_calibration_error(bins)
    truth, predicted = spectrograms.track_verdicts(outcome)
    confusion = metrics.confusion_matrix(truth, predicted, len(outcome.labels))
    plots.plot_confusion(confusion, outcome.labels, f"{name}: tracks, %", folder / "confusion.png")
    plots.plot_reliability(bins, ece, name, folder / "reliability.png")


def _plot_collections(outcome: Outcome, collections: dict[str, Any], folder: Path) -> None:
    from training.release import plots

    for name, figures in collections.items():
        if "confusion" in figures:
            title, path = f"{name}: recordings, %", folder / f"confusion-{name}.png"
            plots.plot_confusion(np.array(figures["confusion"]), outcome.labels, title, path)


def _rounded(value: Any) -> Any:
    """Round every float in a JSON document."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, _DECIMALS) if isinstance(value, float) else value


def _progress(items: Sequence[T], what: str) -> Iterable[T]:
    """Show how far something is, on standard error."""
    return progress_bar(items, what, console=Console(stderr=True))


if __name__ == "__main__":
    main()
