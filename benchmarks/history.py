"""How long ``GET /history`` takes for a week, in a file that holds two months.

    python benchmarks/history.py [--stretch-seconds 60]

Measured inside the process, from the query to the answer's bytes: reading the file, cutting,
writing JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from rtgenre.config import HistoryConfig
from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from rtgenre.messages.hub import Hub
from rtgenre.outputs.history import HistoryOutput

DAY_SECONDS = 86400
KEPT_DAYS = 60
REPEATS = 30
GENRES = ("rock", "jazz", "pop", "blues")


async def measure(stretch_seconds: int) -> dict[str, Any]:
    now = time.time()
    n_stretches = KEPT_DAYS * DAY_SECONDS // stretch_seconds
    starts = [now - stretch_seconds * (i + 1) for i in range(n_stretches)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.db"
        with HistoryStore(file) as store:
            store.write(
                Stretch("kitchen", start, start + stretch_seconds, GENRES[i % 4], 0.8, "crnn 1")
                for i, start in enumerate(starts)
            )
        output = HistoryOutput(HistoryConfig(file=file), Hub(), model_of={"kitchen": "crnn 1"}.get)
        elapsed_ms = []
        cpu_ms = []
        for _ in range(REPEATS):
            started, cpu_started = time.perf_counter(), time.process_time()
            response = await output.answer({"since": "7d"})
            elapsed_ms.append(1000 * (time.perf_counter() - started))
            cpu_ms.append(1000 * (time.process_time() - cpu_started))
        return {
            "stretches_in_file": n_stretches,
            "stretches_in_answer": len(json.loads(response.body)["stretches"]),
            "answer_bytes": len(response.body),
            "elapsed_ms_p50_p95": [round(float(np.percentile(elapsed_ms, p))) for p in (50, 95)],
            "cpu_ms_p50": round(float(np.median(cpu_ms))),
            "load_average": os.getloadavg()[0],
            "cores": os.cpu_count(),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stretch-seconds", type=int, default=60)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.stretch_seconds)), indent=2))


if __name__ == "__main__":
    main()
