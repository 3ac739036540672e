"""The CRNN behind the ear, in keras layers and keras.ops only: for TensorFlow, JAX and PyTorch.

What is trained gives logits: genres, then music, then familiar. What is shipped
(``with_probabilities``) gives the genres' probabilities, that of music, that of one of the genres,
and an embedding of the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from training.networks.voices import LINEAR_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.networks.voices import Voices

    FloatArray = NDArray[np.float32]

Tensor = Any
N_FURTHER = 2
"""Outputs behind the genres: music, familiar."""


def build_heads(
    n_steps: int,
    n_values: int,
    n_labels: int,
    *,
    dense_units: int = 96,
    lstm_units: int = 48,
    dropout: float = 0.4,
) -> keras.Model:
    """Build what classifies: dense, bidirectional LSTM, attention.

    Args:
        n_steps: in a window.
        n_values: of the ear, each step.
        n_labels: genres.
        dense_units: values a step that are made of the ear's.
        lstm_units: in each direction.
        dropout: share of the values that are left out while training.

    Returns:
        ``(batch, n_steps, n_values)`` to logits ``(batch, n_labels + 2)``. Its layer
        ``standardise`` must be given the values' mean and variance.
    """
    steps = keras.Input((n_steps, n_values), name="steps")
    standard = layers.BatchNormalization(
        center=False, scale=False, name="standardise", trainable=False
    )(steps)
    x = layers.Dropout(dropout / 2)(standard)
    x = layers.Dense(dense_units, activation="relu", name="dense")(x)
    x = layers.Dropout(dropout)(x)
    lstm = layers.LSTM(lstm_units, return_sequences=True)
    x = layers.Bidirectional(lstm, name="bilstm")(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1, name="attention")(x))
    x = layers.Flatten()(layers.Dot(axes=1)([x, weights]))
    x = layers.Dropout(dropout)(x)
    recurrent = layers.Dense(n_labels + N_FURTHER, name="recurrent_logits")(x)
    logits = layers.Add(name="logits")([recurrent, _pooled_logits(standard, n_labels, dropout)])
    return keras.Model(steps, logits, name="heads")


def build_linear_head(n_steps: int, n_values: int, n_outputs: int) -> keras.Model:
    """Build linear verdicts on mean and maximum over time, and the choice between them.

    Layer ``alone`` judges music as it is, ``talked_over`` music that people talk over, and ``talk``
    says how likely that is (a mixture of experts, Jacobs et al. 1991).

    Returns:
        ``(batch, n_steps, n_values)`` to logits ``(batch, n_outputs)``.
    """
    steps = keras.Input((n_steps, n_values), name="steps")
    pools = [layers.GlobalAveragePooling1D()(steps), layers.GlobalMaxPooling1D()(steps)]
    pooled = layers.Concatenate()(pools)
    alone = layers.Dense(n_outputs, name="alone")(pooled)
    talked_over = layers.Dense(n_outputs, name="talked_over")(pooled)
    talk = layers.Dense(1, activation="sigmoid", name="talk")(pooled)
    logits = (1 - talk) * alone + talk * talked_over
    return keras.Model(steps, logits, name="linear_head")


def build_embedding(n_steps: int, n_values: int, size: int) -> keras.Model:
    """Build a linear map of mean and maximum over time: steps to ``(batch, size)``."""
    steps = keras.Input((n_steps, n_values), name="steps")
    pools = [layers.GlobalAveragePooling1D()(steps), layers.GlobalMaxPooling1D()(steps)]
    said = layers.Dense(size, name="projection")(layers.Concatenate()(pools))
    return keras.Model(steps, said, name="embedding")


def _pooled_logits(steps: Tensor, n_labels: int, dropout: float) -> Tensor:
    """Beside the recurrence: a linear verdict on mean and maximum over time."""
    pools = [layers.GlobalAveragePooling1D()(steps), layers.GlobalMaxPooling1D()(steps)]
    pooled = layers.Dropout(dropout)(layers.Concatenate()(pools))
    return layers.Dense(n_labels + N_FURTHER, name="pooled_logits")(pooled)


def chain(ears: Sequence[keras.Model], voices: Voices) -> keras.Model:
    """Put all that takes the ears' values on the ears, in one network.

    Args:
        ears: each takes ``(batch, n_frames, n_mels)``; the first one sets the steps, and what
            another one says of a whole window stands in every step.
        voices: the logits of recurrent heads are averaged, and these with the linear one's, see
            ``LINEAR_SHARE``.

    Returns:
        The ears' spectrograms one behind the other, flat, ``(batch, n)``, to logits and the
        embedding, ``(batch, n_logits + size)``.
    """
    shapes = [one.input_shape[1:] for one in ears]
    ends = np.cumsum([np.prod(shape) for shape in shapes]).tolist()
    windows = keras.Input((ends[-1],), name="windows")
    heard = [
        one(layers.Reshape(shape)(windows[:, start:end]))
        for one, shape, start, end in zip(ears, shapes, [0, *ends[:-1]], ends, strict=True)
    ]
    n_steps = heard[0].shape[1]
    steps = layers.Concatenate()(
        [heard[0], *(layers.UpSampling1D(n_steps)(one) for one in heard[1:])]
    )
    for number, one in enumerate(voices.heads):
        one.name = f"heads{number}"  # keras refuses two of one name
    recurrent = [one(steps) for one in voices.heads]
    recurrent = layers.Average()(recurrent) if len(recurrent) > 1 else recurrent[0]
    embedded = voices.embedding(steps)
    verdict = (1 - LINEAR_SHARE) * recurrent + LINEAR_SHARE * voices.linear(steps)
    logits = voices.tempering([verdict, embedded])
    return keras.Model(windows, layers.Concatenate()([logits, embedded]))


def with_probabilities(
    model: keras.Model, n_labels: int, *, temperature: float, offsets: Sequence[float]
) -> keras.Model:
    """Make the network that is shipped: it gives probabilities.

    Args:
        model: gives ``n_labels + 2`` logits, and an embedding behind them.
        n_labels: genres.
        temperature: divides the genres' logits, so that confidence means something.
        offsets: added to the logits of music and of familiar, as other odds than in training mean.
    """
    window = keras.Input(model.input_shape[1:], name="window")
    said = model(window)
    n_logits = n_labels + N_FURTHER
    logits, embedding = said[:, :n_logits], said[:, n_logits:]
    chosen = np.eye(n_logits, dtype=np.float32)
    genres = _linear(logits, chosen[:, :n_labels] / np.float32(temperature), "temperature")
    outputs = [layers.Softmax(name="genres")(genres)]
    for name, column, offset in zip(
        ("music", "familiar"), (n_labels, n_labels + 1), offsets, strict=True
    ):
        one = _linear(logits, chosen[:, column : column + 1], f"{name}_logit")
        one = layers.Rescaling(1.0, offset=offset, name=f"{name}_odds")(one)
        outputs.append(layers.Activation("sigmoid", name=name)(one))
    outputs.append(embedding)
    return keras.Model(window, layers.Concatenate(name="outputs")(outputs), name="crnn")


def _linear(x: Tensor, matrix: FloatArray, name: str) -> Tensor:
    layer = layers.Dense(matrix.shape[1], use_bias=False, name=name)
    x = layer(x)
    layer.set_weights([matrix])
    return x
