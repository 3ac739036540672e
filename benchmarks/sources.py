"""How many sources one process bears: CPU, latency, memory and what was skipped.

    python -m benchmarks.sources [--sources 1 10 40 100 200] [--hop-seconds 2] [--workers 1]

Each row is a service of its own, with that many ``[[source]]`` tables that play the demo recordings
in real time, over and over, in files that outlast the measurement: streams do not all begin anew
at one moment. Latency is the time from the end of a window, by its ``time``, to its
message in a WebSocket client in this process. Skipped windows are counted from when the service
has warmed up. ``--device`` measures one PortAudio device instead, which hears a recording through
PulseAudio.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from benchmarks.clients import open_client, read_text
from benchmarks.device import heard_by_a_device
from benchmarks.service import START_SECONDS, Service, running_service
from rtgenre.demo import DEMO_RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

# The first windows of all sources, which end together, are over by then.
WARM_UP_SECONDS = 12.0
_COLUMNS = "{:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}"


def make_streams(folder: Path, seconds: float) -> list[Path]:
    """Make recordings of that length from the demo's, each played again and again."""
    made = [folder / Path(source).name for source in DEMO_RECORDINGS]
    for source, path in zip(DEMO_RECORDINGS, made, strict=True):
        command = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", source]
        subprocess.run([*command, "-t", str(seconds), "-c", "copy", path], check=True)
    return made


def settings(n_sources: int, played_files: Sequence[Path]) -> str:
    """Write the settings of a service with that many sources; of a device without files."""
    if not played_files:
        return '[[source]]\nnode = "device"\n'
    files = [str(path) for path in played_files]
    tables = []
    for number in range(n_sources):
        first = number % len(files)
        played = json.dumps(files[first:] + files[:first])
        tables.append(f'[[source]]\nnode = "room{number}"\ninput = {played}\nloop = true\n')
    return "\n".join(tables)


async def listen(port: int, latencies_ms: list[float]) -> None:
    """Write down how late each window's message is."""
    client = await open_client(port, deaf=False)
    while True:
        message = await read_text(client)
        now = time.time()
        document = json.loads(message)
        if document["type"] == "state":
            heard_at = datetime.fromisoformat(document["time"]).timestamp()
            latencies_ms.append(1000 * (now - heard_at))


def skipped_windows(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.findall(r"^rtgenre_skipped_windows_total\{.*\} (\S+)$", text, re.MULTILINE)
    return round(sum(float(value) for value in found))


async def measure(service: Service, seconds: float) -> list[str]:
    process = psutil.Process(service.process.pid)
    latencies_ms: list[float] = []
    listening = asyncio.create_task(listen(service.port, latencies_ms))
    await asyncio.sleep(WARM_UP_SECONDS)
    skipped_before = await asyncio.to_thread(skipped_windows, service.port)
    latencies_ms.clear()
    cpu_before, began_at = sum(process.cpu_times()[:2]), time.monotonic()
    switches_before = process.num_ctx_switches().voluntary
    await asyncio.sleep(seconds)
    elapsed_seconds = time.monotonic() - began_at
    cpu_percent = 100 * (sum(process.cpu_times()[:2]) - cpu_before) / elapsed_seconds
    wake_ups = (process.num_ctx_switches().voluntary - switches_before) / elapsed_seconds
    p50, p95 = np.percentile(latencies_ms, [50, 95]) if latencies_ms else (np.nan, np.nan)
    skipped = await asyncio.to_thread(skipped_windows, service.port) - skipped_before
    listening.cancel()
    return [
        f"{cpu_percent:.1f} %",
        f"{wake_ups:.0f}",
        f"{p50:.0f} ms",
        f"{p95:.0f} ms",
        f"{process.memory_info().rss / 2**20:.0f} MB",
        f"{len(latencies_ms)}",
        f"{skipped}",
        f"{os.getloadavg()[0]:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 10, 40, 100, 200])
    parser.add_argument("--hop-seconds", type=float, default=2.0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seconds", type=float, default=32.0)
    parser.add_argument("--device", action="store_true", help="a device, not files")
    options = parser.parse_args()
    chosen = {"WINDOWS__HOP_SECONDS": str(options.hop_seconds)}
    if options.workers is not None:
        chosen["MODEL__WORKERS"] = str(options.workers)
    workers = "" if options.workers is None else f", {options.workers} worker(s)"
    print(f"hop {options.hop_seconds:g} s{workers}, {os.cpu_count()} cores")
    head = ("sources", "CPU", "wakes/s", "p50", "p95", "memory", "windows", "skipped", "load")
    print(_COLUMNS.format(*head), flush=True)
    for n_sources in [1] if options.device else options.sources:
        playing = contextlib.nullcontext()
        if options.device:
            playing = heard_by_a_device(WARM_UP_SECONDS + options.seconds + START_SECONDS)
        with playing, tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.toml"
            streams = []
            if not options.device:
                streams = make_streams(Path(folder), WARM_UP_SECONDS + options.seconds + 60.0)
            file.write_text(settings(n_sources, streams))
            quiet = {"HISTORY__ENABLED": "false", "TEACH__ENABLED": "false", "LOG__LEVEL": "error"}
            with running_service("--config", str(file), **chosen, **quiet) as service:
                row = asyncio.run(measure(service, options.seconds))
        print(_COLUMNS.format(n_sources, *row), flush=True)


if __name__ == "__main__":
    main()
