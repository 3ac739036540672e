"""The demo recording, for machines without an input device; README.md here says whose it is."""

from pathlib import Path

DEMO_RECORDING = Path(__file__).parent / "vibe_ace.ogg"
