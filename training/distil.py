"""Teach the ears: YAMNet's and musicnn's networks learn to hear what four teachers hear.

    python -m training.distil RUN --library WORLD GTZAN --unlabelled FREE --teachers WEIGHTS

plays excerpts of recordings to the teachers, never one twice, and trains two ears together to say
the same of them, of many while they hear them through MP3, noise, rooms and small loudspeakers. No
label is used. Writes ``ear.keras``, ``second_ear.npz``, ``run.json``, the curves and a checkpoint,
from which the same command goes on where it was stopped.

``--hold-out`` keeps a fifth of all artists, and GTZAN's ``valid``, from it: what ears hear of music
that they were not taught on is judged there. ``--begin-with RUN`` goes on from such ears, and
writes some whose weights lie half-way between what they were and what they became.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers, ops

from training.data.dataset import DatasetError
from training.data.library import held_out_names, read_library
from training.frontends import yamnet
from training.frontends.ear import EAR_FILE_NAME, build_ear, build_pupil, read_ear
from training.frontends.lessons import AS_IT_IS, Lessons, Plan, read_sounds
from training.frontends.musicnn import read_million_songs
from training.frontends.second_ear import (
    SECOND_EAR_FILE_NAME,
    build_second_pupil,
    read_second_ear,
    taught_arrays,
)
from training.frontends.teachers import Teachers
from training.networks.fitting import compile_once, optimiser, squared_errors
from training.networks.progress import TimeLeft
from training.release.plots import plot_curves
from training.release.runs import claim_folder, git_commit, names_fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray
    from training.frontends.lessons import Sound

_BEGUN, _HISTORY = "begun.npz", "history.csv"
_WINDOWS_TO_BEGIN = 2048
"""What is said of so many tells how far it varies, and what of it the ears hear at first."""
_WINDOWS_TO_JUDGE = 2048
_RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class DistilOptions:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 20
    epoch_windows: int = 8192
    batch_size: int = 64
    peak_learning_rate: float = 6e-4
    weight_decay: float = 1e-4
    kept: float = 0.5
    """Share of the weights of the ears that it begins with in what is written (WiSE-FT, Wortsman et
    al. 2022); of YAMNet's and musicnn's nothing is kept."""


def distil(
    libraries: Sequence[Path],
    weights: Path,
    run_folder: Path,
    options: DistilOptions,
    *,
    hold_out: bool,
    begin_with: Path | None,
    unlabelled: Sequence[Path] = (),
) -> None:
    """Teach the ears and write their run folder.

    Args:
        libraries: folders of recordings.
        weights: folder with the teachers' weights.
        run_folder: written; if it holds a stopped run of the same options, that goes on.
        options: all settings.
        hold_out: whether some artists are kept for judging; else all recordings teach.
        begin_with: run whose ears are taken; YAMNet and musicnn without it.
        unlabelled: folders of recordings that teach and never judge. Which of the others judge does
            not depend on them, so that it is the same as for ``training.train``.

    Raises:
        DatasetError: the recordings or the ears cannot be read, or the folder holds a run of other
            options.
    """
    keras.utils.set_random_seed(options.seed)
    recordings, further = (
        [one for folder in folders for one in read_library(folder)]
        for folders in (libraries, unlabelled)
    )
    recipe = asdict(options) | {
        "recordings": names_fingerprint(one.name for one in recordings),
        "unlabelled": names_fingerprint(one.name for one in further),
        "hold_out": hold_out,
        "begin_with": str(begin_with.resolve()) if begin_with else "yamnet and musicnn",
    }
    del recipe["epochs"]  # a run that has ended may go on for more
    claim_folder(run_folder, recipe, "checkpoint", _BEGUN, _HISTORY)
    ears = _ears(begin_with)
    n_before = len(_curves(run_folder).get("loss", ()))
    judging = held_out_names(recordings)
    teaching = [one for one in recordings if not hold_out or one.name not in judging]
    first, train, judged = _lessons(
        read_sounds([one.path for one in (*teaching, *further)]),
        read_sounds([one.path for one in recordings if one.name in judging]),
        options,
        n_before,
    )
    teachers = Teachers.load(weights)
    asked = teachers.together()
    before = [one.get_weights() for one in ears]
    pupil = build_pupil(*ears, asked.output_shape[-1])
    spread = _begun(run_folder, pupil, teachers, asked, first)
    taught = errors_of(pupil, asked, spread)
    compile_once(
        taught,
        optimiser(options.peak_learning_rate, options.weight_decay, options.epochs, len(train)),
        squared_errors(teachers.importance()),
    )
    _fit(taught, train, judged, run_folder, options)
    unexplained = np.square(taught.predict(judged, verbose=0)).mean(axis=0)
    if begin_with:
        for one, old in zip(ears, before, strict=True):
            _keep(one, old, options.kept)
    ears[0].save(run_folder / EAR_FILE_NAME)
    np.savez(run_folder / SECOND_EAR_FILE_NAME, allow_pickle=False, **taught_arrays(ears[1]))
    curves = _curves(run_folder)
    plot_curves(curves, "the ears", run_folder / "curves.png")
    report = {
        "options": recipe | {"epochs": options.epochs},
        "recordings": len(recordings) + len(further),
        "unexplained_share": {name: values[-1] for name, values in curves.items()},
        "unexplained_by_teacher": {
            name: round(float(part.mean()), 4) for name, part in teachers.parts(unexplained).items()
        },
        "git_commit": git_commit(),
    }
    (run_folder / "run.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["unexplained_by_teacher"]))


def _ears(begin_with: Path | None) -> tuple[keras.Model, keras.Model]:
    """Take those of a run, or YAMNet and musicnn."""
    if begin_with is None:
        ear, second = build_ear(yamnet.load_yamnet()), read_million_songs()
    else:
        ear, second = read_ear(begin_with), read_second_ear(begin_with)
    return ear, build_second_pupil(second, 64000)


def _keep(ear: keras.Model, old: list[FloatArray], share: float) -> None:
    pairs = zip(old, ear.get_weights(), strict=True)
    ear.set_weights([share * before + (1.0 - share) * after for before, after in pairs])


def errors_of(pupil: keras.Model, teachers: keras.Model, spread: FloatArray) -> keras.Model:
    """Let pupil and teachers hear the same, and compare.

    Args:
        pupil: sound at one rate to ``(batch, n_taught)``.
        teachers: sound at two rates to the same.
        spread: ``(n_taught,)``, of what teachers say.

    Returns:
        What teachers and pupil hear to ``(batch, n_taught)``, how far the pupil is off; 1 is what
        always giving the mean would cost.
    """
    sounds = [keras.Input(shape[1:]) for shape in teachers.input_shape]
    pupils = keras.Input(pupil.input_shape[1:])
    off = layers.Subtract()([pupil(pupils), teachers(sounds)])
    return keras.Model([*sounds, pupils], off / ops.convert_to_tensor(spread))


def _lessons(
    teaching: Sequence[Sound], judging: Sequence[Sound], options: DistilOptions, first_epoch: int
) -> tuple[Lessons, Lessons, Lessons]:
    """Make lessons to begin with, those that teach, and those of music that judges."""
    first = Lessons(
        teaching,
        Plan(),
        batch_size=options.batch_size,
        n_batches=_n_batches(_WINDOWS_TO_BEGIN, options),
        seed=options.seed + 1,
        repeats=True,
    )
    train = Lessons(
        teaching,
        Plan(),
        batch_size=options.batch_size,
        n_batches=_n_batches(options.epoch_windows, options),
        seed=options.seed,
        first_epoch=first_epoch,
    )
    judged = Lessons(
        judging,
        AS_IT_IS,
        batch_size=options.batch_size,
        n_batches=_n_batches(_WINDOWS_TO_JUDGE, options),
        seed=options.seed,
        repeats=True,
    )
    return first, train, judged


def _n_batches(n_windows: int, options: DistilOptions) -> int:
    """Say how many batches so many windows fill, an epoch at most."""
    return max(1, min(n_windows, options.epoch_windows) // options.batch_size)


def _curves(run_folder: Path) -> dict[str, list[float]]:
    """Read what each epoch reached, those before a stop among them."""
    path = run_folder / _HISTORY
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in ("loss", "val_loss") if rows}


def _fit(
    taught: keras.Model, train: Lessons, judged: Lessons, run_folder: Path, options: DistilOptions
) -> None:
    """Fit, from the checkpoint on if there is one."""
    taught.fit(
        train,
        epochs=options.epochs,
        validation_data=judged,
        callbacks=[
            keras.callbacks.BackupAndRestore(run_folder / "checkpoint", delete_checkpoint=False),
            keras.callbacks.CSVLogger(run_folder / _HISTORY, append=True),
            TimeLeft(),
        ],
        verbose=2,
    )


def _begun(
    run_folder: Path,
    pupil: keras.Model,
    teachers: Teachers,
    asked: keras.Model,
    lessons: Lessons,
) -> FloatArray:
    """Begin, or as the run did before it was stopped.

    Returns:
        ``(n_taught,)``, how far what teachers say varies.
    """
    layer, path = pupil.get_layer("said"), run_folder / _BEGUN
    if path.exists():
        with np.load(path) as begun:
            layer.set_weights([begun["kernel"], begun["bias"]])
            return np.asarray(begun["spread"])
    spread = teachers.spread(_begin(pupil, asked, lessons))
    kernel, bias = layer.get_weights()
    part = path.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, kernel=kernel, bias=bias, spread=spread)
    part.rename(path)
    return spread


def _begin(pupil: keras.Model, teachers: keras.Model, lessons: Lessons) -> FloatArray:
    """Let the pupil say what its ears hear already of what teachers say (ridge regression).

    An ear that hears much already would else forget some of it before the last layer is found.

    Returns:
        ``(n, n_taught)``, what teachers said.
    """
    layer = pupil.get_layer("said")
    ears = keras.Model(pupil.input, layer.input)
    heard, said = [], []
    for index in range(len(lessons)):
        (*at_rates, pupils), _ = lessons[index]
        heard.append(ears.predict_on_batch(pupils))
        said.append(teachers.predict_on_batch(at_rates))
        progress = f"before the first epoch, batch {index + 1}/{len(lessons)}"
        print(f"\r{progress}", end="", file=sys.stderr)
    x, y = np.concatenate(heard).astype(float), np.concatenate(said)
    means, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    x = (x - means) / scale
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    kernel = np.linalg.solve(x.T @ x + ridge, x.T @ (y - y.mean(axis=0))) / scale[:, None]
    layer.set_weights([kernel, y.mean(axis=0) - means @ kernel])
    return y


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
    parser.add_argument(
        "--unlabelled", type=Path, nargs="+", default=(), help="further ones, which never judge"
    )
    parser.add_argument("--teachers", type=Path, required=True, help="folder of their weights")
    parser.add_argument("--hold-out", action="store_true", help="keep some artists for judging")
    parser.add_argument("--begin-with", type=Path, metavar="RUN", help="go on from its ears")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--epoch-windows", type=int, default=default.epoch_windows, metavar="N")
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.peak_learning_rate)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    options = DistilOptions(
        epochs=args.epochs,
        epoch_windows=args.epoch_windows,
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
            unlabelled=args.unlabelled,
        )
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
