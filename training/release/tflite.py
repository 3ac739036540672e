"""Networks as TFLite: how the service runs them, and the fastest way on a processor."""

from __future__ import annotations

import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from rtgenre.model.classifier import LiteRtNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.data.dataset import FloatArray


_LARGE = 50_000
"""Weights of a convolution."""


class Weights(StrEnum):
    """How a TFLite file keeps its weights."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    """Half the size; computed with in float32."""
    MIXED = "mixed"
    """The large convolutions' in 8 bits, computed with in 8 bits; the others' as float16."""

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
    if weights == Weights.MIXED:
        return _with_large_convolutions_in_8_bits(convert(model), _large_convolutions(model))
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
    if weights == Weights.FLOAT16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def _large_convolutions(model: keras.Model) -> list[str]:
    """Name the convolutions that most of the weights and of the time belong to."""
    names: list[str] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            names += _large_convolutions(layer)
        elif isinstance(layer, keras.layers.Conv2D) and layer.kernel.shape.num_elements() >= _LARGE:
            names.append(layer.name)
    return names


def _with_large_convolutions_in_8_bits(network: bytes, names: Sequence[str]) -> bytes:
    """Quantise a TFLite network in float32: activations of these convolutions as they come.

    Early and small convolutions stay: they lose accuracy and win no time.
    """
    from ai_edge_quantizer import qtyping, quantizer, recipe_manager

    recipe = recipe_manager.RecipeManager()
    float16 = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    kinds = qtyping.TFLOperationName
    for kind in (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D, kinds.FULLY_CONNECTED):
        recipe.add_quantization_config(
            regex=".*", operation_name=kind, op_config=float16, algorithm_key="float_casting"
        )
    for name in names:
        recipe.add_dynamic_config(
            regex=rf".*/{re.escape(name)}(_\d+)?/.*", operation_name=kinds.CONV_2D, num_bits=8
        )
    return bytes(
        quantizer.Quantizer(network, recipe.get_quantization_recipe()).quantize().quantized_model
    )


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
