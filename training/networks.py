"""The networks, from decibels to probabilities; keras.ops only, so any Keras backend trains them.

Every network takes ``(batch, n_frames, n_mels)`` dB in ``[-top_db, 0]`` and gives
``(batch, n_labels + 1)``: a softmax over the genres, then the probability that this is music.
"""

from __future__ import annotations

import keras

from training.dataset import FEATURES

CNN_SIDE = 150


def build_cnn(
    n_labels: int, channels: tuple[int, ...] = (32, 64, 128, 128), dropout: float = 0.3
) -> keras.Model:
    """Build a plain CNN on the spectrogram resized to a square of 150 by 150."""
    decibels = keras.Input((FEATURES.n_frames, FEATURES.n_mels), name="decibels")
    x = keras.layers.Rescaling(1.0 / 40.0, offset=1.0)(decibels)  # about -1 to 1
    x = keras.layers.Reshape((FEATURES.n_frames, FEATURES.n_mels, 1))(x)
    x = keras.layers.Resizing(CNN_SIDE, CNN_SIDE)(x)
    for index, n_channels in enumerate(channels):
        # The first layer strides, because three quarters of the time would be spent there.
        size, stride = (5, 2) if index == 0 else (3, 1)
        x = keras.layers.Conv2D(n_channels, size, stride, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        if index < len(channels) - 1:
            x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.SpatialDropout2D(dropout / 3)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(decibels, _outputs(x, n_labels, dropout), name="cnn")


def _outputs(x: keras.KerasTensor, n_labels: int, dropout: float) -> keras.KerasTensor:
    """Genres and music, from one vector."""
    x = keras.layers.Dropout(dropout)(x)
    genres = keras.layers.Dense(n_labels, activation="softmax", name="genres")(x)
    music = keras.layers.Dense(1, activation="sigmoid", name="music")(x)
    return keras.layers.Concatenate(name="probabilities")([genres, music])
