"""EfficientAT's mn04, a teacher: MobileNetV3 x 0.4, trained on AudioSet by a transformer.

F. Schmid, K. Koutini and G. Widmer, "Efficient large-scale audio tagging", 2023; MIT licence. What
ships holds none of its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from training.frontends.spectra import centred_hann, power_spectrogram

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

Tensor = Any
FILE_NAME = "mn04_as.npz"
SAMPLE_RATE_HZ = 32000
N_VALUES = 384
MUSIC_CLASSES = slice(137, 283)
"""Those of AudioSet's 527 that are music: instruments, kinds, moods and what it is for."""
_EPSILON = 1e-3
_PRE_EMPHASIS = 0.97
_WINDOW_LENGTH, _FFT_LENGTH, _HOP_LENGTH = 800, 1024, 320


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block."""

    kernel: int
    expanded: int
    """Channels between; those that come in where nothing is expanded."""
    out: int
    excited: bool
    """Whether channels are scaled by what the whole sound says."""
    hard: bool
    """Whether its activation is hard swish, else ReLU."""
    stride: int


BLOCKS = (
    Block(3, 8, 8, excited=False, hard=False, stride=1),
    Block(3, 24, 16, excited=False, hard=False, stride=2),
    Block(3, 32, 16, excited=False, hard=False, stride=1),
    Block(5, 32, 16, excited=True, hard=False, stride=2),
    Block(5, 48, 16, excited=True, hard=False, stride=1),
    Block(5, 48, 16, excited=True, hard=False, stride=1),
    Block(3, 96, 32, excited=False, hard=True, stride=2),
    Block(3, 80, 32, excited=False, hard=True, stride=1),
    Block(3, 72, 32, excited=False, hard=True, stride=1),
    Block(3, 72, 32, excited=False, hard=True, stride=1),
    Block(3, 192, 48, excited=True, hard=True, stride=1),
    Block(3, 272, 48, excited=True, hard=True, stride=1),
    Block(5, 272, 64, excited=True, hard=True, stride=2),
    Block(5, 384, 64, excited=True, hard=True, stride=1),
    Block(5, 384, 64, excited=True, hard=True, stride=1),
)


def build_mn04(folder: Path, n_samples: int) -> keras.Model:
    """Build it as it was.

    Returns:
        ``(batch, n_samples)`` at 32 kHz to the 384 values before its classes (``mn04``), and the
        logits of those that are music (``mn04_classes``).
    """
    with np.load(folder / FILE_NAME) as arrays:
        weights = dict(arrays)
    sound = keras.Input((n_samples,), name="sound_32k")
    x = layers.Reshape((-1, N_MELS, 1))(_log_mel(sound, weights))
    x = _swish(_convolve(x, weights, "features.0", stride=2))
    for index, block in enumerate(BLOCKS, start=1):
        x = _block(x, weights, f"features.{index}.block", block)
    x = _swish(_convolve(x, weights, "features.16"))
    values = layers.GlobalAveragePooling2D()(x)
    inner = _swish(_linear(values, weights, "classifier.2"))
    classes = _linear(inner, weights, "classifier.5")[:, MUSIC_CLASSES]
    return keras.Model(sound, {"mn04": values, "mn04_classes": classes}, name="mn04")


N_MELS = 128


def _log_mel(sound: Tensor, weights: Weights) -> Tensor:
    emphasised = sound[:, 1:] - _PRE_EMPHASIS * sound[:, :-1]
    window = centred_hann(_WINDOW_LENGTH, _FFT_LENGTH)
    power = power_spectrogram(emphasised, window, _HOP_LENGTH, _FFT_LENGTH, centred=True)
    mel = ops.matmul(power, ops.convert_to_tensor(weights["__mel_filterbank__"].T))
    return (ops.log(mel + 1e-5) + 4.5) / 5.0  # (batch, n_frames, 128)


def _block(x: Tensor, weights: Weights, name: str, block: Block) -> Tensor:
    activate = _swish if block.hard else ops.relu
    y, index = x, 0
    if f"{name}.2.0.weight" in weights or f"{name}.3.0.weight" in weights:
        y = activate(_convolve(y, weights, f"{name}.0"))
        index = 1
    y = activate(_convolve(y, weights, f"{name}.{index}", stride=block.stride))
    index += 1
    if block.excited:
        y = _excite(y, weights, f"{name}.{index}.conc_se_layers.0")
        index += 1
    y = _convolve(y, weights, f"{name}.{index}")
    same = block.stride == 1 and x.shape[-1] == y.shape[-1]
    return layers.Add()([x, y]) if same else y


def _convolve(x: Tensor, weights: Weights, name: str, stride: int = 1) -> Tensor:
    """Convolve and normalise, frames first: PyTorch's kernels are (out, in, bands, frames)."""
    kernel = weights[f"{name}.0.weight"].transpose(3, 2, 1, 0)  # (frames, bands, in, out)
    depthwise = kernel.shape[2] == 1 and x.shape[-1] > 1
    size = kernel.shape[0]
    if size > 1:
        x = layers.ZeroPadding2D((size - 1) // 2)(x)
    options = {"strides": stride, "use_bias": False, "name": f"mn04_{name.replace('.', '_')}"}
    layer = (
        layers.DepthwiseConv2D(size, **options)
        if depthwise
        else layers.Conv2D(kernel.shape[-1], size, **options)
    )
    x = layer(x)
    layer.set_weights([kernel.transpose(0, 1, 3, 2) if depthwise else kernel])
    norm = layers.BatchNormalization(epsilon=_EPSILON, trainable=False)
    x = norm(x)
    fields = ("weight", "bias", "running_mean", "running_var")
    norm.set_weights([weights[f"{name}.1.{field}"] for field in fields])
    return x


def _excite(x: Tensor, weights: Weights, name: str) -> Tensor:
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = ops.relu(_linear(gate, weights, f"{name}.fc1"))
    gate = ops.sigmoid(_linear(gate, weights, f"{name}.fc2"))
    return layers.Multiply()([x, gate])


def _linear(x: Tensor, weights: Weights, name: str) -> Tensor:
    kernel, bias = weights[f"{name}.weight"].T, weights[f"{name}.bias"]
    return ops.matmul(x, ops.convert_to_tensor(kernel)) + ops.convert_to_tensor(bias)


def _swish(x: Tensor) -> Tensor:
    return x * ops.relu6(x + 3.0) / 6.0
