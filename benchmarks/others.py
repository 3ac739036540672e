"""How fast ``rtgenre tag`` is beside musicnn as its authors ship it, and beside YAMNet.

``python -m benchmarks.others`` lets all three hear the same songs by turns, on all cores, their
start included. musicnn (MSD_musicnn, its defaults) and the Keras that it needs are fetched with pip
into a folder of their own. YAMNet's authors put no package on PyPI: its network is built here in
Keras of their weights, and hears patches of 0.96 s, one every 0.48 s, as theirs does. librosa reads
the songs for it, as it does for musicnn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tagging import make_library, tag

if TYPE_CHECKING:
    from collections.abc import Callable

MUSICNN = """
import sys
from musicnn.extractor import extractor
for song in sys.argv[1:]:
    extractor(song, model="MSD_musicnn", extract_features=False)
"""
YAMNET = """
import sys
import keras
import librosa
import numpy as np
from training.frontends.ear import convolve
from training.frontends.spectra import yamnet_log_mel
from training.frontends.yamnet import load_yamnet
patches = keras.Input((96, 64, 1))
heard = keras.layers.GlobalAveragePooling2D()(convolve(patches, load_yamnet()))
network = keras.Model(patches, heard)
for song in sys.argv[1:]:
    sound, _ = librosa.load(song, sr=16000)
    frames = np.asarray(yamnet_log_mel(sound[None]))[0]
    cut = np.lib.stride_tricks.sliding_window_view(frames, 96, axis=0)[::48]
    network.predict(cut.transpose(0, 2, 1)[..., None], verbose=0)
"""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=4.0, help="of each song")
    parser.add_argument("--pairs", type=int, default=2, help="how often it is measured")
    parser.add_argument("--music", type=Path, help="recordings to make songs of; default: demo's")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = _musicnn(folder / "musicnn")
        library = make_library(folder / "library", options.songs, options.minutes, options.music)
        songs = [str(path) for path in sorted(library.rglob("*")) if path.is_file()]
        programs: dict[str, Callable[[int], object]] = {
            "rtgenre tag": lambda number: tag(library, folder / f"{number}.jsonl"),
            "musicnn": lambda _: _run(MUSICNN, songs, environment),
            "YAMNet": lambda _: _run(YAMNET, songs, dict(os.environ)),
        }
        hours = options.songs * options.minutes / 60
        for number in range(options.pairs):
            speeds = []
            for what, run in programs.items():
                started = time.perf_counter()
                run(number)
                speeds.append(hours * 60 / (time.perf_counter() - started))
                print(f"{what}: {speeds[-1]:.2f} h of music a minute")
            print(f"times as fast as musicnn {speeds[0] / speeds[1]:.1f}, ", end="")
            print(f"as YAMNet {speeds[0] / speeds[2]:.1f}; load {os.getloadavg()[0]:.1f}")


def _musicnn(folder: Path) -> dict[str, str]:
    """Fetch musicnn, and say in which environment it runs."""
    version = _run("import tensorflow; print(tensorflow.__version__)", [], dict(os.environ))
    tf_keras = ".".join(version.split(".")[:2])
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    packages = ["musicnn==0.1.0", f"tf-keras=={tf_keras}.*"]
    subprocess.run([*command, str(folder), *packages], check=True)
    return os.environ | {"PYTHONPATH": str(folder), "TF_USE_LEGACY_KERAS": "1"}


def _run(code: str, arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
