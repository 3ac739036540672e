"""Networks as TFLite: how the service runs them, and the fastest way on a processor."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from rtgenre.model.classifier import LiteRtNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.data.dataset import FloatArray


class Weights(StrEnum):
    """How a TFLite file keeps its weights."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    """Half the size; computed with in float32."""
    INT8 = "int8"
    """A quarter of the size; computed with in 8 bits (dynamic range)."""

    @property
    def file_name(self) -> str:
        """Of the TFLite file in a run's folder."""
        return f"{self}.tflite"


def convert(model: keras.Model, weights: Weights = Weights.FLOAT32) -> bytes:
    """Convert a network to TFLite, for one window at a time.

    The recurrent layers only convert with a fixed batch size, so the network is rebuilt with one.

    Args:
        model: ``(batch, n_frames, n_mels)`` to ``(batch, n_outputs)``.
        weights: how they are kept.
    """
    import tensorflow as tf

    window = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="window")
    single = keras.models.clone_model(model, input_tensors=window)
    single.set_weights(model.get_weights())
    function = tf.function(lambda features: single(features, training=False))
    signature = tf.TensorSpec(window.shape, tf.float32)
    # The model itself must not be passed as second argument: that gives an error, or NaN.
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    if weights != Weights.FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == Weights.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def fast_network(model: keras.Model) -> Callable[[FloatArray], FloatArray]:
    """Run a network with LiteRT, several times as fast as Keras on a processor.

    Only TensorFlow's models can be converted; on another backend Keras runs it.

    Args:
        model: ``(batch, n_rows, n_columns)`` to ``(batch, ...)``.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda windows: np.asarray(model.predict(windows, verbose=0))
    flat = keras.Model(model.input, keras.layers.Flatten()(model.output))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(convert(flat))
        network = LiteRtNetwork(path, threads=1)
    shape = (-1, *model.output_shape[1:])
    return lambda windows: network.run(windows).reshape(shape)
