"""Turn a trained network into a model folder that the service runs.

``python -m training.export RUN MODELS/NAME --data DATASET`` converts ``RUN/model.keras`` to TFLite
with weights in float32, float16 and int8, compares each with Keras on real windows, judges the
chosen one as ``training.evaluate`` does, and writes ``model.tflite``, ``model.keras``,
``model.json``, the card (``README.md``) and its plots.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from rtgenre.classifier import KERAS_FILE_NAME, LiteRtNetwork
from rtgenre.model_info import TFLITE_FILE_NAME, ModelError, ModelInfo, write_model_info
from training.card import model_card
from training.dataset import (
    FEATURES,
    DatasetError,
    FloatArray,
    IntArray,
    Track,
    genre_indices,
    stack_windows,
)
from training.evaluate import Material, evaluate, load_classifier, load_split
from training.runs import RunInfo, read_run

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT_TOLERANCE = 1e-4
"""Largest difference of a probability between Keras and the float32 TFLite."""
TOLERANCE_POINTS = 2.0
"""Most points of window accuracy that smaller weights may lose if they are to ship."""


class Weights(StrEnum):
    """How a TFLite file keeps its weights."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    """Half the size; computed with in float32."""
    INT8 = "int8"
    """A quarter of the size; computed with in 8 bits (dynamic range)."""

    @property
    def file_name(self) -> str:
        """Of the TFLite file in a run's folder."""
        return f"{self}.tflite"


class ExportError(Exception):
    """A converted network does not do what the trained one does."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How a converted network compares with the trained one, on real windows."""

    largest_difference: float
    """Of any output."""
    points_lost: float
    """Of window accuracy; negative where the converted one is better."""


def convert(model: keras.Model, weights: Weights = Weights.FLOAT32) -> bytes:
    """Convert a network to TFLite, for one window at a time.

    The recurrent layers only convert with a fixed batch size, so the network is rebuilt with one.

    Args:
        model: ``(batch, n_frames, n_mels)`` to ``(batch, n_outputs)``.
        weights: how they are kept.
    """
    import tensorflow as tf  # noqa: PLC0415 - training may run on another backend

    window = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="window")
    single = keras.models.clone_model(model, input_tensors=window)
    single.set_weights(model.get_weights())
    function = tf.function(lambda features: single(features, training=False))
    signature = tf.TensorSpec(window.shape, tf.float32)
    # The model itself must not be passed as second argument: that gives an error, or NaN.
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    if weights != Weights.FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == Weights.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def compare(expected: FloatArray, found: FloatArray, truth: IntArray, n_labels: int) -> Parity:
    """Compare what the trained network and the converted one say of the same windows.

    Args:
        expected: ``(n_windows, n_outputs)``, by the trained one.
        found: the same, by the converted one.
        truth: ``(n_windows,)``, index of each window's genre.
        n_labels: how many of the outputs are genres.
    """
    accuracies = [
        float((outputs[:, :n_labels].argmax(axis=1) == truth).mean())
        for outputs in (expected, found)
    ]
    return Parity(
        largest_difference=float(np.abs(expected - found).max()),
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
            that was not; it is judged too, and the card shows both.
        version: of the model; None for today's date.

    Raises:
        DatasetError: a run or the material cannot be read.
        ExportError: a converted network differs too much from the trained one.
    """
    parity = _convert_all(run_folder, load_split(material.data, material.split), weights)
    run = read_run(run_folder)
    today = datetime.now(UTC)
    version = version or f"{today.year}.{today.month}.{today.day}"
    info = _fill_folder(run, run_folder, folder, weights.file_name, version)
    scores = {
        **evaluate(load_classifier(str(folder)), material, plots=folder),
        "export": {
            **parity,
            "shipped": str(weights),
            "tflite_bytes": (folder / TFLITE_FILE_NAME).stat().st_size,
        },
    }
    if held_out_run:
        model = _load(held_out_run)
        (held_out_run / weights.file_name).write_bytes(convert(model, weights))
        judged = held_out_run / "judged"
        _fill_folder(read_run(held_out_run), held_out_run, judged, weights.file_name, version)
        scores["held_out"] = evaluate(load_classifier(str(judged)), material, plots=folder)
    info = replace(info, scores=scores)
    write_model_info(info, folder)
    (folder / "README.md").write_text(model_card(info, run.about, run.credits), encoding="utf-8")
    return info


def _load(run_folder: Path) -> keras.Model:
    path = run_folder / KERAS_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run_folder} has no {KERAS_FILE_NAME}; its training has not ended")
    return keras.models.load_model(path, compile=False)


def _fill_folder(
    run: RunInfo, run_folder: Path, folder: Path, tflite_name: str, version: str
) -> ModelInfo:
    """Write what the service needs: both networks and ``model.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run_folder / tflite_name, folder / TFLITE_FILE_NAME)
    shutil.copyfile(run_folder / KERAS_FILE_NAME, folder / KERAS_FILE_NAME)
    info = ModelInfo(
        name=run.name,
        version=version,
        labels=run.labels,
        features=FEATURES,
        has_music_output=run.has_music_output,
        data={**run.data, "git_commit": run.git_commit},
    )
    write_model_info(info, folder)
    return info


def _convert_all(run_folder: Path, tracks: Sequence[Track], shipped: Weights) -> dict[str, float]:
    """Write all TFLite files of a run, and hold each against the trained network.

    Raises:
        ExportError: the one in float32, or the one that is to ship, differs too much.
    """
    run, model = read_run(run_folder), _load(run_folder)
    windows = stack_windows(tracks)
    truth = genre_indices(tracks, run.labels)[windows.track_index]
    expected = np.asarray(model.predict(windows.features, batch_size=64, verbose=0))
    parities = {}
    for weights in Weights:
        print(f"converting to {weights.file_name}", file=sys.stderr)
        path = run_folder / weights.file_name
        path.write_bytes(convert(model, weights))
        found = LiteRtNetwork(path, threads=1).run(windows.features)
        parities[weights] = compare(expected, found, truth, len(run.labels))
    difference = parities.pop(Weights.FLOAT32).largest_difference
    if not difference <= FLOAT_TOLERANCE:
        raise ExportError(
            f"the float32 TFLite differs by {difference:.1e} from Keras; "
            f"at most {FLOAT_TOLERANCE:.0e} is allowed"
        )
    if shipped in parities and not parities[shipped].points_lost <= TOLERANCE_POINTS:
        raise ExportError(
            f"the {shipped} TFLite loses {parities[shipped].points_lost:.1f} points of window "
            f"accuracy; at most {TOLERANCE_POINTS:g} are allowed"
        )
    return {
        "float32_largest_difference": difference,
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
    parser.add_argument("--data", type=Path, required=True, help="a dataset, or a folder of music")
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
        default=Weights.FLOAT16,
        help="how the TFLite that ships keeps them; default: %(default)s",
    )
    parser.add_argument("--model-version", help="of the model; default: today's date")
    args = parser.parse_args(arguments)
    material = Material(args.data, args.split, args.negatives, args.conditions)
    try:
        info = export(
            args.run,
            args.folder,
            material,
            weights=args.weights,
            held_out_run=args.held_out,
            version=args.model_version,
        )
    except (DatasetError, ExportError, ModelError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{args.folder}: window accuracy {info.scores['window_accuracy']:.1%}")


if __name__ == "__main__":
    main()
