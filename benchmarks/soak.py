"""Does it leak? Hours of audio at full speed, with clients and a broker that come and go.

``python -m benchmarks.soak --hours 8`` plays the demo recording in a loop into the real service,
restarts a real mosquitto again and again, lets WebSocket clients connect, read a little and vanish,
and writes memory and open files over time to ``docs/soak.png`` and ``docs/soak.json``. Exits with 1
if either grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import psutil
import websockets

from benchmarks.service import running_service
from rtgenre.demo import DEMO_RECORDING
from tests.broker import Broker

mpl.use("Agg")

CLIENTS = 12
BROKER_UP_SECONDS = 8.0
BROKER_DOWN_SECONDS = 2.0
SAMPLE_SECONDS = 1.0
WARM_UP_SHARE = 0.25
"""Of the samples: imports, caches and pools fill up at first."""
ALLOWED_GROWTH_MB = 8.0
ALLOWED_FILES = 3.0
"""Between the medians of the first and the last third after warming up."""


@dataclass
class Soak:
    """What is counted while the service runs."""

    port: int = 0
    elapsed_seconds: list[float] = field(default_factory=list)
    audio_hours: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)
    connections: int = 0
    broker_restarts: int = 0

    @property
    def heard_hours(self) -> float:
        return self.audio_hours[-1] if self.audio_hours else 0.0


async def client(soak: Soak, number: int) -> None:
    """Connect, behave in one of several ways, vanish, and begin again."""
    rng = random.Random(number)
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            connection = await websockets.connect(f"ws://127.0.0.1:{soak.port}/ws")
            soak.connections += 1
            if rng.random() < 0.3:
                await connection.send(json.dumps({"subscribe": ["spectrogram"]}))
            if rng.random() < 0.2:
                await connection.send("garbage")
            if rng.random() < 0.2:
                # Never reads; the messages pile up in its socket.
                await asyncio.sleep(rng.uniform(1, 5))
            else:
                for _ in range(rng.randrange(200)):
                    await connection.recv()
            if rng.random() < 0.5:
                await connection.close()
            else:
                connection.transport.abort()
        await asyncio.sleep(rng.uniform(0.01, 0.3))


async def restart_broker(soak: Soak, broker: Broker) -> None:
    """Stop the broker and start it again, or let it hang for a while."""
    while True:
        await asyncio.sleep(BROKER_UP_SECONDS)
        if soak.broker_restarts % 3 == 2:
            broker.freeze()
            await asyncio.sleep(BROKER_DOWN_SECONDS)
            broker.thaw()
        else:
            await broker.stop()
            await asyncio.sleep(BROKER_DOWN_SECONDS)
            await broker.start()
        soak.broker_restarts += 1


async def heard_seconds(port: int) -> float:
    """Ask the service how much audio it has heard."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /state HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    return float(json.loads(body)["window_end_seconds"])


async def sample(soak: Soak, process: psutil.Process, hours: float) -> None:
    """Measure until enough audio was heard."""
    began_at = time.monotonic()
    while soak.heard_hours < hours:
        with contextlib.suppress(OSError, ValueError, KeyError):
            soak.audio_hours.append(await heard_seconds(soak.port) / 3600)
            soak.elapsed_seconds.append(time.monotonic() - began_at)
            soak.memory_mb.append(process.memory_info().rss / 1e6)
            soak.open_files.append(process.num_fds())
        await asyncio.sleep(SAMPLE_SECONDS)


async def run(soak: Soak, hours: float) -> None:
    """Run the service and all that bothers it until enough audio was heard."""
    with tempfile.TemporaryDirectory() as folder:
        async with Broker(Path(folder)) as broker:
            with running_service(
                *(str(DEMO_RECORDING), "--loop", "--speed", "max", "--mqtt-host", "127.0.0.1"),
                MQTT__PORT=str(broker.port),
                MQTT__PUBLISH="window",
                MQTT__TIMEOUT_SECONDS="2",
                LIGHTS__WLED='["strip"]',
                LIGHTS__HOLD_SECONDS="0",
                HISTORY__FILE=f"{folder}/history.db",
                LOG__LEVEL="error",
            ) as service:
                soak.port = service.port
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(client(soak, number)) for number in range(CLIENTS)]
                    tasks.append(group.create_task(restart_broker(soak, broker)))
                    await sample(soak, psutil.Process(service.process.pid), hours)
                    for task in tasks:
                        task.cancel()


def verdict(soak: Soak) -> dict[str, object]:
    """Compare the beginning with the end, after warming up."""
    first = int(len(soak.memory_mb) * WARM_UP_SHARE)
    third = max(1, (len(soak.memory_mb) - first) // 3)

    def growth(values: list[float] | list[int]) -> float:
        begin, end = values[first : first + third], values[-third:]
        return statistics.median(end) - statistics.median(begin)

    memory_growth_mb, files_growth = growth(soak.memory_mb), growth(soak.open_files)
    return {
        "audio_hours": round(soak.heard_hours, 2),
        "elapsed_minutes": round(soak.elapsed_seconds[-1] / 60, 1),
        "connections": soak.connections,
        "broker_restarts": soak.broker_restarts,
        "memory_mb_median": round(statistics.median(soak.memory_mb[first:]), 1),
        "memory_mb_largest": round(max(soak.memory_mb), 1),
        "memory_growth_mb": round(memory_growth_mb, 2),
        "open_files_median": statistics.median(soak.open_files[first:]),
        "open_files_growth": round(files_growth, 1),
        "flat": memory_growth_mb <= ALLOWED_GROWTH_MB and files_growth <= ALLOWED_FILES,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def plot(soak: Soak, figures: dict[str, object], path: Path) -> None:
    figure, (memory, files) = plt.subplots(2, sharex=True, figsize=(9, 5), layout="constrained")
    memory.plot(soak.audio_hours, soak.memory_mb)
    memory.set(ylabel="resident memory, MB", ylim=(0, 1.25 * max(soak.memory_mb)))
    files.plot(soak.audio_hours, soak.open_files, color="tab:orange")
    files.set(ylabel="open files", xlabel="audio heard, hours", ylim=(0, None))
    memory.set_title(
        f"{figures['audio_hours']} h of audio in {figures['elapsed_minutes']} min, "
        f"{figures['connections']} client connections, {figures['broker_restarts']} broker restarts"
    )
    figure.savefig(path, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=8.0, help="of audio")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder")
    options = parser.parse_args()
    soak = Soak()
    # Ctrl-C ends it early, with what was measured until then.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(soak, options.hours))
    figures = verdict(soak)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "soak.json").write_text(json.dumps(figures, indent=2) + "\n")
    plot(soak, figures, options.output / "soak.png")
    print(json.dumps(figures, indent=2))
    return 0 if figures["flat"] else 1


if __name__ == "__main__":
    sys.exit(main())
