"""Networks behind the ears, fitted or read where a stopped run has finished them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import keras

from training.data.whole_file import written_whole
from training.networks.embedding import fit_embedding
from training.networks.fitting import Batches, compile_once, optimiser, three_part_loss
from training.networks.heads import N_FURTHER, build_heads
from training.networks.tempering import fit_tempering
from training.networks.voices import Voices
from training.networks.yardstick import fit_linear_head
from training.release.runs import claim_folder

if TYPE_CHECKING:
    from pathlib import Path

    from training.crnn.options import TrainOptions
    from training.networks.fitting import Examples


def fit_heads(examples: Examples, options: TrainOptions, seed: int) -> keras.Model:
    """Fit one network behind the ear."""
    keras.utils.set_random_seed(seed)
    _, n_steps, n_values = examples.copies[0].shape
    heads = build_heads(n_steps, n_values, examples.n_labels)
    heads.get_layer("standardise").set_weights(examples.moments())
    batches = Batches(examples, options.batch, seed)
    compile_once(
        heads,
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
    claim_folder(folder, recipe(options, examples), "heads*.keras")
    heads = []
    for number in range(n_heads):
        path = folder / f"heads{number}.keras"
        if not path.exists():
            print(f"{path}: {number + 1} of {n_heads}", file=sys.stderr)
            made = fit_heads(examples, options, options.seed + number)
            fresh = build_heads(made.input_shape[1], made.input_shape[2], examples.n_labels)
            fresh.set_weights(made.get_weights())  # without the optimiser's state
            with written_whole(path) as part:
                fresh.save(part)
        heads.append(keras.models.load_model(path, compile=False))
    return heads


def fit_voices(examples: Examples, options: TrainOptions, folder: Path) -> Voices:
    """Fit all that classifies, or read what a stopped run has finished."""
    heads = fit_all_heads(examples, options, folder, options.n_heads)
    embedding = fit_embedding(examples)
    tempering = fit_tempering(
        examples,
        embedding,
        examples.n_labels + N_FURTHER,
        weight=options.distance_weight,
        least=options.least_familiar_logit,
    )
    return Voices(heads, fit_linear_head(examples), embedding, tempering)


def recipe(options: TrainOptions, examples: Examples) -> dict[str, Any]:
    """Say all that a head depends on; how many there are, and odds, come after it."""
    later = {"n_heads", "not_music_odds", "familiar_odds", "distance_weight", "least_familiar"}
    kept = {name: one for name, one in asdict(options).items() if name not in later}
    return {**kept, "examples": examples.fingerprint()}
