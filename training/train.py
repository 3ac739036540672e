"""Train the CRNN: recurrent heads with attention on what the ear hears.

    python -m training.train RUN --ear EAR --library WORLD GTZAN --negatives NEGATIVES

writes ``model.keras`` and ``run.json``. What the ear hears of every window is kept in
``RUN/heard`` (or ``--heard``), and each head when it is done, so the same command goes on where it
was stopped.

``--hold-out`` leaves out the artists that the ear was not taught on either, and judges there: its
temperature is what the model that ships takes over with ``--trial RUN``. ``--cross-validate`` fits
on four fifths of all artists at a time, judges each on the last fifth, and writes no model.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.model.feature_params import TWO_EARS_FEATURES
from training.crnn.ears import read_ears
from training.crnn.fits import fit_voices
from training.crnn.material import Material, load_material
from training.crnn.options import TrainOptions
from training.crnn.trials import cross_validate, hold_out
from training.data.dataset import DatasetError
from training.data.whole_file import written_whole
from training.networks.embedding import EXAMPLES_FILE_NAME, write_examples
from training.networks.heads import chain, with_probabilities
from training.release.crnn_card import crnn_credits
from training.release.runs import (
    KERAS_FILE_NAME,
    RunInfo,
    git_commit,
    names_fingerprint,
    write_run,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HELD_OUT = "held_out.json"
"""In the folder of a run with ``--hold-out``: temperature and figures."""
ABOUT = (
    "Two ears and a recurrent network behind them. The first ear began as YAMNet's convolutions, "
    "the second as musicnn for the Million Song Dataset, without its dead filters. Together they "
    "were taught to hear in music what four pretrained networks hear in it (these two, "
    "EfficientAT's mn04 and musicnn for MTG-Jamendo), through noise, rooms and MP3, too. Behind "
    "them stand a dense layer, a bidirectional LSTM and attention, and beside them linear "
    "verdicts on mean and maximum over time, one of music as it is and one of music that people "
    "talk over. All that is behind the ears was trained on labelled recordings."
)


def train(
    ear_run: Path,
    libraries: Sequence[Path],
    negatives: Path,
    run_folder: Path,
    options: TrainOptions,
    *,
    heard_folder: Path,
    mode: str,
    trial: Path | None,
) -> None:
    """Do what the command line asks for; see this module's text.

    Raises:
        DatasetError: something cannot be read.
    """
    ears = read_ears(ear_run)
    # Before all is heard, which takes an hour.
    trial_figures = _read_trial(trial) if mode == "all" else {}
    run_folder.mkdir(parents=True, exist_ok=True)
    material = load_material(ears, libraries, negatives, heard_folder, options)
    if mode == "cross-validate":
        figures = cross_validate(material, run_folder, options)
        _write(run_folder / "cross_validation.json", figures)
        return
    data: dict[str, Any] = {}
    if mode == "hold-out":
        voices, taught, figures = hold_out(material, run_folder, options)
        temperature = figures["temperature"]
        _write(run_folder / HELD_OUT, figures)
    else:
        temperature = trial_figures["temperature"]
        taught = material.without(np.array([], dtype=np.int64))
        voices = fit_voices(taught, options, run_folder)
        data["held out, by a run of the same settings"] = "see the figures"
    write_examples(run_folder / EXAMPLES_FILE_NAME, voices.embedding, taught, material.recordings)
    model = with_probabilities(
        chain([one.network for one in ears], voices),
        len(material.labels),
        temperature=temperature,
        offsets=options.offsets,
    )
    with written_whole(run_folder / KERAS_FILE_NAME) as part:
        model.save(part)
    run = _describe(material, libraries, mode, data, options)
    write_run(replace(run, embedding_size=voices.embedding.output_shape[-1]), run_folder)


def _describe(
    material: Material,
    libraries: Sequence[Path],
    mode: str,
    data: dict[str, Any],
    options: TrainOptions,
) -> RunInfo:
    counts = {
        folder.name: sum(one.collection == folder.name for one in material.recordings)
        for folder in libraries
    }
    of = ", ".join(f"{count} of {name}" for name, count in counts.items())
    return RunInfo(
        name="crnn",
        about=ABOUT,
        labels=material.labels,
        has_music_output=True,
        has_familiar_output=True,
        features=TWO_EARS_FEATURES,
        data={
            "music": f"recordings: {of}{', without those held out' * (mode == 'hold-out')}",
            "fingerprint": names_fingerprint(one.name for one in material.recordings),
            **data,
        },
        credits=crnn_credits(),
        config=asdict(options),
        git_commit=git_commit(),
    )


def _read_trial(trial: Path | None) -> dict[str, Any]:
    if trial is None or not (trial / HELD_OUT).exists():
        raise DatasetError(
            f"the temperature comes from a run with --hold-out, and {trial} has no {HELD_OUT}; "
            "name such a run with --trial"
        )
    path = trial / HELD_OUT
    try:
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path} cannot be read: {error}; give that run's command again") from (
            error
        )
    return figures


def _write(path: Path, figures: dict[str, Any]) -> None:
    with written_whole(path) as part:
        part.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: one for name, one in figures.items() if not isinstance(one, dict)}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    default = TrainOptions()
    parser = argparse.ArgumentParser(
        prog="training.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument("--ear", type=Path, required=True, help="run of training.distil")
    parser.add_argument(
        "--library", type=Path, nargs="+", required=True, help="folders of recordings"
    )
    parser.add_argument("--negatives", type=Path, required=True, help="by training.negatives")
    parser.add_argument("--heard", type=Path, help="keeps what the ear hears; default: RUN/heard")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--hold-out", action="store_true", help="keep some artists for judging")
    modes.add_argument("--cross-validate", action="store_true", help="judge on every recording")
    parser.add_argument("--trial", type=Path, metavar="RUN", help="a run with --hold-out")
    parser.add_argument("--heads", type=int, default=default.n_heads)
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    options = replace(default, n_heads=args.heads, epochs=args.epochs, seed=args.seed)
    mode = "hold-out" if args.hold_out else "cross-validate" if args.cross_validate else "all"
    try:
        train(
            args.ear,
            args.library,
            args.negatives,
            args.run,
            options,
            heard_folder=args.heard or args.run / "heard",
            mode=mode,
            trial=args.trial,
        )
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
