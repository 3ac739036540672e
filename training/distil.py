"""Teach the ears: YAMNet's and musicnn's networks learn to hear what four teachers hear.

    python -m training.distil RUN --library WORLD GTZAN --unlabelled FREE --teachers WEIGHTS

plays excerpts of recordings to the teachers, none twice, and trains two ears together to say the
same of them: they hear each several times, often through MP3, noise, rooms and small loudspeakers.
No label is used. At the end the second ear's filters become sums of a few shapes. Writes
``ear.keras``, ``second_ear.npz``, ``run.json``, the curves and a checkpoint, from which the same
command goes on where it was stopped.

``--hold-out`` keeps a fifth of all artists, and GTZAN's ``valid``, from it: what ears hear of music
that they were not taught on is judged there. ``--begin-with RUN`` goes on from such ears, and
writes some whose weights lie half-way between what they were and what they became.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from rtgenre.model.feature_params import MUSICNN_FEATURES
from rtgenre.model.features import log_mel_spectrogram
from training.data.dataset import DatasetError
from training.data.library import (
    held_out_names,
    read_library,
    recordings_fingerprint,
    teaching_names,
)
from training.data.whole_file import written_whole
from training.frontends import yamnet
from training.frontends.ear import EAR_FILE_NAME, build_ear, build_pupil, read_ear
from training.frontends.lessons import AS_IT_IS, Excerpts, Lessons, Plan, by_length, read_sounds
from training.frontends.musicnn import read_million_songs
from training.frontends.second_ear import (
    SECOND_EAR_FILE_NAME,
    build_second_pupil,
    read_second_ear,
    taught_arrays,
    with_taught,
)
from training.frontends.shapes import of_few_shapes
from training.frontends.teachers import Teachers, ask
from training.networks.fitting import compile_once, optimiser, squared_errors
from training.networks.progress import TimeLeft
from training.release.plots import plot_curves
from training.release.runs import claim_folder, git_commit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from training.data.dataset import FloatArray
    from training.data.library import Recording
    from training.frontends.lessons import Sound

_BEGUN, _SAID, _JUDGED, _HISTORY = "begun.npz", "said", "judged", "history.csv"
_BATCHES_TO_BEGIN = 32
"""Of them the pupil learns what its ears hear at first."""
_WINDOWS_TO_JUDGE = 2048
_BATCHES_FOR_SHAPES = 5
"""Of them, at the end, the second ear's shapes are found."""
_RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class DistilOptions:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 48
    epoch_windows: int = 8192
    hearings: int = 4
    """How often the ears hear an excerpt, each time changed otherwise, after all the others;
    teachers hear it once."""
    free_share: float = 1 / 3
    """Of the excerpts, of music that teaches and never judges, where there is some."""
    batch_size: int = 64
    peak_learning_rate: float = 6e-4
    weight_decay: float = 1e-4
    kept: float = 0.5
    """Share of the weights of the ears that it begins with in what is written (WiSE-FT, Wortsman et
    al. 2022); of YAMNet's and musicnn's nothing is kept."""

    @property
    def epoch_batches(self) -> int:
        """How many batches an epoch has."""
        return max(1, self.epoch_windows // self.batch_size)


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
        # Which excerpts are drawn depends on all of it, the order among libraries too.
        "recordings": recordings_fingerprint(recordings),
        "unlabelled": recordings_fingerprint(further),
        "hold_out": hold_out,
        "begin_with": str(begin_with.resolve()) if begin_with else "yamnet and musicnn",
    }
    del recipe["epochs"]  # a run that has ended may go on for more
    claim_folder(run_folder, recipe, "checkpoint", _SAID, _JUDGED, _BEGUN, _HISTORY)
    ears = _ears(begin_with)
    before = [one.get_weights() for one in ears]
    heard, judged = _music(recordings, further, options, hold_out=hold_out)
    teachers = Teachers.load(weights)
    together = teachers.together()
    pupil = build_pupil(*ears, together.output_shape[-1])
    judge_said = ask(together, judged, run_folder / _JUDGED, "the teachers hear what judges")
    said = ask(together, heard, run_folder / _SAID, "the teachers hear what teaches")
    # In single precision all of it would take a gigabyte.
    some = said[: options.epoch_windows]
    spread = _begun(run_folder, pupil, teachers, Lessons(heard, said), some)
    compile_once(
        pupil,
        optimiser(
            options.peak_learning_rate, options.weight_decay, options.epochs, options.epoch_batches
        ),
        squared_errors(teachers.importance(), spread),
    )
    n_before = len(_curves(run_folder).get("loss", ()))
    lessons = Lessons(heard, said, epoch_batches=options.epoch_batches, epoch=n_before)
    _fit(pupil, lessons, Lessons(judged, judge_said), run_folder, options.epochs)
    # Begun anew: the lessons that judged while it learnt come in another order by now.
    off = (pupil.predict(Lessons(judged, judge_said), verbose=0) - judge_said) / spread
    if begin_with:
        for one, old in zip(ears, before, strict=True):
            _keep(one, old, options.kept)
    with written_whole(run_folder / EAR_FILE_NAME) as part:
        ears[0].save(part)
    second = with_taught(read_million_songs(), taught_arrays(ears[1]))
    simple = build_second_pupil(
        of_few_shapes(second, _log_mels(heard)), MUSICNN_FEATURES.window_samples
    )
    with written_whole(run_folder / SECOND_EAR_FILE_NAME) as part:
        np.savez(part, allow_pickle=False, **taught_arrays(simple))
    report = {
        "options": recipe | {"epochs": options.epochs},
        "recordings": len(recordings) + len(further),
    }
    _report(run_folder, report, teachers.parts(np.square(off).mean(axis=0)))


def _music(
    recordings: list[Recording],
    further: list[Recording],
    options: DistilOptions,
    *,
    hold_out: bool,
) -> tuple[Excerpts, Excerpts]:
    """Draw what the ears hear, and what judges them: as it is, none of it free music."""
    judging, others = held_out_names(recordings), teaching_names(recordings)
    teaching = [one for one in recordings if not hold_out or one.name in others]
    sounds, judging_sounds, free = (
        read_sounds([one.path for one in some])
        for some in (teaching, [one for one in recordings if one.name in judging], further)
    )
    n_heard = -(-options.epochs // options.hearings) * options.epoch_batches
    n_judged = max(1, min(_WINDOWS_TO_JUDGE, options.epoch_windows) // options.batch_size)
    judged = replace(_excerpts(judging_sounds, [], options, n_judged), plan=AS_IT_IS)
    return _excerpts(sounds, free, options, n_heard), judged


def _report(
    run_folder: Path, report: dict[str, Any], unexplained: Mapping[str, FloatArray]
) -> None:
    """Write what was learnt, and draw how."""
    curves = _curves(run_folder)
    plot_curves(curves, "the ears", run_folder / "curves.png")
    by_teacher = {name: round(float(part.mean()), 4) for name, part in unexplained.items()}
    report |= {
        "unexplained_share": {name: values[-1] for name, values in curves.items()},
        "unexplained_by_teacher": by_teacher,
        "git_commit": git_commit(),
    }
    (run_folder / "run.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(by_teacher))


def _ears(begin_with: Path | None) -> tuple[keras.Model, keras.Model]:
    """Take those of a run, or YAMNet and musicnn."""
    if begin_with is None:
        ear, second = build_ear(yamnet.load_yamnet()), read_million_songs()
    else:
        ear, second = read_ear(begin_with), read_second_ear(begin_with)
    return ear, build_second_pupil(second, MUSICNN_FEATURES.window_samples)


def _log_mels(heard: Excerpts) -> FloatArray:
    """Give what the second ear takes of some of the music: ``(n_windows, n_frames, 96)``."""
    batches = range(min(_BATCHES_FOR_SHAPES, heard.n_batches))
    sounds = np.concatenate([heard.for_pupils(index, 0) for index in batches])
    return np.stack([log_mel_spectrogram(sound, MUSICNN_FEATURES) for sound in sounds])


def _keep(ear: keras.Model, old: list[FloatArray], share: float) -> None:
    pairs = zip(old, ear.get_weights(), strict=True)
    ear.set_weights([share * before + (1.0 - share) * after for before, after in pairs])


def _excerpts(
    sounds: list[Sound], free: list[Sound], options: DistilOptions, n_batches: int
) -> Excerpts:
    """Let some be drawn, ``options.free_share`` of them from free music."""
    shares = by_length(sounds)
    if free:
        parts = [(1.0 - options.free_share) * shares, options.free_share * by_length(free)]
        shares = np.concatenate(parts)
    return Excerpts(
        [*sounds, *free],
        shares,
        Plan(),
        batch_size=options.batch_size,
        n_batches=n_batches,
        seed=options.seed,
    )


def _curves(run_folder: Path) -> dict[str, list[float]]:
    """Read what each epoch reached, those before a stop among them."""
    path = run_folder / _HISTORY
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in ("loss", "val_loss") if rows}


def _fit(
    pupil: keras.Model, lessons: Lessons, judge: Lessons, run_folder: Path, n_epochs: int
) -> None:
    """Fit, from the checkpoint on if there is one."""
    pupil.fit(
        lessons,
        epochs=n_epochs,
        validation_data=judge,
        callbacks=[
            # Two, for the end of the program, or of the disk, may leave half of the newest.
            keras.callbacks.BackupAndRestore(
                run_folder / "checkpoint", double_checkpoint=True, delete_checkpoint=False
            ),
            keras.callbacks.CSVLogger(run_folder / _HISTORY, append=True),
            TimeLeft(n_epochs),
        ],
        verbose=0,
    )


def _begun(
    run_folder: Path,
    pupil: keras.Model,
    teachers: Teachers,
    lessons: Lessons,
    said: NDArray[np.float16],
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
    _begin(pupil, lessons, min(_BATCHES_TO_BEGIN, len(lessons)))
    spread = teachers.spread(said.astype(np.float32))
    kernel, bias = layer.get_weights()
    with written_whole(path) as part:
        np.savez(part, allow_pickle=False, kernel=kernel, bias=bias, spread=spread)
    return spread


def _begin(pupil: keras.Model, lessons: Lessons, n_batches: int) -> None:
    """Let the pupil say what its ears hear already of what teachers say (ridge regression).

    An ear that hears much already would else forget some of it before the last layer is found.
    """
    layer = pupil.get_layer("said")
    ears = keras.Model(pupil.input, layer.input)
    pairs = [lessons[index] for index in range(n_batches)]
    x = np.concatenate([ears.predict_on_batch(sounds) for sounds, _ in pairs]).astype(float)
    y = np.concatenate([said for _, said in pairs])
    means, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    x = (x - means) / scale
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    kernel = np.linalg.solve(x.T @ x + ridge, x.T @ (y - y.mean(axis=0))) / scale[:, None]
    layer.set_weights([kernel, y.mean(axis=0) - means @ kernel])


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
    parser.add_argument("--hearings", type=int, default=default.hearings, metavar="N")
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.peak_learning_rate)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    options = DistilOptions(
        epochs=args.epochs,
        epoch_windows=args.epoch_windows,
        hearings=args.hearings,
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
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
