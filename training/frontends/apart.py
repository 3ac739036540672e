"""The second ear as it ships, taken apart again into what teaching changes.

``second_ear.build_second_ear`` arranges kernels so that LiteRT runs them fast, and folds constants
into them; this undoes both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from training.frontends.second_ear import FRAMES_TOGETHER, folded_dense

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from training.frontends.musicnn import Layer, Weights

    FloatArray = NDArray[np.float32]
    Pair = tuple[FloatArray, FloatArray]


def taught_arrays_of(ear: keras.Model, before: Weights) -> dict[str, FloatArray]:
    """Give what ``second_ear.taught_arrays`` gives, of an ear as it ships.

    Args:
        ear: of ``build_second_ear``; its layers may hold other kernels and biases by now.
        before: what it was built of. What takes the values of dead filters is kept of it.

    Returns:
        Kernels and biases as ``second_ear.with_taught`` takes them.
    """

    def shipped(name: str) -> Pair:
        kernel, bias = ear.get_layer(f"musicnn_{name}").get_weights()
        return kernel, bias

    pairs: dict[str, Pair] = {}
    for index, one in enumerate(before.vertical):
        shapes, _ = shipped(f"v{index}_shapes")
        pairs[f"v{index}"] = _vertical(one, shapes, *shipped(f"v{index}"))
    for index, one in enumerate(before.horizontal):
        pairs[f"h{index}"] = _horizontal(one, *shipped(f"h{index}"))
    front = [*before.vertical, *before.horizontal]
    alive = np.concatenate([one.norm.is_alive for one in front])
    constants = np.concatenate([one.norm.shift for one in front])
    for index, one in enumerate(before.middle):
        pairs[f"m{index}"] = shipped(f"m{index}")
        if index == 0:
            pairs["m0"] = _first_middle(one, alive, constants, *pairs["m0"])
    n_middle = sum(len(one.bias) for one in before.middle)
    alive = np.append(alive, np.ones(n_middle, bool))
    pairs["dense"] = _dense(before, alive, constants, *shipped("dense"))
    return {
        f"{before.name}_{name}/{kind}": array
        for name, pair in pairs.items()
        for kind, array in zip(("kernel", "bias"), pair, strict=True)
    }


def _vertical(before: Layer, shapes: FloatArray, over_time: FloatArray, bias: FloatArray) -> Pair:
    """Make filters of their shapes again, of the first place's: ``(frames, bands, 1, n_alive)``."""
    n_bands, n_shapes = before.kernel.shape[1], over_time.shape[2]
    shapes = shapes.reshape(-1, shapes.shape[-1])[:n_bands, :n_shapes]
    kernel = np.einsum("bs,tsn->tbn", shapes, over_time[:, 0])
    return kernel[:, :, None], bias


def _horizontal(before: Layer, kernel: FloatArray, bias: FloatArray) -> Pair:
    """Take the first of the frames side by side: ``(frames, 1, 1, n_alive)``."""
    length, n_alive = len(before.kernel), int(before.norm.is_alive.sum())
    shift = -((length - 1) // 2) % FRAMES_TOGETHER
    kernel = kernel.reshape(-1, kernel.shape[-1])[shift : shift + length]
    return kernel[:, None, None, :n_alive], bias[:n_alive]


def _first_middle(
    before: Layer,
    alive: NDArray[np.bool_],
    constants: FloatArray,
    alive_kernel: FloatArray,
    bias: FloatArray,
) -> Pair:
    """Take what dead filters always gave out of the bias."""
    kernel = before.kernel.copy()
    kernel[:, alive] = alive_kernel
    return kernel, bias - constants[~alive] @ kernel[:, ~alive].sum(axis=0)


def _dense(
    before: Weights,
    alive: NDArray[np.bool_],
    constants: FloatArray,
    folded_kernel: FloatArray,
    bias: FloatArray,
) -> Pair:
    """Undo ``folded_dense``; what takes a value that is always nought keeps its weights."""
    if before.pooled_norm is None:
        raise ValueError(f"{before.name} has no normalisation of its pools: it is not musicnn's")
    kernel, scale = before.dense.kernel.copy(), before.pooled_norm.scale
    rows = np.flatnonzero(np.repeat(alive, 2))  # maximum and mean side by side
    folded = np.stack(np.split(folded_kernel, 2), axis=1).reshape(len(rows), -1)
    varies = scale[rows] != 0
    kernel[rows[varies]] = folded[varies] / scale[rows[varies], None]
    without_bias = replace(before.dense, kernel=kernel, bias=np.zeros_like(bias))
    _, always = folded_dense(replace(before, dense=without_bias), alive, constants)
    return kernel, bias - always
