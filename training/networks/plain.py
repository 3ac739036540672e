"""Networks that know nothing before they are trained; keras layers only, for any backend.

Each takes ``(batch, n_frames, n_mels)`` float32, dB relative to the window's loudest bin, and gives
``(batch, n_labels + 1)``: probabilities of the genres, then that of music.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.data.dataset import FEATURES

Tensor = Any
GENRE_LOGITS = "genre_logits"
"""Name of the layer that a temperature is folded into."""
PICTURE_SIDE = 150
_MOMENTUM = 0.9
"""Of the running statistics: runs are short."""


def build_cnn(n_labels: int, dropout: float = 0.3) -> keras.Model:
    """Build the plain CNN: the spectrogram as a 150 x 150 picture, four convolutions.

    The first strides, and all pool before they normalise, which makes it three times as fast.
    """
    window, x = _picture()
    x = layers.Resizing(PICTURE_SIDE, PICTURE_SIDE, interpolation="bilinear")(x)
    x = _convolution(x, 24, pool=(2, 2), size=5, strides=2)  # 37 x 37
    x = _convolution(x, 48, pool=(2, 2))  # 18 x 18
    x = _convolution(x, 96, pool=(2, 2))  # 9 x 9
    x = layers.SpatialDropout2D(dropout / 3)(x)
    x = _convolution(x, 128, pool=None)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(window, _outputs(x, n_labels, dropout), name="cnn")


def build_crnn(n_labels: int, dropout: float = 0.3) -> keras.Model:
    """Build the plain CRNN: four convolutions, a bidirectional LSTM, attention over time."""
    window, x = _picture()
    x = _convolution(x, 24, pool=(2, 2))  # 47 columns, 64 bands
    x = _convolution(x, 48, pool=(2, 2))  # 23, 32
    x = _convolution(x, 72, pool=(1, 4))  # 23, 8
    x = _convolution(x, 96, pool=(1, 4))  # 23, 2
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1, name="attention")(x))
    x = layers.Flatten()(layers.Dot(axes=1)([x, weights]))
    return keras.Model(window, _outputs(x, n_labels, dropout), name="crnn")


def _picture() -> tuple[Tensor, Tensor]:
    """Give the input and its picture, ``(batch, n_frames, n_mels, 1)`` in [-1, 1]."""
    window = keras.Input((FEATURES.n_frames, FEATURES.n_mels), name="window")
    x = layers.Rescaling(2.0 / FEATURES.top_db, offset=1.0)(window)
    return window, layers.Reshape((FEATURES.n_frames, FEATURES.n_mels, 1))(x)


def _convolution(
    x: Tensor, n_filters: int, pool: tuple[int, int] | None, size: int = 3, strides: int = 1
) -> Tensor:
    x = layers.Conv2D(n_filters, size, strides, padding="same", use_bias=False)(x)
    if pool:
        x = layers.MaxPooling2D(pool)(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM)(x)
    return layers.Activation("relu")(x)


def _outputs(x: Tensor, n_labels: int, dropout: float) -> Tensor:
    x = layers.Dropout(dropout)(x)
    genres = layers.Softmax(name="genres")(layers.Dense(n_labels, name=GENRE_LOGITS)(x))
    music = layers.Dense(1, activation="sigmoid", name="music")(x)
    return layers.Concatenate(name="genres_and_music")([genres, music])
