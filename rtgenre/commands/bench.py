"""``rtgenre bench``: speed and memory of the whole service on this machine.

Everything is measured from outside, on a service in a process of its own: by its messages, and by
the process figures of its ``/metrics``. Of the user's settings it has the model alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from websockets.sync.client import ClientConnection, connect

from rtgenre.commands.direct import direct_opener
from rtgenre.commands.options import add_config_file, add_model, config_of
from rtgenre.config import ENVIRONMENT_PREFIX
from rtgenre.demo import DEMO_RECORDING
from rtgenre.errors import RtgenreError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rtgenre.config import Config

_STARTS = 5
_LATENCY_WINDOWS = 120
_CPU_SECONDS = 30.0
_AUDIO_SECONDS = 3600.0


class BenchError(RtgenreError):
    """The service that is to be measured ended; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and what it should be."""

    name: str
    value: float
    unit: str
    at_most: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return run_bench(config_of(options), as_json=options.json)


def run_bench(config: Config, *, as_json: bool) -> int:
    """Measure and print every figure; takes about two minutes.

    Raises:
        BenchError: the service does not run.
    """
    model = config.model.folder
    console = Console(stderr=True)
    figures: list[Figure] = []
    with console.status("starting the service several times") as status:
        figures.append(_start_time(model))
        status.update(f"waiting for {_LATENCY_WINDOWS} windows")
        figures.append(_latency(model))
        status.update(f"listening for {_CPU_SECONDS:g} s")
        figures.append(_cpu_share(model))
        status.update(f"pushing {_AUDIO_SECONDS / 3600:g} h of audio through")
        figures += _memory(model)
    if as_json:
        rows = [{"name": f.name, "value": f.value, "unit": f.unit} for f in figures]
        print(json.dumps(rows, indent=2))
        return 0
    table = Table(box=None, header_style="bold")
    table.add_column("measured")
    table.add_column("value", justify="right")
    table.add_column("aim", justify="right")
    for figure in figures:
        table.add_row(
            figure.name, f"{figure.value:.3g} {figure.unit}", f"≤ {figure.at_most:g} {figure.unit}"
        )
    Console().print(table)
    return 0


def _start_time(model: str) -> Figure:
    seconds = []
    for _ in range(_STARTS):
        started = time.perf_counter()
        with _service(model) as service:
            line = ""
            for line in service.messages:
                if "listening to" in line:
                    break
            else:
                raise _ended(service, line)
            seconds.append(time.perf_counter() - started)
    return Figure("process start to listening, median", float(np.median(seconds)), "s", 1.5)


def _latency(model: str) -> Figure:
    """Measure from a window's last sample to its message in a client, over many windows."""
    milliseconds: list[float] = []
    with _service(model, "--hop-seconds", "0.25") as service:
        for document in _states(service):
            arrived_at = time.time()
            captured_at = np.datetime64(document["time"].removesuffix("Z"), "ms").astype(int)
            milliseconds.append(1000 * arrived_at - float(captured_at))
            if len(milliseconds) == _LATENCY_WINDOWS:
                break
    p95 = float(np.percentile(milliseconds, 95))
    return Figure("end of a window to its message, 95th percentile", p95, "ms", 60)


def _cpu_share(model: str) -> Figure:
    with _service(model) as service:
        port = service.port
        next(iter(_states(service)))
        before, started = _metric(port, "process_cpu_seconds_total"), time.perf_counter()
        time.sleep(_CPU_SECONDS)
        used = _metric(port, "process_cpu_seconds_total") - before
        share = 100 * used / (time.perf_counter() - started)
    return Figure("CPU at a 2 s hop, of one core", share, "%", 5)


def _memory(model: str) -> list[Figure]:
    """Push an hour of audio through, and compare resident memory early and at the end."""
    with _service(model, "--speed", "max") as service:
        port = service.port
        early: float | None = None
        for document in _states(service):
            heard_seconds = document["window_end_seconds"]
            if early is None and heard_seconds > _AUDIO_SECONDS / 10:
                early = _metric(port, "process_resident_memory_bytes")
            if heard_seconds > _AUDIO_SECONDS:
                break
        late = _metric(port, "process_resident_memory_bytes")
    megabytes = 2.0**20
    growth = (late - (early or late)) / megabytes
    return [
        Figure("resident memory after an hour of audio", late / megabytes, "MB", 200),
        Figure("growth over its last nine tenths", growth, "MB", 5),
    ]


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    messages: IO[str]
    """What it writes to standard error."""


@contextlib.contextmanager
def _service(model: str, *flags: str) -> Iterator[RunningService]:
    """Run the service on the demo recording, in a loop."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    command = [sys.executable, "-m", "rtgenre", "run", str(DEMO_RECORDING), "--loop", "--quiet"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--model", model, *flags]
    with tempfile.TemporaryDirectory() as folder:
        command += ["--config", _settings(Path(folder))]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(ENVIRONMENT_PREFIX)
        }
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stderr is not None
            try:
                yield RunningService(process, port, process.stderr)
            finally:
                process.terminate()


def _settings(folder: Path) -> str:
    """Write settings by which this user's history, broker and lamps are told nothing."""
    file = folder / "bench.toml"
    tables = ("history", "teach")
    lines = [f"[{table}]\nfile = {json.dumps(str(folder / table))}\n" for table in tables]
    file.write_text("".join(lines), encoding="utf-8")
    return str(file)


def _states(service: RunningService) -> Iterator[dict[str, Any]]:
    """Yield state messages as a WebSocket client receives them."""
    with _connected(service) as connection:
        for message in connection:
            document = json.loads(message)
            if document["type"] == "state":
                yield document


def _connected(service: RunningService) -> ClientConnection:
    """Connect as soon as the service is there.

    Raises:
        BenchError: it ended.
    """
    while service.process.poll() is None:
        try:
            return connect(f"ws://127.0.0.1:{service.port}/ws", proxy=None)
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise _ended(service)


def _ended(service: RunningService, last_line: str = "") -> BenchError:
    code = service.process.wait()
    said = [last_line, *service.messages][-1].strip() or "it said nothing"
    return BenchError(f"the service ended with {code}: {said}")


def _metric(port: int, name: str) -> float:
    """Return the sum of a metric over its labels."""
    url = f"http://127.0.0.1:{port}/metrics"
    with direct_opener().open(url, timeout=5) as answer:
        text = answer.read().decode()
    values = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for value in values)
