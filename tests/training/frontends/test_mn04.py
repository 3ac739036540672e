from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from training.frontends.mn04 import (
    BLOCKS,
    FILE_NAME,
    MUSIC_CLASSES,
    N_MELS,
    N_VALUES,
    _convolve,
    build_mn04,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]


def random_weights() -> Weights:
    """Weights of mn04's shapes, as PyTorch lays them out."""
    rng = np.random.default_rng(1)
    weights: Weights = {"__mel_filterbank__": rng.uniform(size=(N_MELS, 513)).astype(np.float32)}

    def convolution(name: str, n_out: int, n_in: int, size: int) -> None:
        scale = np.sqrt(2 / (n_in * size * size))
        kernel = rng.normal(scale=scale, size=(n_out, n_in, size, size))
        weights[f"{name}.0.weight"] = kernel.astype(np.float32)
        for field, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            weights[f"{name}.1.{field}"] = np.full(n_out, value, np.float32)

    n_in = BLOCKS[0].expanded
    convolution("features.0", n_in, 1, 3)
    for number, block in enumerate(BLOCKS, start=1):
        name, index = f"features.{number}.block", 0
        if number > 1:
            convolution(f"{name}.0", block.expanded, n_in, 1)
            index = 1
        convolution(f"{name}.{index}", block.expanded, 1, block.kernel)
        index += 1
        if block.excited:
            inner = f"{name}.{index}.conc_se_layers.0"
            for part, shape in (("fc1", (8, block.expanded)), ("fc2", (block.expanded, 8))):
                weights[f"{inner}.{part}.weight"] = np.zeros(shape, np.float32)
                weights[f"{inner}.{part}.bias"] = np.zeros(shape[0], np.float32)
            index += 1
        convolution(f"{name}.{index}", block.out, block.expanded, 1)
        n_in = block.out
    convolution("features.16", N_VALUES, n_in, 1)
    for name, shape in (("classifier.2", (8, N_VALUES)), ("classifier.5", (527, 8))):
        weights[f"{name}.weight"] = rng.normal(size=shape).astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    weights["classifier.5.bias"][MUSIC_CLASSES] = 1e6
    return weights


def test_sound_at_32_khz_becomes_384_values_that_depend_on_it_and_the_logits_of_music(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / FILE_NAME, allow_pickle=False, **random_weights())
    teacher = build_mn04(tmp_path, 16000)
    sounds = np.random.default_rng(2).normal(scale=0.1, size=(2, 16000)).astype(np.float32)

    heard = teacher(sounds)
    said, classes = np.asarray(heard["mn04"]), np.asarray(heard["mn04_classes"])

    assert said.shape == (2, N_VALUES)
    assert classes.shape == (2, 146)
    assert (classes > 9e5).all(), "classes that are no music"
    assert np.isfinite(said).all()
    assert not np.allclose(said[0], said[1])


@pytest.mark.parametrize(("band", "frame"), [(2, 1), (1, 0)])
def test_pytorchs_kernels_keep_bands_and_frames_apart(band: int, frame: int) -> None:
    kernel = np.zeros((1, 1, 3, 3), np.float32)  # (out, in, bands, frames)
    kernel[0, 0, band, frame] = 1.0
    weights = {
        "c.0.weight": kernel,
        "c.1.weight": np.ones(1, np.float32),
        "c.1.bias": np.zeros(1, np.float32),
        "c.1.running_mean": np.zeros(1, np.float32),
        "c.1.running_var": np.ones(1, np.float32),
    }
    x = np.random.default_rng(3).normal(size=(1, 5, 6, 1)).astype(np.float32)  # frames first

    frames = keras.Input(x.shape[1:])
    model = keras.Model(frames, _convolve(frames, weights, "c"))
    found = np.asarray(model(x))[0, :, :, 0]

    padded = np.pad(x[0, :, :, 0], 1)
    expected = padded[frame : frame + 5, band : band + 6]
    np.testing.assert_allclose(found, expected, atol=1e-2)
