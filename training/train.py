"""Train the CRNN: recurrent heads with attention on what the ear hears.

    python -m training.train RUN --ear DISTILLED --library WORLD GTZAN --negatives NEGATIVES

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
import math
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from rtgenre.model.features import TWO_EARS_FEATURES
from rtgenre.types import Prediction
from training.data.dataset import DatasetError
from training.data.library import FOLDS_SEED, N_FOLDS, OTHER, held_out_names, read_library
from training.data.splits import artist_folds
from training.distil import EAR_FILE_NAME
from training.frontends.hearing import Ear, Heard, hear, two_ears
from training.networks.embedding import EXAMPLES_FILE_NAME, fit_embedding, write_examples
from training.networks.fitting import (
    NO_GENRE,
    Batches,
    BatchOptions,
    Examples,
    balanced_weights,
    fit_temperature,
    log_probabilities,
    optimiser,
    three_part_loss,
)
from training.networks.heads import N_FURTHER, build_heads, chain, with_probabilities
from training.networks.voices import Said, Voices
from training.networks.yardstick import fit_linear_head
from training.release.crnn_card import crnn_credits
from training.release.runs import (
    KERAS_FILE_NAME,
    RunInfo,
    claim_folder,
    git_commit,
    names_fingerprint,
    write_run,
)
from training.scoring.outcome import Outcome, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray, IntArray
    from training.data.library import Recording

HELD_OUT = "held_out.json"
"""In the folder of a run with ``--hold-out``: temperature and figures."""
LOGITS = "logits.npz"
"""What was said of each window that was judged: whoever chooses odds looks here."""
ABOUT = (
    "Two ears and a recurrent network behind them. The first ear is YAMNet's convolutions, taught "
    "to hear in music what four pretrained networks hear in it (EfficientAT's mn04, musicnn for "
    "MTG-Jamendo and for the Million Song Dataset, YAMNet); of their weights only YAMNet's were "
    "its beginning. The second is musicnn for the Million Song Dataset itself, without its dead "
    "filters. Behind them stand a dense layer, a bidirectional LSTM and attention, and beside them "
    "a linear verdict on mean and maximum over time, trained on labelled recordings."
)


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Everything that can be turned."""

    seed: int = 1
    n_heads: int = 1
    """Networks behind the ear, of different seeds, whose logits are averaged: three win nothing."""
    epochs: int = 8
    peak_learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    music_loss_weight: float = 0.5
    familiar_loss_weight: float = 0.5
    balance: float = 0.5
    doubt: float = 0.6
    negatives_share: float = 0.12
    """Of the windows that are drawn: what is not music."""
    n_copies: int = 3
    """Of every window: as it is, and through rooms, see ``training.frontends.hearing``."""
    not_music_odds: float = 4.0
    """How many times likelier than in training no music is taken to be."""
    familiar_odds: float = 0.35
    """How many times likelier than in training music of the genres is taken to be."""
    batch: BatchOptions = field(default_factory=BatchOptions)

    @property
    def offsets(self) -> tuple[float, float]:
        """What is added to the logits of music and of familiar."""
        return -math.log(self.not_music_odds), math.log(self.familiar_odds)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that is learnt from."""

    labels: tuple[str, ...]
    recordings: list[Recording]
    """Of music."""
    examples: Examples
    """Windows of the music, and behind them of what is not music."""
    negatives: Heard
    """Windows of what is not music that judge."""
    n_music: int
    """How many of the windows are music."""

    def rows_of(self, recordings: IntArray) -> IntArray:
        """Find the windows of some recordings."""
        return np.flatnonzero(np.isin(self.examples.recording_index[: self.n_music], recordings))

    def rows_without(self, recordings: IntArray) -> IntArray:
        """Find all other windows, those that are not music among them."""
        return np.flatnonzero(~np.isin(self.examples.recording_index, recordings))

    def outcome(
        self, logits: FloatArray, rows: IntArray, temperature: float, offsets: tuple[float, float]
    ) -> Outcome:
        """Say what logits mean for the windows ``rows``."""
        n_labels = len(self.labels)
        genres = np.exp(log_probabilities(logits[:, :n_labels], temperature))
        further = 1.0 / (1.0 + np.exp(-(logits[:, n_labels:] + offsets)))
        return Outcome(
            labels=self.labels,
            recordings=self.recordings,
            predictions=[
                Prediction(genre, float(music), float(familiar))
                for genre, (music, familiar) in zip(genres, further, strict=True)
            ],
            recording_index=self.examples.recording_index[rows],
        )


def load_material(
    ears: Sequence[Ear],
    libraries: Sequence[Path],
    negatives: Path,
    heard_folder: Path,
    options: TrainOptions,
) -> Material:
    """Let the ears hear all recordings.

    Raises:
        DatasetError: they cannot be read.
    """
    recordings = [one for folder in libraries for one in read_library(folder)]
    not_music = read_library(negatives)
    music, noise = (
        hear(ears, some, heard_folder, n_copies=options.n_copies, seed=options.seed)
        for some in (recordings, not_music)
    )
    teaches = np.array([one.split == "train" for one in not_music])[noise.recording_index]
    noise, judging = noise.select(np.flatnonzero(teaches)), noise.select(np.flatnonzero(~teaches))
    labels = tuple(sorted({one.genre for one in recordings} - {OTHER}))
    return Material(
        labels=labels,
        recordings=recordings,
        examples=_examples(recordings, labels, music, noise, options),
        negatives=judging,
        n_music=len(music.recording_index),
    )


def fit_heads(examples: Examples, options: TrainOptions, seed: int) -> keras.Model:
    """Fit one network behind the ear."""
    keras.utils.set_random_seed(seed)
    _, n_steps, n_values = examples.copies[0].shape
    heads = build_heads(n_steps, n_values, examples.n_labels)
    heads.get_layer("standardise").set_weights(examples.moments())
    batches = Batches(examples, options.batch, seed)
    heads.compile(
        optimiser(options.peak_learning_rate, options.weight_decay, options.epochs, len(batches)),
        three_part_loss(
            options.label_smoothing, options.music_loss_weight, options.familiar_loss_weight
        ),
    )
    heads.fit(batches, epochs=options.epochs, verbose=2)
    return heads


def fit_all_heads(
    examples: Examples, options: TrainOptions, folder: Path, n_heads: int
) -> list[keras.Model]:
    """Fit several, or read those that a stopped run has finished.

    Raises:
        DatasetError: another run has finished those.
    """
    claim_folder(folder, _recipe(options, examples), "heads*.keras")
    heads = []
    for number in range(n_heads):
        path = folder / f"heads{number}.keras"
        if not path.exists():
            print(f"{path}: {number + 1} of {n_heads}", file=sys.stderr)
            made = fit_heads(examples, options, options.seed + number)
            fresh = build_heads(made.input_shape[1], made.input_shape[2], examples.n_labels)
            fresh.set_weights(made.get_weights())  # without the optimiser's state
            part = path.with_suffix(".part.keras")
            fresh.save(part)
            part.rename(path)
        heads.append(keras.models.load_model(path, compile=False))
    return heads


def fit_voices(examples: Examples, options: TrainOptions, folder: Path) -> Voices:
    """Fit all that classifies, or read what a stopped run has finished."""
    heads = fit_all_heads(examples, options, folder, options.n_heads)
    return Voices(heads, fit_linear_head(examples))


def hold_out(
    material: Material, run_folder: Path, options: TrainOptions
) -> tuple[Voices, Examples, dict[str, Any]]:
    """Fit without the artists that the ear was not taught on, and judge there."""
    names = held_out_names(material.recordings)
    left_out = np.array([i for i, one in enumerate(material.recordings) if one.name in names])
    rest = material.examples.select(material.rows_without(left_out))
    voices = fit_voices(rest, options, run_folder)
    rows = material.rows_of(left_out)
    said = voices.say(material.examples.copies[0][rows])
    np.savez(
        run_folder / LOGITS,
        logits=said.together,
        index=material.examples.recording_index[rows],
        not_music=voices.say(material.negatives.copies[0]).together,
    )
    return voices, rest, _all_judged(material, said, rows, options)


def cross_validate(material: Material, run_folder: Path, options: TrainOptions) -> dict[str, Any]:
    """Fit on all folds of artists but one at a time, and judge on that one."""
    folds = np.array(artist_folds(material.recordings, N_FOLDS, FOLDS_SEED))
    rows = np.arange(material.n_music)
    shape = (len(rows), len(material.labels) + N_FURTHER)
    all_said = Said(*(np.zeros(shape, np.float32) for _ in fields(Said)))
    for fold in range(N_FOLDS):
        left_out = np.flatnonzero(folds == fold)
        rest = material.examples.select(material.rows_without(left_out))
        voices = fit_voices(rest, options, run_folder / f"fold{fold}")
        mine = material.rows_of(left_out)
        said = voices.say(material.examples.copies[0][mine])
        for one in fields(Said):
            getattr(all_said, one.name)[mine] = getattr(said, one.name)
    index = material.examples.recording_index[rows]
    np.savez(run_folder / LOGITS, logits=all_said.together, index=index)
    return _all_judged(material, all_said, rows, options)


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
    run_folder.mkdir(parents=True, exist_ok=True)
    ears = two_ears(_read_ear(ear_run))
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
        figures = _read_trial(trial)
        temperature = figures["temperature"]
        taught = material.examples
        voices = fit_voices(taught, options, run_folder)
        data["held out, by a run of the same settings"] = "see the figures"
    embedding = fit_embedding(taught)
    write_examples(run_folder / EXAMPLES_FILE_NAME, embedding, taught, material.recordings)
    model = with_probabilities(
        chain([one.network for one in ears], voices.heads, voices.linear, embedding),
        len(material.labels),
        temperature=temperature,
        offsets=options.offsets,
    )
    model.save(run_folder / KERAS_FILE_NAME)
    run = _describe(material, libraries, mode, data, options)
    write_run(replace(run, embedding_size=embedding.output_shape[-1]), run_folder)


def _recipe(options: TrainOptions, examples: Examples) -> dict[str, Any]:
    """Say all that a head depends on; how many there are, and odds, come after it."""
    later = {"n_heads", "not_music_odds", "familiar_odds"}
    recipe = {name: one for name, one in asdict(options).items() if name not in later}
    return {**recipe, "examples": examples.fingerprint()}


def _all_judged(
    material: Material, said: Said, rows: IntArray, options: TrainOptions
) -> dict[str, Any]:
    return {
        **_judged(material, said.together, rows, options),
        "recurrent": _judged(material, said.recurrent, rows, options),
        "yardstick": _judged(material, said.linear, rows, options),
    }


def _judged(
    material: Material, logits: FloatArray, rows: IntArray, options: TrainOptions
) -> dict[str, Any]:
    genres = material.examples.genres[rows]
    known = genres != NO_GENRE
    temperature = fit_temperature(logits[known, : len(material.labels)], genres[known])
    return {
        "temperature": temperature,
        **judge(material.outcome(logits, rows, temperature, options.offsets)),
    }


def _examples(
    recordings: Sequence[Recording],
    labels: tuple[str, ...],
    music: Heard,
    noise: Heard,
    options: TrainOptions,
) -> Examples:
    genres = [one.genre for one in recordings]
    index = {label: number for number, label in enumerate(labels)}
    genre_of_recording = np.array([index.get(genre, NO_GENRE) for genre in genres])
    weights = balanced_weights(
        genres,
        music.recording_index,
        [one.sure for one in recordings],
        balance=options.balance,
        doubt=options.doubt,
    )
    n_noise = len(noise.recording_index)
    share = options.negatives_share
    noise_weights = np.full(n_noise, weights.sum() * share / (1 - share) / n_noise, np.float32)
    return Examples(
        copies=[np.concatenate(pair) for pair in zip(music.copies, noise.copies, strict=True)],
        genres=np.append(genre_of_recording[music.recording_index], np.full(n_noise, NO_GENRE)),
        is_music=np.append(np.ones(len(music.recording_index)), np.zeros(n_noise)).astype(
            np.float32
        ),
        weights=np.append(weights, noise_weights),
        recording_index=np.append(music.recording_index, len(recordings) + noise.recording_index),
        n_labels=len(labels),
    )


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


def _read_ear(run: Path) -> keras.Model:
    path = run / EAR_FILE_NAME
    if not path.exists():
        raise DatasetError(f"{run} has no {EAR_FILE_NAME}; make it with training.distil")
    return keras.models.load_model(path, compile=False)


def _read_trial(trial: Path | None) -> dict[str, Any]:
    if trial is None or not (trial / HELD_OUT).exists():
        raise DatasetError(
            f"the temperature comes from a run with --hold-out, and {trial} has no {HELD_OUT}; "
            "name such a run with --trial"
        )
    figures: dict[str, Any] = json.loads((trial / HELD_OUT).read_text(encoding="utf-8"))
    return figures


def _write(path: Path, figures: dict[str, Any]) -> None:
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
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
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
