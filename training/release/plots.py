"""Pictures of an evaluation and of a training run, as small PNGs."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from training.data.dataset import IntArray
    from training.scoring.metrics import Bin

_DPI = 90


def plot_confusion(confusion: IntArray, labels: Sequence[str], title: str, path: Path) -> None:
    """Draw which genre (row) was taken for which (column), in per cent of the row."""
    shares = 100.0 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    columns = [*labels, "none"][: confusion.shape[1]]
    figure, axes = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("recognised as")
    axes.set_ylabel("is")
    axes.set_title(title)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.5:
            colour = "white" if share > 50 else "black"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour)
    _save(figure, path)


def plot_reliability(bins: Sequence[Bin], ece: float, title: str, path: Path) -> None:
    """Draw how often predictions of each confidence are right; ideally on the diagonal."""
    figure, axes = plt.subplots(figsize=(4.8, 4.4), layout="constrained")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    confidence, accuracy = [one.confidence for one in bins], [one.accuracy for one in bins]
    largest = max(one.n for one in bins)
    axes.plot(confidence, accuracy, color="tab:blue")
    axes.scatter(confidence, accuracy, s=[10 + 90 * one.n / largest for one in bins])
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that is right")
    axes.set_title(f"{title}, ECE {ece:.3f}")
    _save(figure, path)


def plot_curves(curves: Mapping[str, Sequence[float]], title: str, path: Path) -> None:
    """Draw one line per named series, over epochs."""
    figure, axes = plt.subplots(figsize=(6.0, 4.0), layout="constrained")
    for name, values in curves.items():
        axes.plot(range(1, len(values) + 1), values, label=name)
    axes.set_xlabel("epoch")
    axes.set_title(title)
    axes.legend()
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
