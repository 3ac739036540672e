"""How loud the inputs are, through a real sound server."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.pulse import PrivatePulse

REPOSITORY = Path(__file__).parents[2]

MEASURE = """
import json
from rtgenre.sources.levels import measure_levels
levels, more = measure_levels({"default"})
print(json.dumps([[each.device.name, each.level_dbfs, each.problem] for each in levels]))
"""


@pytest.fixture
def pulse():
    server = PrivatePulse()
    server.start()
    yield server
    server.kill()


def measured(pulse):
    command = [sys.executable, "-c", MEASURE]
    environment = pulse.environment | {"PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return {name: (level, problem) for name, level, problem in json.loads(result.stdout)}


@pytest.mark.skipif(sys.platform != "linux", reason="uses PulseAudio")
def test_what_plays_shows_on_the_input_that_hears_it_and_one_in_use_is_left_alone(pulse, tmp_path):
    assert measured(pulse)["pulse"] == (-120.0, None)
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(0.06 * np.arange(44100 * 30)), 44100)
    player = pulse.play(path)
    try:
        # It begins a moment after it was started.
        level = -120.0
        while level < -60:
            found = measured(pulse)
            level = found["pulse"][0]
    finally:
        player.kill()
        player.wait()
    assert level == pytest.approx(-23, abs=1)
    assert found["default"] == (None, None)
