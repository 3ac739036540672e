import json

import numpy as np
import pytest
import soundfile

from rtgenre import Model
from rtgenre.api.model import SharedClassifier
from tests.networks import INFO, ToneNetwork
from tests.signals import tone

RATE_HZ = 44100


@pytest.fixture
def model():
    """Hears jazz in low tones and rock in high ones."""
    return Model(SharedClassifier(INFO, ToneNetwork()))


@pytest.fixture
def song(tmp_path):
    """20 s of a low tone, then 20 s of a high one."""
    path = tmp_path / "song.wav"
    low, high = tone(200, 20, RATE_HZ), tone(8000, 20, RATE_HZ)
    soundfile.write(path, np.concatenate([low, high]), RATE_HZ)
    return path


@pytest.fixture
def printed(capsys):
    """Return the JSON that a command has printed."""
    return lambda: json.loads(capsys.readouterr().out)
