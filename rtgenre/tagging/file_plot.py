"""Draws a recording's sections over its spectrogram."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.audio.columns import Column, ColumnMaker
from rtgenre.audio.samples import Resampler, sanitise, select_channel
from rtgenre.errors import RtgenreError
from rtgenre.model.feature_params import FeatureParams
from rtgenre.outputs.colors import GENRE_COLORS, complete_colors
from rtgenre.sources.decode import open_audio
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rtgenre.tagging.file_verdict import FileVerdict

# Wider pictures than this show no more.
_MOST_COLUMNS = 4000
# Narrower sections, as a share of the picture's width, have no room for their name.
_LEAST_NAMED_SHARE = 0.04
_NAME_HEIGHT = 0.93


def plot_file(verdict: FileVerdict, axes: Any = None) -> Any:
    """Draw and return the axes; see ``FileVerdict.plot``."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise RtgenreError("plot() needs matplotlib: pip install 'rtgenre[plot]'") from None
    values, seconds = _spectrogram(verdict.path)
    if axes is None:
        _, axes = plt.subplots(figsize=(12, 4), layout="constrained")
    axes.imshow(
        values, origin="lower", aspect="auto", cmap="gray", extent=(0, seconds, 0, len(values))
    )
    _draw_sections(verdict, axes)
    axes.set_xlim(0, seconds)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value // 60:.0f}:{value % 60:02.0f}")
    axes.set_yticks([])
    axes.set_ylabel("mel bands")
    # Names of files hold dollar signs, between which matplotlib would look for a formula.
    title = f"{told_path(verdict.path.name)}: {verdict.genre}"
    axes.set_title(title, loc="left", parse_math=False)
    return axes


def _draw_sections(verdict: FileVerdict, axes: Any) -> None:
    colors = complete_colors(GENRE_COLORS, list(verdict.probabilities))
    named = set()
    for section in verdict.sections:
        color = colors[section.genre]
        # One entry of the legend for each genre.
        label = section.genre if section.genre not in named else None
        named.add(section.genre)
        axes.axvspan(
            section.start_seconds, section.end_seconds, color=color, alpha=0.45, lw=0, label=label
        )
        axes.axvline(section.end_seconds, color=color, lw=1)
        middle = (section.start_seconds + section.end_seconds) / 2
        share = (section.end_seconds - section.start_seconds) / verdict.seconds
        if share >= _LEAST_NAMED_SHARE:
            axes.text(
                middle,
                _NAME_HEIGHT,
                section.genre,
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                clip_on=True,
                bbox={"facecolor": "white", "edgecolor": color, "boxstyle": "round"},
            )
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _spectrogram(path: Path) -> tuple[NDArray[np.uint8], float]:
    """Return ``(n_mels, n_columns)``, lowest band first, and how many seconds they are.

    Raises:
        DecodeError: the file can no longer be read.
    """
    columns = list(_columns(path))
    step = -(-len(columns) // _MOST_COLUMNS) or 1
    values = np.array([column.values for column in columns[::step]], dtype=np.uint8)
    return values.T, columns[-1].end_seconds


def _columns(path: Path) -> Iterator[Column]:
    params = FeatureParams()
    maker = ColumnMaker(params)
    n_samples = 0
    with closing(open_audio(path)) as file:
        resampler = Resampler(file.sample_rate_hz, params.sample_rate_hz)
        for block in file.blocks():
            samples, _, _ = sanitise(block)
            resampled = resampler.push(select_channel(samples, "mix"))
            n_samples += len(resampled)
            end_seconds = n_samples / params.sample_rate_hz
            yield from maker.push(resampled, end_seconds=end_seconds, captured_at=0.0)
