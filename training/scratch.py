"""Train a network that knows nothing yet: the CNN, or the CRNN.

``python -m training.scratch cnn RUN --data DATASET --negatives NEGATIVES`` writes ``model.keras``
(the best epoch by loss on ``valid``, its temperature fitted there too), ``run.json``, the curves
and a checkpoint, from which the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from training.data.augment import Augmentation, augment
from training.data.dataset import (
    FEATURES,
    DatasetError,
    FloatArray,
    IntArray,
    Track,
    cut_window,
    genre_indices,
    labels_of,
    load_tracks,
    stack_windows,
)
from training.data.whole_file import written_whole
from training.networks.batches import DrawnBatches
from training.networks.fitting import fit_temperature, optimiser
from training.networks.plain import GENRE_LOGITS, build_cnn, build_crnn
from training.release.card import GTZAN_RIGHTS, PARTITION_CREDIT, negatives_credits
from training.release.plots import plot_curves
from training.release.runs import (
    KERAS_FILE_NAME,
    RunInfo,
    claim_folder,
    data_fingerprint,
    git_commit,
    write_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HISTORY_FILE_NAME = "history.csv"
BUILDERS: dict[str, Callable[..., keras.Model]] = {"cnn": build_cnn, "crnn": build_crnn}
ABOUT = {
    "cnn": "A plain CNN on the spectrogram as a picture of 150 by 150, trained from scratch.",
    "crnn": "A CRNN (CNN, bidirectional LSTM, attention), trained from scratch.",
}


@dataclass(frozen=True, slots=True)
class ScratchOptions:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 12
    windows_per_track: int = 4
    """Random windows of every track in one epoch."""
    music_per_batch: int = 26
    negatives_per_batch: int = 6
    peak_learning_rate: float = 2e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    mixup_alpha: float = 0.3
    music_loss_weight: float = 0.5
    validation_window_step: int = 3
    """Every so many windows of ``valid`` are looked at after each epoch."""


class Batches(DrawnBatches):
    """Augmented windows of music and plain ones of what is not, with targets for both outputs."""

    def __init__(
        self,
        tracks: Sequence[Track],
        genres: IntArray,
        negatives: Sequence[Track],
        options: ScratchOptions,
    ) -> None:
        super().__init__(
            lambda rng: _each_so_often(len(tracks), options.windows_per_track, rng),
            options.music_per_batch,
            options.seed,
        )
        self.tracks, self.genres, self.negatives, self.options = tracks, genres, negatives, options
        self.n_labels = int(genres.max()) + 1

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        chosen = self.rows(index)
        other = self.rng.integers(len(self.negatives), size=self.options.negatives_per_batch)
        plain = np.stack([self._random_window(self.negatives[one]) for one in other])
        music = np.stack([self._random_window(self.tracks[one]) for one in chosen])
        music = augment(music, self.rng, Augmentation(), babble=plain)
        music, targets = self._mix(music, self._targets(chosen))
        nothing = np.zeros((len(plain), self.n_labels + 1), dtype=np.float32)
        return np.concatenate([music, plain]), np.concatenate([targets, nothing])

    def _random_window(self, track: Track) -> FloatArray:
        last = len(track.columns) - FEATURES.n_frames
        return cut_window(track.columns, int(self.rng.integers(last + 1)))

    def _targets(self, chosen: IntArray) -> FloatArray:
        smoothing = self.options.label_smoothing
        targets = np.full((len(chosen), self.n_labels + 1), smoothing / self.n_labels)
        targets[np.arange(len(chosen)), self.genres[chosen]] += 1.0 - smoothing
        targets[:, -1] = 1.0
        return targets.astype(np.float32)

    def _mix(self, windows: FloatArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Blend pairs of windows and of targets (mixup, Zhang et al. 2018)."""
        alpha = self.options.mixup_alpha
        share = self.rng.beta(alpha, alpha, len(windows)).astype(np.float32)
        share = np.maximum(share, 1.0 - share)[:, None]
        pair = self.rng.permutation(len(windows))
        mixed = share[:, :, None] * windows + (1.0 - share[:, :, None]) * windows[pair]
        return mixed, share * targets + (1.0 - share) * targets[pair]


def _each_so_often(n: int, times: int, rng: np.random.Generator) -> IntArray:
    return np.concatenate([rng.permutation(n) for _ in range(times)])


def two_part_loss(music_weight: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy of the genres, of music only, and of music or not.

    Targets of what is not music are all zero, so that it has no genre to be wrong about.
    """

    def loss(targets: Any, outputs: Any) -> Any:
        outputs = ops.clip(outputs, 1e-6, 1.0 - 1e-6)
        genres = -ops.sum(targets[:, :-1] * ops.log(outputs[:, :-1]), axis=-1)
        is_music, said_music = targets[:, -1], outputs[:, -1]
        music = -(is_music * ops.log(said_music) + (1 - is_music) * ops.log(1 - said_music))
        return genres + music_weight * music

    return loss


def apply_temperature(model: keras.Model, temperature: float) -> None:
    """Divide the genre logits by a temperature, within the weights."""
    layer = model.get_layer(GENRE_LOGITS)
    layer.set_weights([weights / temperature for weights in layer.get_weights()])


def train(
    network: str, data: Path, negatives: Path, run_folder: Path, options: ScratchOptions
) -> None:
    """Train a network and write its run folder.

    Raises:
        DatasetError: the data cannot be read, or the folder holds a run of other options.
    """
    keras.utils.set_random_seed(options.seed)
    tracks, valid = load_tracks(data, "train"), load_tracks(data, "valid")
    labels = labels_of(tracks)
    not_music = load_tracks(negatives, "negatives_train")
    used = {"train": tracks, "valid": valid, "not music": not_music}
    run = _describe(network, labels, used, options)
    recipe = run.config | {"data": run.data["fingerprint"]}
    del recipe["epochs"]  # a run that has ended may go on for more
    claim_folder(run_folder, recipe, "checkpoint", HISTORY_FILE_NAME)
    batches = Batches(tracks, genre_indices(tracks, labels), not_music, options)
    windows = stack_windows(valid)
    truth = genre_indices(valid, labels)[windows.track_index]
    targets = np.eye(len(labels) + 1, dtype=np.float32)[truth]
    targets[:, -1] = 1.0
    model = BUILDERS[network](len(labels))
    chosen = optimiser(
        options.peak_learning_rate, options.weight_decay, options.epochs, len(batches)
    )
    model.compile(chosen, two_part_loss(options.music_loss_weight))
    best = run_folder / "best.weights.h5"
    step = options.validation_window_step
    model.fit(
        batches,
        epochs=options.epochs,
        validation_data=(windows.features[::step], targets[::step]),
        callbacks=[
            # Two, for the end of the program, or of the disk, may leave half of the newest.
            keras.callbacks.BackupAndRestore(
                run_folder / "checkpoint", double_checkpoint=True, delete_checkpoint=False
            ),
            keras.callbacks.ModelCheckpoint(
                best,
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=min(_history(run_folder)["val_loss"], default=None),
            ),
            keras.callbacks.CSVLogger(run_folder / HISTORY_FILE_NAME, append=True),
        ],
        verbose=2,
    )
    model.load_weights(best)
    probabilities = model.predict(windows.features, batch_size=64, verbose=0)[:, :-1]
    temperature = fit_temperature(np.log(np.maximum(probabilities, 1e-9)), truth)
    apply_temperature(model, temperature)
    finished = BUILDERS[network](len(labels))  # without the optimiser's state
    finished.set_weights(model.get_weights())
    with written_whole(run_folder / KERAS_FILE_NAME) as part:
        finished.save(part)
    plot_curves(_history(run_folder), f"{network} from scratch", run_folder / "curves.png")
    write_run(run, run_folder)


def _describe(
    network: str, labels: tuple[str, ...], used: dict[str, list[Track]], options: ScratchOptions
) -> RunInfo:
    return RunInfo(
        name=network,
        about=ABOUT[network],
        labels=labels,
        has_music_output=True,
        data={
            "music": f"{len(used['train'])} tracks of the split train",
            "chosen on": f"{len(used['valid'])} tracks of the split valid: epoch and temperature",
            "not music": f"{len(used['not music'])} clips made by training.negatives",
            "fingerprint": data_fingerprint([one for tracks in used.values() for one in tracks]),
        },
        credits=(GTZAN_RIGHTS, PARTITION_CREDIT, *negatives_credits()),
        config={"network": network, **asdict(options), **asdict(Augmentation())},
        git_commit=git_commit(),
    )


def _history(run_folder: Path) -> dict[str, list[float]]:
    """Read the losses of the epochs so far, those before the run was stopped too."""
    path = run_folder / HISTORY_FILE_NAME
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in ("loss", "val_loss")}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="training.scratch", description=__doc__)
    parser.add_argument("network", choices=sorted(BUILDERS))
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument("--data", type=Path, required=True, help="dataset with train and valid")
    parser.add_argument("--negatives", type=Path, required=True, help="by training.negatives")
    parser.add_argument("--epochs", type=int, default=ScratchOptions().epochs)
    parser.add_argument("--seed", type=int, default=ScratchOptions().seed)
    args = parser.parse_args(arguments)
    options = ScratchOptions(epochs=args.epochs, seed=args.seed)
    try:
        train(args.network, args.data, args.negatives, args.run, options)
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(json.dumps(asdict(options)))


if __name__ == "__main__":
    main()
