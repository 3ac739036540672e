"""Keywords of the API, checked as the settings of the same names."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rtgenre.config import merge_layers

if TYPE_CHECKING:
    from rtgenre.config import Config
    from rtgenre.tracking.smoothing import TrackerParams


def checked_keywords(*, hop_seconds: float, smoothing: TrackerParams, **source: Any) -> Config:
    """Return settings that hold these values; neither files nor the environment are read.

    Args:
        hop_seconds: time between windows, 0.25 to 4.
        smoothing: how calm or how quick the shown genre is.
        source: keys of ``[source]``.

    Raises:
        ConfigError: a value is out of range; the message names the table and the key.
    """
    keywords = {
        "source": source,
        "windows": {"hop_seconds": hop_seconds},
        "smoothing": asdict(smoothing),
    }
    return merge_layers({"keyword": keywords})
