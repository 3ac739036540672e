"""Convolutions arranged as YAMNet's, far narrower and with random weights."""

import numpy as np

from training.frontends.yamnet import Convolution

_WIDTHS_AND_STRIDES = (
    *((4, 1), (6, 2), (6, 1), (8, 2), (8, 1), (10, 2)),
    *([(10, 1)] * 5),
    *((12, 2), (12, 1)),
)


def tiny_yamnet() -> tuple[Convolution, ...]:
    """27 convolutions: one, then 13 pairs of a depthwise and a pointwise one."""
    rng = np.random.default_rng(5)

    def convolution(*shape: int, stride: int = 1, depthwise: bool = False) -> Convolution:
        kernel = rng.normal(scale=np.sqrt(2 / np.prod(shape[:3])), size=shape).astype(np.float32)
        n_out = shape[2] if depthwise else shape[3]
        return Convolution(kernel, np.full(n_out, 0.1, np.float32), stride, depthwise)

    convolutions = [convolution(3, 3, 1, 4, stride=2)]
    n_in = 4
    for width, stride in _WIDTHS_AND_STRIDES:
        convolutions.append(convolution(3, 3, n_in, 1, stride=stride, depthwise=True))
        convolutions.append(convolution(1, 1, n_in, width))
        n_in = width
    return tuple(convolutions)
