"""Turn a trained network into a model folder that the service runs.

``python -m training.export RUN MODELS/NAME --data DATASET`` converts ``RUN/model.keras`` to TFLite
with weights in float32, float16 and mixed, compares each with Keras on real windows, judges the
chosen one as ``training.evaluate`` does, and writes ``model.tflite``, ``model.json``, the card
(``README.md``) and its plots. ``DATASET`` holds spectrograms (for the CNN), or there are several
libraries of recordings (for the CRNN).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from rtgenre.model.classifier import LiteRtNetwork
from rtgenre.model.info import TFLITE_FILE_NAME, ModelError, ModelInfo, write_model_info
from training.data.dataset import (
    FEATURES,
    DatasetError,
    FloatArray,
    IntArray,
    genre_indices,
    stack_windows,
)
from training.evaluate import (
    HELD_OUT,
    Material,
    evaluate,
    load_classifier,
    load_split,
    recordings_of,
)
from training.frontends.hearing import windows_of
from training.networks.embedding import EXAMPLES_FILE_NAME
from training.release.card import model_card
from training.release.crnn_card import recordings_card
from training.release.runs import KERAS_FILE_NAME, RunInfo, read_run
from training.release.tflite import Weights, convert

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT_TOLERANCE = 1e-4
"""Largest difference of a probability between Keras and the float32 TFLite."""
EMBEDDING_TOLERANCE = 0.01
"""Of a value of the embedding; most lie within ±3."""
TOLERANCE_POINTS = 2.0
"""Most points of window accuracy that smaller weights may lose if they are to ship."""
SAMPLE_RECORDINGS = 60
"""Whose windows converted networks are held against."""


class ExportError(Exception):
    """A converted network does not do what the trained one does."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How a converted network compares with the trained one, on real windows."""

    largest_difference: float
    """Of any probability."""
    largest_embedding_difference: float
    points_lost: float
    """Of window accuracy; negative where the converted one is better."""


def compare(
    expected: FloatArray,
    found: FloatArray,
    truth: IntArray,
    *,
    n_labels: int,
    n_probabilities: int,
) -> Parity:
    """Compare what the trained network and the converted one say of the same windows.

    Args:
        expected: ``(n_windows, n_outputs)``, by the trained one.
        found: the same, by the converted one.
        truth: ``(n_windows,)``, index of each window's genre.
        n_labels: how many of the outputs are genres.
        n_probabilities: how many are probabilities; behind them comes the embedding.
    """
    differences = np.abs(expected - found)
    accuracies = [
        float((outputs[:, :n_labels].argmax(axis=1) == truth).mean())
        for outputs in (expected, found)
    ]
    return Parity(
        largest_difference=float(differences[:, :n_probabilities].max()),
        largest_embedding_difference=float(differences[:, n_probabilities:].max(initial=0.0)),
        points_lost=100.0 * (accuracies[0] - accuracies[1]),
    )


def export(
    run_folder: Path,
    folder: Path,
    material: Material,
    *,
    weights: Weights,
    held_out_run: Path | None = None,
    version: str | None = None,
) -> ModelInfo:
    """Make the model folder ``folder`` of a training run.

    Args:
        run_folder: holds ``model.keras`` and ``run.json``; all TFLite files are kept there.
        folder: made, or overwritten.
        material: what to judge the model on, for its card.
        weights: how the TFLite that ships keeps them.
        held_out_run: where the model was fitted on the material itself, a run of the same recipe
            that was not; it is judged instead, or, of spectrograms, beside it.
        version: of the model; None for today's date.

    Raises:
        DatasetError: a run or the material cannot be read.
        ExportError: a converted network differs too much from the trained one.
    """
    run = read_run(run_folder)
    judged_run = held_out_run or run_folder
    if (
        run.features != FEATURES
        and material.split == HELD_OUT
        and not (judged_run / "held_out.json").exists()
    ):
        raise DatasetError(
            f"{judged_run} was fitted on the held-out artists, too, so what it says of them counts "
            "for nothing; name a run of training.train --hold-out with --held-out"
        )
    parity = _convert_all(run_folder, *_sample(run, material), weights)
    today = datetime.now(UTC)
    version = version or f"{today.year}.{today.month}.{today.day}"
    info = _fill_folder(run, run_folder, folder, weights.file_name, version)
    scores: dict[str, Any] = {}
    if held_out_run:
        (held_out_run / weights.file_name).write_bytes(convert(_load(held_out_run), weights))
        judged = held_out_run / "judged"
        _fill_folder(read_run(held_out_run), held_out_run, judged, weights.file_name, version)
        scores["held_out"] = evaluate(load_classifier(str(judged)), material, plots=folder)
    if run.features == FEATURES or not held_out_run:
        plots = None if held_out_run else folder
        scores |= evaluate(load_classifier(str(folder)), material, plots=plots)
    else:
        scores |= scores.pop("held_out")
        scores |= _further_figures(held_out_run)
    scores["export"] = {
        **parity,
        "shipped": str(weights),
        "tflite_bytes": (folder / TFLITE_FILE_NAME).stat().st_size,
    }
    info = replace(info, scores=scores)
    write_model_info(info, folder)
    write_card = model_card if run.features == FEATURES else recordings_card
    (folder / "README.md").write_text(write_card(info, run.about, run.credits), encoding="utf-8")
    return info


def _sample(run: RunInfo, material: Material) -> tuple[FloatArray, IntArray]:
    """Take windows that converted networks are held against, and their genres."""
    if run.features == FEATURES:
        tracks = load_split(material.data[0], material.split)
        windows = stack_windows(tracks)
        return windows.features, genre_indices(tracks, run.labels)[windows.track_index]
    known = [one for one in recordings_of(material, run.data) if one.genre in run.labels]
    chosen = known[:: max(1, len(known) // SAMPLE_RECORDINGS)]
    features, index = windows_of(chosen, run.features)
    truth = np.array([run.labels.index(one.genre) for one in chosen], dtype=np.int64)
    return features, truth[index]


def _further_figures(run_folder: Path) -> dict[str, Any]:
    """Read what training measured by itself: the yardstick, and the cross-validation."""
    found = {}
    for name in ("held_out", "cross_validation"):
        path = run_folder / f"{name}.json"
        if path.exists():
            found[f"training_{name}"] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _load(run_folder: Path) -> keras.Model:
    path = run_folder / KERAS_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run_folder} has no {KERAS_FILE_NAME}; its training has not ended")
    return keras.models.load_model(path, compile=False)


def _fill_folder(
    run: RunInfo, run_folder: Path, folder: Path, tflite_name: str, version: str
) -> ModelInfo:
    """Write what the service needs: the network and ``model.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run_folder / tflite_name, folder / TFLITE_FILE_NAME)
    (folder / KERAS_FILE_NAME).unlink(missing_ok=True)  # earlier versions kept it beside
    if run.embedding_size:
        shutil.copyfile(run_folder / EXAMPLES_FILE_NAME, folder / EXAMPLES_FILE_NAME)
    info = ModelInfo(
        name=run.name,
        version=version,
        labels=run.labels,
        features=run.features,
        has_music_output=run.has_music_output,
        has_familiar_output=run.has_familiar_output,
        embedding_size=run.embedding_size,
        data={**run.data, "git_commit": run.git_commit},
    )
    write_model_info(info, folder)
    return info


def _convert_all(
    run_folder: Path, windows: FloatArray, truth: IntArray, shipped: Weights
) -> dict[str, float]:
    """Write all TFLite files of a run, and hold each against the trained network.

    Raises:
        ExportError: the one in float32, or the one that is to ship, differs too much.
    """
    run, model = read_run(run_folder), _load(run_folder)
    expected = np.asarray(model.predict(windows, batch_size=64, verbose=0))
    parities = {}
    for weights in Weights:
        print(f"converting to {weights.file_name}", file=sys.stderr)
        path = run_folder / weights.file_name
        path.write_bytes(convert(model, weights))
        found = LiteRtNetwork(path, threads=1).run(windows)
        parities[weights] = compare(
            expected,
            found,
            truth,
            n_labels=len(run.labels),
            n_probabilities=expected.shape[1] - run.embedding_size,
        )
    exact = parities.pop(Weights.FLOAT32)
    for what, difference, allowed in (
        ("probabilities", exact.largest_difference, FLOAT_TOLERANCE),
        ("embedding", exact.largest_embedding_difference, EMBEDDING_TOLERANCE),
    ):
        if not difference <= allowed:
            raise ExportError(
                f"the float32 TFLite's {what} differ by {difference:.1e} from Keras's; "
                f"at most {allowed:.0e} is allowed"
            )
    if shipped in parities and not parities[shipped].points_lost <= TOLERANCE_POINTS:
        raise ExportError(
            f"the {shipped} TFLite loses {parities[shipped].points_lost:.1f} points of window "
            f"accuracy; at most {TOLERANCE_POINTS:g} are allowed"
        )
    return {
        "float32_largest_difference": exact.largest_difference,
        **{f"{weights}_points_lost": parity.points_lost for weights, parity in parities.items()},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder of the training run")
    parser.add_argument("folder", type=Path, help="the model folder to make, such as models/crnn")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="a dataset, or libraries of recordings"
    )
    parser.add_argument("--split", default="valid", help="what to judge it on; default: valid")
    parser.add_argument("--negatives", type=Path, help="dataset made by training.negatives")
    parser.add_argument("--conditions", action="store_true", help="also noise, gain, phone, MP3")
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="RUN",
        help="a run of the same recipe that was not fitted on the split, judged beside it",
    )
    parser.add_argument(
        "--weights",
        type=Weights,
        choices=list(Weights),
        default=Weights.MIXED,
        help="how the TFLite that ships keeps them; default: %(default)s",
    )
    parser.add_argument("--model-version", help="of the model; default: today's date")
    args = parser.parse_args(arguments)
    material = Material(tuple(args.data), args.split, args.negatives, args.conditions)
    try:
        info = export(
            args.run,
            args.folder,
            material,
            weights=args.weights,
            held_out_run=args.held_out,
            version=args.model_version,
        )
    except (DatasetError, ExportError, ModelError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{args.folder}: {info.name} {info.version}")


if __name__ == "__main__":
    main()
