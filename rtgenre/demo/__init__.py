"""The demo recordings, for machines without an input device; README.md here says whose they are."""

from pathlib import Path

_FOLDER = Path(__file__).parent
_GENRES = ("classical", "jazz", "metal", "country")

DEMO_RECORDINGS = tuple(_FOLDER / f"{genre}.ogg" for genre in _GENRES)
"""Each named after its genre, in the order they are played; tags hold title, genre and licence."""
DEMO_RECORDING = DEMO_RECORDINGS[0]
