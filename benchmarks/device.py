"""A default input device that hears the demo recordings."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from rtgenre.demo import DEMO_RECORDINGS
from tests.pulse import PrivatePulse

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def heard_by_a_device(seconds: float) -> Iterator[None]:
    """Play the demo recordings into a sound server of our own, whose default input hears them."""
    pulse, before = PrivatePulse(), dict(os.environ)
    pulse.start()
    with tempfile.TemporaryDirectory() as folder:
        recordings = [soundfile.read(path, dtype="float32") for path in DEMO_RECORDINGS]
        samples = np.concatenate([each for each, _ in recordings])
        rate_hz = recordings[0][1]
        file = Path(folder) / "music.wav"
        n_samples = round(seconds * rate_hz)
        soundfile.write(file, np.resize(samples, (n_samples, samples.shape[1])), rate_hz)
        playing = pulse.play(file)
        os.environ.update(pulse.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            playing.kill()
            playing.wait()
            pulse.remove()
