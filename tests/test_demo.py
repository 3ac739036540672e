"""The demo, as people see it whose machine has no input device."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.history.store import read_stretches
from rtgenre.model.classifier import Classifier
from rtgenre.model.features import log_mel_spectrogram
from rtgenre.model.folders import find_model_folder
from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.decode import open_audio
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Block
from tests.pulse import PrivatePulse

SHARE_SHOWN_RIGHT = 0.8
NO_INPUT = """
import sys
from rtgenre.sources import portaudio
from rtgenre.sources.base import NoInputDevice

def find_none(*_):
    raise NoInputDevice("this machine has no input device")

portaudio.find_input_device = find_none
from rtgenre.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load(find_model_folder("crnn"), threads=1)


def shown(path, classifier):
    """Return what the live chain shows of a file, window by window."""
    info = classifier.info
    pipeline = Pipeline(
        node="demo",
        source="demo",
        channel="mix",
        hop_seconds=2.0,
        info=info,
        tracker_params=TrackerParams(),
    )
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    windows = [*pipeline.push(Block(samples, rate_hz, 0.0, gap=False)), *pipeline.finish()]
    features = [log_mel_spectrogram(window.samples, info.features) for window in windows]
    predictions = classifier.predict(np.stack(features))
    return [
        pipeline.conclude(window, prediction, latency_seconds=0.0)["genre"]
        for window, prediction in zip(windows, predictions, strict=True)
    ]


@pytest.mark.parametrize("path", DEMO_RECORDINGS, ids=lambda path: path.stem)
def test_the_demo_shows_the_genre_that_plays_at_least_four_fifths_of_the_time(path, classifier):
    genres = shown(path, classifier)
    assert genres.count(path.stem) >= SHARE_SHOWN_RIGHT * len(genres), genres


@pytest.mark.parametrize("path", DEMO_RECORDINGS, ids=lambda path: path.stem)
def test_titles_of_the_demo_name_artist_genre_and_licence(path):
    track = open_audio(path).track
    assert track.artist
    title = track.title
    assert path.stem in title
    assert any(licence in title for licence in ("public domain", "Expat", "CC BY"))


def test_the_demo_says_that_it_is_one_and_leaves_history_and_broker_alone(tmp_path):
    history = tmp_path / "history.db"
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.setblocking(False)
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", NO_INPUT, "run", "--json", "--port", "0"),
                *("--mqtt-host", f"127.0.0.1:{broker.getsockname()[1]}"),
            ],
            env=os.environ | {"RTGENRE_HISTORY__FILE": str(history)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        documents = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        with pytest.raises(BlockingIOError):
            broker.accept()
    assert b"no input device; playing the demo" in err
    assert {document["source"] for document in documents} == {"demo: 4 recordings"}
    assert documents[0]["artist"].startswith("J. S. Bach")
    assert read_stretches(history, 0.0, time.time() + 60) == []


def test_the_demo_gives_way_to_an_input_that_is_plugged_in(tmp_path):
    history = tmp_path / "history.db"
    pulse = PrivatePulse()
    environment = pulse.environment | {"RTGENRE_HISTORY__FILE": str(history)}
    try:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "rtgenre", "run"),
                *("--json", "--port", "0", "--hop-seconds", "0.5"),
            ],
            env=environment | {"PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert json.loads(process.stdout.readline())["source"] == "demo: 4 recordings"
        pulse.start()
        sources = (json.loads(line)["source"] for line in process.stdout)
        inputs = (source for source in sources if not source.startswith("demo: "))
        assert [next(inputs), next(inputs)] == ["device: default"] * 2
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        pulse.remove()
    assert process.returncode == 0, err
    assert b"an input now: listening to it instead of the demo" in err
    # Of the demo nothing was kept.
    stretches = read_stretches(history, 0.0, time.time() + 60)
    assert [stretch.genre for stretch in stretches] == ["silence"]


def test_the_demo_can_be_asked_for_whatever_inputs_the_settings_name(tmp_path):
    settings = tmp_path / "rooms.toml"
    settings.write_text(
        '[[source]]\nnode = "a"\ninput = "/nowhere.wav"\n[[source]]\nnode = "b"\ninput = "USB"\n'
        '[mqtt]\nhost = "127.0.0.1"\n'
    )
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "rtgenre", "demo", "--config", str(settings)),
            *("--json", "--port", "0"),
        ],
        env=os.environ | {"RTGENRE_HISTORY__FILE": str(tmp_path / "history.db")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    document = json.loads(process.stdout.readline())
    # Also when the settings are read again, nothing asks for a restart.
    process.send_signal(signal.SIGHUP)
    told = b""
    while b"settings read again" not in told:
        told = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert b"no changes" in told
    assert b"restart" not in err
    assert document["source"] == "demo: 4 recordings"
    assert document["node"] not in {"a", "b"}
    assert read_stretches(tmp_path / "history.db", 0.0, time.time() + 60) == []
