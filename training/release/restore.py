"""Weights of a network back out of the TFLite file that was made of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers

from training.data.dataset import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_edge_litert.interpreter import Interpreter

    from training.data.dataset import FloatArray


def restore(network: keras.Model, path: Path) -> None:
    """Give a network's layers the kernels and biases that a TFLite file keeps of them.

    Normalisations stay as they are. What the file keeps in 8 bits, or as float16, has no more
    digits than that.

    Args:
        network: convolutions, depthwise ones among them, and dense layers, each with a bias.
        path: of a TFLite file that ``convert`` made of this network, or of one that it is part of.

    Raises:
        DatasetError: the file lacks one of the layers, or keeps it in another shape.
    """
    kept = _kept(path)
    for layer in network.layers:
        weights = layer.get_weights()
        if not weights or isinstance(layer, layers.BatchNormalization):
            continue
        # Keras numbers a layer once more for each network that it is put into.
        name = rf".*/{re.escape(network.name)}(_\d+)?/{re.escape(layer.name)}(_\d+)?/[^/]*"
        found = [pair for kernel_name, pair in kept.items() if re.fullmatch(name, kernel_name)]
        if not found:
            raise DatasetError(f"{path} keeps no weights of {layer.name} in {network.name}")
        kernel, bias = found[0]
        pair = [_in_order_of_keras(layer)(kernel), bias]
        if [one.shape for one in pair] != [one.shape for one in weights]:
            raise DatasetError(
                f"{path} keeps {layer.name} of {network.name} in the shapes "
                f"{[one.shape for one in pair]}, not {[one.shape for one in weights]}"
            )
        layer.set_weights(pair)


def _kept(path: Path) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Read kernels and biases, by the kernels' names, in the file's own order of axes."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    graph = model.subgraphs[0]
    kinds = [model.operatorCodes[one.opcodeIndex].builtinCode for one in graph.operators]
    kind = schema.BuiltinOperator
    operators = list(zip(kinds, graph.operators, strict=True))
    half = {one.outputs[0]: one.inputs[0] for k, one in operators if k == kind.DEQUANTIZE}
    with_kernel = (kind.CONV_2D, kind.DEPTHWISE_CONV_2D, kind.FULLY_CONNECTED)
    found = {}
    for _, one in ((k, one) for k, one in operators if k in with_kernel):
        kernel, bias = (int(half.get(index, index)) for index in one.inputs[1:3])
        if bias >= 0:  # not left out
            name = graph.tensors[kernel].name.decode()
            found[name] = _array(interpreter, kernel), _array(interpreter, bias)
    return found


def _array(interpreter: Interpreter, index: int) -> FloatArray:
    details = interpreter.get_tensor_details()[index]
    array: FloatArray = interpreter.get_tensor(index).astype(np.float32)
    scales: FloatArray = details["quantization_parameters"]["scales"]
    if len(scales):  # one for each output channel, which comes first
        array *= scales.reshape(-1, *[1] * (array.ndim - 1))
    return array


def _in_order_of_keras(layer: keras.Layer) -> Callable[[FloatArray], FloatArray]:
    """Say how a kernel's axes lie in Keras: TFLite has the output channels first."""
    if isinstance(layer, layers.DepthwiseConv2D):
        return lambda kernel: kernel[0, ..., None]
    if isinstance(layer, layers.Conv1D):
        return lambda kernel: kernel[:, 0].transpose(1, 2, 0)
    if isinstance(layer, layers.Conv2D):
        return lambda kernel: kernel.transpose(1, 2, 3, 0)
    return np.transpose
