"""How long learning what was taught takes, and whether windows are late meanwhile.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.teach [--stretches 500] [--seconds 60]

A file of made-up lessons, cut from the model's own examples, is learnt by itself; then a service
that plays the demo uses it, and learns it anew again and again. One thread for products of
matrices is what the service has, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import websockets

from benchmarks.service import Service, running_service
from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.learning.own_model import read_ground_examples
from rtgenre.learning.taught.in_use import test_sounds_heard
from rtgenre.learning.taught.network import TaughtNetwork
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.learning.taught.store import TaughtStore
from rtgenre.learning.taught.stretch import MAX_WINDOWS, TaughtStretch
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.learning.examples import Examples

HOP_SECONDS = 0.5
LESSON_EVERY_SECONDS = 1.0
NEW_GENRES = ("techno", "christmas", "kids")


def write_lessons(file: Path, folder: Path, classifier: Classifier, n: int) -> None:
    """Write stretches of windows of one genre each, every third one as a new genre."""
    info = classifier.info
    examples = read_ground_examples(folder, info)
    heard = test_sounds_heard(Notebook(file, info, folder), classifier)
    with TaughtStore(file) as store:
        store.add(TaughtNetwork.of(info, heard), list(_stretches(examples, info.labels, n)))


def learn_twice(file: Path, folder: Path, classifier: Classifier) -> None:
    """Learn, and learn again as after every lesson: the model's examples are known by then."""
    notebook = Notebook(file, classifier.info, folder)
    notebook.note_network(test_sounds_heard(notebook, classifier))
    for when in ("after the start", "again"):
        began, began_cpu = time.monotonic(), time.process_time()
        notebook.fit()
        print(
            f"learnt {when} in {time.monotonic() - began:.2f} s "
            f"({time.process_time() - began_cpu:.2f} s of processor time)"
        )


def _stretches(examples: Examples, labels: tuple[str, ...], n: int) -> Iterator[TaughtStretch]:
    chance = np.random.default_rng(1)
    for number in range(n):
        label = int(chance.integers(len(labels)))
        rows = chance.choice(np.flatnonzero(examples.labels == label), MAX_WINDOWS)
        genre = labels[label] if number % 3 else NEW_GENRES[number // 3 % len(NEW_GENRES)]
        said = np.full((MAX_WINDOWS, len(labels) + 1), -3.0, np.float32)
        start = 60.0 * number
        yield TaughtStretch("den", start, start + 60.0, genre, examples.embeddings[rows], said)


async def latencies(service: Service, seconds: float) -> list[float]:
    """Return how long after its end each window's message was made, in milliseconds."""
    found = []
    async with websockets.connect(service.url.replace("http", "ws") + "ws") as client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for message in client:
                    document = json.loads(message)
                    if document["type"] == "state":
                        found.append(document["latency_ms"])
    return found


async def learn_again_and_again(service: Service) -> None:
    """Forget what is not there: what is there is learnt anew."""
    request = urllib.request.Request(service.url + "taught?id=0", method="DELETE")
    while True:
        with await asyncio.to_thread(urllib.request.urlopen, request):
            pass
        await asyncio.sleep(LESSON_EVERY_SECONDS)


async def measure(service: Service, seconds: float) -> tuple[list[float], list[float]]:
    await latencies(service, 10.0)
    idle = await latencies(service, seconds)
    learning = asyncio.create_task(learn_again_and_again(service))
    busy = await latencies(service, seconds)
    learning.cancel()
    return idle, busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stretches", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0, help="of listening, twice: 60")
    options = parser.parse_args()
    folder = find_model_folder("crnn")
    classifier = Classifier.load(folder)
    with tempfile.TemporaryDirectory() as data:
        file = Path(data) / "taught.db"
        write_lessons(file, folder, classifier, options.stretches)
        learn_twice(file, folder, classifier)
        with running_service(
            *(*map(str, DEMO_RECORDINGS), "--loop", "--hop-seconds", str(HOP_SECONDS)),
            TEACH__FILE=str(file),
            HISTORY__ENABLED="false",
        ) as service:
            idle, busy = asyncio.run(measure(service, options.seconds))
    print("| windows | number | median | 95 % within |\n|---|---|---|---|")
    for name, found in (("nothing is learnt", idle), ("learning all the time", busy)):
        median, high = np.percentile(found, (50, 95))
        print(f"| {name} | {len(found)} | {median:.0f} ms | {high:.0f} ms |")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
