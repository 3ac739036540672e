"""The genres' colours on the page, in the terminal and on lamps; pure."""

from __future__ import annotations

import colorsys
import hashlib
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

GENRE_COLORS = {
    "blues": "#0257ff",
    "classical": "#b89b05",
    "country": "#c45402",
    "disco": "#9015aa",
    "hiphop": "#c39cff",
    "jazz": "#01cdbb",
    "metal": "#009ebc",
    "pop": "#ff4a98",
    "reggae": "#87c76b",
    "rock": "#aa0225",
    "unknown": "#787c80",
    "silence": "#404448",
}
"""Far apart for every kind of colour vision, and on lamps, which take hues only."""

_N_SPARE_HUES = 36
_SPARE_TONES = ((0.4, 0.8), (0.65, 0.7))
"""Lightness and saturation."""
_DISTINCT = 0.12
"""Distance in Oklab from which on a colour counts as another one."""
# Linear sRGB to cone responses, and those, compressed, to Oklab (B. Ottosson, 2020).
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def complete_colors(colors: Mapping[str, str], labels: Iterable[str]) -> dict[str, str]:
    """Give every genre a colour: one without gets one that no other shown genre has.

    Args:
        colors: ``#rrggbb`` by genre, ``unknown`` and ``silence``.
        labels: the genres that are shown.

    Returns:
        ``colors`` and those of the other labels. A label gets the same colour every time, unless
        that is too near to another label's.
    """
    complete = dict(colors)
    wanted = sorted(set(labels))
    spare = _spare_colors()
    places = _oklab(spare)
    taken = [colors[name] for name in (*wanted, "unknown", "silence") if name in colors]
    # From each spare colour to the nearest one that is taken.
    gaps = np.full(len(spare), np.inf)
    for place in _oklab(taken):
        gaps = np.minimum(gaps, np.linalg.norm(places - place, axis=1))
    for label in wanted:
        if label not in complete:
            index = _choose(label, gaps)
            complete[label] = spare[index]
            gaps = np.minimum(gaps, np.linalg.norm(places - places[index], axis=1))
    return complete


def ink(color: str) -> Literal["#000000", "#ffffff"]:
    """Return black or white, whichever can be read better on ``color`` (WCAG 2.2, 1.4.3)."""
    luminance = float(_linear([color])[0] @ [0.2126, 0.7152, 0.0722])
    return "#000000" if luminance > 0.179 else "#ffffff"


def _choose(label: str, gaps: NDArray[np.float64]) -> int:
    """Return the first spare colour, from the label's own place on, that is free."""
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).digest()
    order = np.roll(np.arange(len(gaps)), -(int.from_bytes(digest[:4], "big") % len(gaps)))
    free = order[gaps[order] >= _DISTINCT]
    return int(free[0] if len(free) else order[gaps[order].argmax()])


def _spare_colors() -> list[str]:
    return [
        "#" + bytes(round(255 * value) for value in colorsys.hls_to_rgb(hue, *tone)).hex()
        for hue in np.arange(_N_SPARE_HUES) / _N_SPARE_HUES
        for tone in _SPARE_TONES
    ]


def _oklab(colors: Sequence[str]) -> NDArray[np.float64]:
    """Return ``#rrggbb`` as ``(n, 3)`` in Oklab, where distances are those that people see."""
    result: NDArray[np.float64] = np.cbrt(_linear(colors) @ _CONES.T) @ _OKLAB.T
    return result


def _linear(colors: Sequence[str]) -> NDArray[np.float64]:
    """Return ``#rrggbb`` as ``(n, 3)`` of light from 0 to 1 (sRGB, IEC 61966-2-1)."""
    channels = np.array([list(bytes.fromhex(color[1:])) for color in colors]).reshape(-1, 3) / 255
    linear: NDArray[np.float64] = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear
