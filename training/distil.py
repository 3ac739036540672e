"""Teach the ear: YAMNet's convolutions learn to hear in music what four teachers hear.

    python -m training.distil RUN --library WORLD GTZAN --teachers WEIGHTS

plays excerpts of recordings to the teachers, and trains the ear to say the same of them while it
hears them through rooms. No label is used. Writes ``ear.keras``, ``lessons_*.npz``, ``run.json``,
the curves and a checkpoint, from which the same command goes on where it was stopped.

``--hold-out`` keeps a fifth of all artists, and GTZAN's ``valid``, from it: what an ear hears of
music that it was not taught on is judged there. ``--begin-with RUN`` goes on from such an ear.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from training.data.dataset import DatasetError
from training.data.library import held_out_names, read_library
from training.data.rooms import Rooms
from training.frontends import yamnet
from training.frontends.ear import EAR_FILE_NAME, build_ear, build_pupil, build_yamnet
from training.frontends.lessons import Lessons, Plan, make_lessons
from training.frontends.mn04 import build_mn04
from training.frontends.musicnn import build_musicnn, read_jamendo, read_million_songs
from training.networks.batches import ShuffledBatches
from training.networks.fitting import compile_once, optimiser, said_loss
from training.release.plots import plot_curves
from training.release.runs import claim_folder, git_commit, names_fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray
    from training.data.library import Recording

TEACHER_WEIGHTS = {"mn04": 1.0, "jamendo": 1.0, "million_songs": 1.0, "yamnet": 0.5}
"""How much what each says counts."""
_RECORDINGS_A_PART = 100
"""Whose lessons are written together, while lessons are made: a stopped run loses no more."""


@dataclass(frozen=True, slots=True)
class DistilOptions:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 10
    batch_size: int = 128
    peak_learning_rate: float = 1e-3
    weight_decay: float = 1e-4


@dataclass(frozen=True, slots=True)
class Teachers:
    """All of them, asked together."""

    models: dict[str, keras.Model]
    """Each takes sound at the rate that its input is named by."""

    @classmethod
    def load(cls, weights: Path) -> Teachers:
        """Build them of their weights, those in a folder and those in packages."""
        models = [
            build_mn04(weights, 128000),
            build_musicnn(read_jamendo(weights), 64000),
            build_musicnn(read_million_songs(), 64000),
            build_yamnet(yamnet.load_yamnet(), 64000),
        ]
        return cls({model.name: model for model in models})

    def __call__(self, at_16k: FloatArray, at_32k: FloatArray) -> FloatArray:
        """Ask them: ``(n, n_samples)`` each to ``(n, n_taught)``."""
        return np.concatenate(
            [
                np.asarray(model.predict_on_batch(at_32k if name == "mn04" else at_16k))
                for name, model in self.models.items()
            ],
            axis=1,
        )

    def spread(self, said: np.ndarray) -> FloatArray:
        """Give each value's standard deviation; of rare ones at least a third of their teacher's.

        Args:
            said: ``(n, n_taught)``.
        """
        deviation = said.astype(np.float32).std(axis=0)
        ends = np.cumsum([model.output_shape[-1] for model in self.models.values()])
        return np.concatenate(
            [np.maximum(part, part.mean() / 3) for part in np.split(deviation, ends[:-1])]
        )

    def importance(self) -> FloatArray:
        """Say how much each value counts: ``(n_taught,)``, summing to one."""
        parts = [
            np.full(model.output_shape[-1], TEACHER_WEIGHTS[name] / model.output_shape[-1])
            for name, model in self.models.items()
        ]
        together = np.concatenate(parts)
        return np.asarray(together / together.sum(), np.float32)


def distil(
    libraries: Sequence[Path],
    weights: Path,
    run_folder: Path,
    options: DistilOptions,
    *,
    hold_out: bool,
    begin_with: Path | None,
) -> None:
    """Teach the ear and write its run folder.

    Args:
        libraries: folders of recordings.
        weights: folder with the teachers' weights.
        run_folder: written; if it holds a stopped run of the same options, that goes on.
        options: all settings.
        hold_out: whether some artists are kept for judging; else all recordings teach.
        begin_with: run whose ear, and lessons, are taken; YAMNet without it.

    Raises:
        DatasetError: the recordings cannot be read, or the folder holds a run of other options.
    """
    keras.utils.set_random_seed(options.seed)
    recordings = [one for folder in libraries for one in read_library(folder)]
    recipe = asdict(options) | {
        "recordings": names_fingerprint(one.name for one in recordings),
        "hold_out": hold_out,
        "begin_with": str(begin_with.resolve()) if begin_with else "yamnet",
    }
    del recipe["epochs"]  # a run that has ended may go on for more
    claim_folder(run_folder, recipe, "checkpoint", "lessons_*.npz")
    teachers = Teachers.load(weights)
    parts = _all_lessons(begin_with or run_folder, recordings, teachers, options)
    train = parts["taught"] if hold_out else Lessons.joined(list(parts.values()))
    ear = (
        keras.models.load_model(begin_with / EAR_FILE_NAME, compile=False)
        if begin_with
        else build_ear(yamnet.load_yamnet())
    )
    pupil = build_pupil(ear, train.said.shape[1])
    window = keras.Input(ear.input_shape[1:])
    taught = keras.Model(window, pupil(Rooms(seed=options.seed)(window)))
    batches = ShuffledBatches(
        train.heard, train.said, options.batch_size, options.seed, drop_last=True, workers=4
    )
    spread = teachers.spread(train.said)
    _begin_with_mean(pupil, train.said)
    compile_once(
        taught,
        optimiser(options.peak_learning_rate, options.weight_decay, options.epochs, len(batches)),
        said_loss(spread, teachers.importance()),
    )
    history = _fit(taught, batches, parts["held_out"], run_folder, options)
    ear.save(run_folder / EAR_FILE_NAME)
    ear.save_weights(run_folder / "ear.weights.h5")
    plot_curves(history, "the ear", run_folder / "curves.png")
    report = {
        "options": asdict(options),
        "lessons": {name: len(part.heard) for name, part in parts.items()},
        "held_out": hold_out,
        "begin_with": str(begin_with) if begin_with else "yamnet",
        "unexplained_share": {name: values[-1] for name, values in history.items()},
        "unexplained_by_teacher": _unexplained(pupil, parts["held_out"], spread, teachers),
        "git_commit": git_commit(),
    }
    (run_folder / "run.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["unexplained_by_teacher"]))


def _all_lessons(
    folder: Path, recordings: Sequence[Recording], teachers: Teachers, options: DistilOptions
) -> dict[str, Lessons]:
    """Make the lessons of the recordings that teach, and of those that are held out."""
    held_out = held_out_names(recordings)
    chosen = {
        "taught": [one for one in recordings if one.name not in held_out],
        "held_out": [one for one in recordings if one.name in held_out],
    }
    return {
        name: _lessons(folder / f"lessons_{name}.npz", some, teachers, options)
        for name, some in chosen.items()
    }


def _fit(
    taught: keras.Model,
    batches: ShuffledBatches,
    held_out: Lessons,
    run_folder: Path,
    options: DistilOptions,
) -> dict[str, list[float]]:
    """Fit, from the checkpoint on if there is one, and return the curves."""
    fitted = taught.fit(
        batches,
        epochs=options.epochs,
        validation_data=(held_out.heard.astype(np.float32), held_out.said.astype(np.float32)),
        validation_batch_size=options.batch_size,
        callbacks=[
            keras.callbacks.BackupAndRestore(run_folder / "checkpoint", delete_checkpoint=False),
            keras.callbacks.CSVLogger(run_folder / "history.csv", append=True),
        ],
        verbose=2,
    )
    curves: dict[str, list[float]] = fitted.history
    return curves


def _begin_with_mean(pupil: keras.Model, said: np.ndarray) -> None:
    layer = pupil.get_layer("said")
    kernel, _ = layer.get_weights()
    layer.set_weights([kernel * 0.1, said.astype(np.float32).mean(axis=0)])


def _unexplained(
    pupil: keras.Model, lessons: Lessons, spread: FloatArray, teachers: Teachers
) -> dict[str, float]:
    """How much of what each teacher says the pupil does not, of lessons as they are."""
    found = pupil.predict(lessons.heard.astype(np.float32), batch_size=128, verbose=0)
    errors = np.square((found - lessons.said.astype(np.float32)) / spread).mean(axis=0)
    sizes = [model.output_shape[-1] for model in teachers.models.values()]
    ends = np.cumsum(sizes)
    return {
        name: round(float(errors[end - size : end].mean()), 4)
        for name, size, end in zip(teachers.models, sizes, ends, strict=True)
    }


def _lessons(
    path: Path, recordings: Sequence[Recording], teachers: Teachers, options: DistilOptions
) -> Lessons:
    """Make lessons of recordings, or read those made before; those of a stopped run stay made."""
    if not path.exists():
        paths = [one.path for one in recordings]
        threads = os.cpu_count() or 1
        parts = []
        for first in range(0, len(paths), _RECORDINGS_A_PART):
            part = path.with_suffix(f".{first:05}.npz")
            if not part.exists():
                chosen = range(first, min(first + _RECORDINGS_A_PART, len(paths)))
                made = make_lessons(paths, chosen, teachers, Plan(), options.seed, threads=threads)
                made.write(part)
            parts.append(part)
        Lessons.joined([Lessons.read(part) for part in parts]).write(path)
        for part in parts:
            part.unlink()
    return Lessons.read(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    default = DistilOptions()
    parser = argparse.ArgumentParser(
        prog="training.distil",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument(
        "--library", type=Path, nargs="+", required=True, help="folders of recordings"
    )
    parser.add_argument("--teachers", type=Path, required=True, help="folder of their weights")
    parser.add_argument("--hold-out", action="store_true", help="keep some artists for judging")
    parser.add_argument("--begin-with", type=Path, metavar="RUN", help="go on from its ear")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.peak_learning_rate)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    options = DistilOptions(
        epochs=args.epochs,
        seed=args.seed,
        batch_size=args.batch_size,
        peak_learning_rate=args.learning_rate,
    )
    try:
        distil(
            args.library,
            args.teachers,
            args.run,
            options,
            hold_out=args.hold_out,
            begin_with=args.begin_with,
        )
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
