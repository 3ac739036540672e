"""Judge windows of the demo recordings, and save what comes out of each stage.

    python scripts/arm_windows.py OUT.npz [WINDOWS]

Runs with the installed package alone, here and on an emulated machine; ``scripts/arm.py`` compares.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from rtgenre import load_model
from rtgenre.audio.samples import Resampler, select_channel
from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.model.features import log_mel_spectrogram

if TYPE_CHECKING:
    from rtgenre.model.classifier import Classifier

WINDOWS = 8


def main(out: str, n_windows: int) -> None:
    """Save ``features`` and ``outputs`` of windows that lie evenly over all recordings.

    ``outputs`` has a row for each window, as ``said_of`` returns it.
    """
    classifier = load_model().classifier
    params = classifier.info.features
    features, outputs = [], []
    waveforms = [waveform(path, params.sample_rate_hz) for path in DEMO_RECORDINGS]
    for index in range(n_windows):
        samples = waveforms[index % len(waveforms)]
        last = len(samples) - params.window_samples
        start = round(last * (index // len(waveforms) + 0.5) / (n_windows / len(waveforms)))
        _mark()
        features.append(log_mel_spectrogram(samples[start:][: params.window_samples], params))
        _mark()
        outputs.append(said_of(features[-1], classifier))
        _mark()
    np.savez(out, features=np.array(features), outputs=np.array(outputs))


def said_of(features: np.ndarray, classifier: Classifier) -> np.ndarray:
    """Return the probabilities of one window: of the genres, of music, of familiar music."""
    (said,) = classifier.predict(features[None])
    return np.array([*said.probabilities, said.music, said.familiar], np.float32)


def _mark() -> None:
    """Let ``scripts/count_instructions.c`` say how many there were: it notices this question."""
    os.getppid()


def waveform(path: object, rate_hz: int) -> np.ndarray:
    """Return a recording as the service hears it: mono, at the model's rate."""
    samples, file_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    resampler = Resampler(file_rate_hz, rate_hz)
    return np.concatenate([resampler.push(select_channel(samples, "mix")), resampler.flush()])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else WINDOWS)
