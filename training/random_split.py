"""The usual GTZAN protocol, for comparison only: why so many projects report 97 %.

``python -m training.random_split --data DATASET`` cuts every track into overlapping windows, deals
the windows, not the tracks, to two sides at random, trains the CNN on one and judges it on the
other. Nearly every window that it is judged on then shares two seconds with each of two windows
that it has learned. The figure says how well a network remembers recordings, and nothing of how it
hears music that it does not know.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from training.data.dataset import (
    DatasetError,
    genre_indices,
    labels_of,
    load_tracks,
    stack_windows,
)
from training.networks.batches import ShuffledBatches
from training.networks.plain import build_cnn

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAIN_SHARE = 0.9
EPOCHS = 24
BATCH = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
SEED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="training.random_split", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a dataset")
    parser.add_argument("--splits", nargs="+", default=["train", "valid"], help="which to mix")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    args = parser.parse_args(arguments)
    keras.utils.set_random_seed(SEED)
    try:
        tracks = [track for split in args.splits for track in load_tracks(args.data, split)]
        windows = stack_windows(tracks)
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error
    labels = labels_of(tracks)
    genres = genre_indices(tracks, labels)[windows.track_index]
    order = np.random.default_rng(SEED).permutation(len(genres))
    seen, unseen = np.split(order, [round(TRAIN_SHARE * len(order))])
    network = build_cnn(len(labels), dropout=0.0)
    model = keras.Model(network.input, network.get_layer("genres").output)
    batches = ShuffledBatches(windows.features[seen], genres[seen], BATCH, SEED)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4,
        max(1, (args.epochs - 1) * len(batches)),
        warmup_target=LEARNING_RATE,
        warmup_steps=len(batches),
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        batches, epochs=args.epochs, validation_data=(windows.features[unseen], genres[unseen])
    )
    probabilities = model.predict(windows.features[unseen], verbose=0)
    accuracy = float((probabilities.argmax(axis=1) == genres[unseen]).mean())
    print(f"{accuracy:.1%} of {len(unseen)} windows, of tracks that were learned from")


if __name__ == "__main__":
    main()
