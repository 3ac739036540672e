"""Hardships too long for the tests, in full: churn, a stopped machine, and settings without end.

    python -m benchmarks.hardships [--connections 5000] [--stopped-seconds 60] [--rooms 100000]

The tests hold the same with 300 connections, 7 s and 5,000 rooms. Needs PulseAudio for the second:
a player plays into a sound card that is none, and the service hears it there. Prints what was seen
and exits with 1 if memory or files grew, a window was doubled, or windows came in a flood.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import websockets

from benchmarks.device import heard_by_a_device
from benchmarks.service import Service, running_service
from rtgenre.config import ConfigError, load_config

HOP_SECONDS = 0.5
ALLOWED_GROWTH_MB = 8.0
ALLOWED_FILES = 3
WINDOW_SECONDS = 4.0
ALLOWED_FLOOD = 5
"""Windows from before the stop that may still come after it."""


def churn(service: Service, connections: int) -> dict[str, Any]:
    """Connect and vanish again and again: before, within and after the handshake."""
    process = psutil.Process(service.process.pid)
    address = ("127.0.0.1", service.port)
    handshake = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()

    def come_and_go(number: int) -> None:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=5) as client:
            client.sendall([b"", b"GET /ws HT", handshake][number % 3])
            if number % 3 == 2:
                client.recv(1000)

    for number in range(connections // 10):
        come_and_go(number)
    before_mb, before_files = process.memory_info().rss / 1e6, process.num_fds()
    began_at = time.monotonic()
    for number in range(connections):
        come_and_go(number)
    seconds = time.monotonic() - began_at
    time.sleep(2)
    grown_mb = process.memory_info().rss / 1e6 - before_mb
    grown_files = process.num_fds() - before_files
    return {
        "connections": connections,
        "seconds": round(seconds, 1),
        "memory_mb_before": round(before_mb, 1),
        "memory_grown_mb": round(grown_mb, 2),
        "files_grown": grown_files,
        "held": grown_mb < ALLOWED_GROWTH_MB and grown_files <= ALLOWED_FILES,
    }


async def states(port: int, n: int, until: float = 0.0) -> list[dict[str, Any]]:
    """Return the next states, at least ``n`` until one is from after the time ``until``."""
    found: list[dict[str, Any]] = []
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as client:
        async for message in client:
            document = json.loads(message)
            if document["type"] == "state":
                found.append(document)
                if len(found) >= n and captured_at(document) > until:
                    break
    return found


def captured_at(document: dict[str, Any]) -> float:
    return datetime.fromisoformat(document["time"]).timestamp()


def stop_and_go_on(service: Service, seconds: float) -> dict[str, Any]:
    """Stop the process as a suspended machine does, and see what it says afterwards."""
    before = asyncio.run(states(service.port, 4))
    os.kill(service.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(service.process.pid, signal.SIGCONT)
    resumed_at = time.time()
    after = asyncio.run(states(service.port, 10, resumed_at + WINDOW_SECONDS + 2))
    times = [captured_at(document) for document in before + after]
    numbers = [document["sequence"] for document in after]
    fresh = [at for at in times if at >= resumed_at]
    stale = [at for at in times[len(before) :] if at < resumed_at]
    first_seconds = fresh[0] - resumed_at
    held = (
        times == sorted(times)
        and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        and first_seconds > WINDOW_SECONDS - 1
        and len(stale) < ALLOWED_FLOOD
    )
    return {
        "stopped_seconds": seconds,
        "first_new_window_seconds": round(first_seconds, 2),
        "windows_from_before": len(stale),
        "windows_after": len(fresh),
        "held": held,
    }


def many_rooms(rooms: int) -> dict[str, Any]:
    """Read settings with so many sources, and refuse them with one that is there twice."""
    process = psutil.Process()
    text = "".join(f"[[source]]\nnode = 'n{number}'\n" for number in range(rooms))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(text)
        began_at = time.monotonic()
        n_read = len(load_config(path).source)
        seconds = time.monotonic() - began_at
        path.write_text(f"{text}[[source]]\nnode = 'n7'\n")
        refusal = ""
        try:
            load_config(path)
        except ConfigError as error:
            refusal = str(error)
    return {
        "rooms": n_read,
        "seconds": round(seconds, 1),
        "memory_mb": round(process.memory_info().rss / 1e6, 1),
        "refusal": refusal.rpartition(": ")[2],
        "held": n_read == rooms and refusal.endswith("found twice: n7") and len(refusal) < 300,
    }


def heard_by_a_service(options: argparse.Namespace) -> dict[str, Any]:
    """Let a service hear a sound card, churn connections to it, and stop it for a while."""
    with (
        heard_by_a_device(options.stopped_seconds + 240),
        running_service(
            *("--hop-seconds", str(HOP_SECONDS)), HISTORY__ENABLED="false", LOG__LEVEL="error"
        ) as service,
    ):
        asyncio.run(states(service.port, 2))
        return {
            "churn": churn(service, options.connections),
            "stop": stop_and_go_on(service, options.stopped_seconds),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--stopped-seconds", type=float, default=60.0)
    parser.add_argument("--rooms", type=int, default=100_000)
    options = parser.parse_args()
    result = heard_by_a_service(options)
    result["rooms"] = many_rooms(options.rooms)
    held = all(each["held"] for each in result.values())
    result |= {"load_average": os.getloadavg()[0], "cores": os.cpu_count()}
    print(json.dumps(result, indent=2))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
