"""What a window sounds like, in few values: own genres are learnt from these.

An embedding is mean and maximum over time of what the ears hear, turned to their principal
components. Their spread is evened out half-way: as it is, the first few would drown the others, and
made all equal, noise in the last ones would count as much as music in the first. The maximum helps
a genre that is learnt from a few songs by a point or two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtgenre.learning import examples as learning
from training.frontends.hearing import AS_IT_IS, DISTURBED
from training.networks.batches import predict
from training.networks.heads import build_embedding

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from training.data.dataset import FloatArray, IntArray
    from training.data.library import Recording
    from training.networks.fitting import Examples

EMBEDDING_SIZE = 128
EXAMPLES_FILE_NAME = "examples.npz"
"""In the folder of a run and of a model: embeddings of what it was taught, see ``rtgenre``."""
EXAMPLES_PER_RECORDING = 4
DISTURBED_PER_RECORDING = 2
"""Of ``disturbance``: own genres that are learnt in a room are learnt beside music in rooms."""
_LEAST_VARIANCE = 1e-4
"""Of a component, relative to the first one: what varies less is not blown up."""
_LEAST_SPREAD = 0.1
"""Of an ear's value, relative to the median: dead ones vary by rounding alone."""


def fit_embedding(examples: Examples, size: int = EMBEDDING_SIZE) -> keras.Model:
    """Find the principal components of music as it is.

    Returns:
        ``(batch, n_steps, n_values)`` to ``(batch, size)``, of mean 0 and variance 1 over all
        values together.
    """
    music = examples.copies[0][examples.is_music > 0]
    pooled = np.stack([_pooled(window.astype(np.float32)) for window in music])
    centre, spread = pooled.mean(axis=0), pooled.std(axis=0)
    spread = np.maximum(spread, _LEAST_SPREAD * np.median(spread))
    standard = (pooled - centre) / spread
    # What an ear says of a whole window is its own maximum, and counts once.
    means, maxima = np.split(pooled, 2, axis=1)
    n_values = means.shape[1]
    standard[:, n_values:][:, (means == maxima).all(axis=0)] = 0.0
    variances, directions = np.linalg.eigh(standard.T @ standard / len(standard))
    size = min(size, len(variances))
    variances, directions = variances[::-1][:size], directions[:, ::-1][:, :size]
    variances = np.maximum(variances, _LEAST_VARIANCE * variances[0])
    evened = directions / variances**0.25
    evened /= np.sqrt(np.sqrt(variances).mean())
    kernel = evened / spread[:, None]
    model = build_embedding(examples.copies[0].shape[1], n_values, size)
    model.get_layer("projection").set_weights([kernel, -centre @ kernel])
    return model


def _pooled(window: FloatArray) -> FloatArray:
    """Give mean and maximum over time: ``(n_steps, n_values)`` to ``(2 * n_values,)``."""
    return np.concatenate([window.mean(axis=0), window.max(axis=0)])


def write_examples(
    path: Path, model: keras.Model, examples: Examples, recordings: list[Recording]
) -> None:
    """Write embeddings of a few windows of every recording, for ``rtgenre.learning``."""
    chosen = [(AS_IT_IS, _spread_over_recordings(examples, EXAMPLES_PER_RECORDING))]
    if len(examples.copies) > DISTURBED:
        chosen.append((DISTURBED, _spread_over_recordings(examples, DISTURBED_PER_RECORDING)))
    embeddings = np.concatenate(
        [predict(model, examples.copies[copy][rows]) for copy, rows in chosen]
    )
    disturbed = np.repeat([copy > 0 for copy, _ in chosen], [len(rows) for _, rows in chosen])
    rows = np.concatenate([rows for _, rows in chosen])
    index = examples.recording_index[rows]
    artists = {name: number for number, name in enumerate(sorted({r.artist for r in recordings}))}
    genres = examples.genres[rows]
    taught = learning.Examples(
        embeddings,
        labels=np.where(genres < 0, learning.OTHER, genres),
        groups=np.array([artists[recordings[one].artist] for one in index]),
        recordings=index,
        disturbed=disturbed,
    )
    learning.write_examples(taught, path)


def _spread_over_recordings(examples: Examples, most: int) -> IntArray:
    """Choose some windows of every recording of music, evenly over it."""
    music = np.flatnonzero(examples.is_music > 0)
    index = examples.recording_index[music]
    chosen: list[int] = []
    for recording in np.unique(index):
        rows = music[index == recording]
        n = min(most, len(rows))
        chosen += rows[np.linspace(0, len(rows) - 1, n + 2)[1:-1].round().astype(int)].tolist()
    return np.unique(np.array(chosen, dtype=np.int64))
