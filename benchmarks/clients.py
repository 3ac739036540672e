"""How long one window's message takes to reach 500 WebSocket clients, ten of which never read.

    python benchmarks/clients.py [--clients 500] [--deaf 10] [--windows 120] [--hop-seconds 0.5]

The service under test is the real port with a hub, in a process of its own; the clients run in
this process, so that both share the machine as they would not in a home. A message's age is the
time from ``Hub.publish`` to its bytes in the client, both read from the same monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import time
from typing import Any

import numpy as np
import psutil

from rtgenre import __version__
from rtgenre.config import WebSocketConfig
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.messages.payload import hello_document, state_document
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.info import ModelInfo
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.outputs.web.server import WebSocketOutput
from rtgenre.types import GenreState, PlayState, Prediction, Window

LABELS = tuple(genre for genre in GENRE_COLORS if genre not in {"unknown", "silence"})
INFO = ModelInfo("benchmark", "1", LABELS, FeatureParams(), has_music_output=True)
PING, PONG = 9, 10
SAMPLES = np.zeros(INFO.features.window_samples, dtype=np.float32)


def a_state(sequence: int) -> Any:
    """Build a document as the pipeline does; ``latency_ms`` carries the moment of publishing."""
    probabilities = np.full(len(LABELS), 1 / len(LABELS), dtype=np.float32)
    end_sample = (sequence + 2) * 2 * INFO.features.sample_rate_hz
    levels_dbfs = np.full(16, -20.0, dtype=np.float32)
    window = Window(SAMPLES, end_sample - len(SAMPLES), end_sample, time.time(), -20.0, levels_dbfs)
    genre = LABELS[sequence % 10]
    state = GenreState(PlayState.MUSIC, genre, None, 0.5, 0.0, probabilities, 1.0, 1.0)
    return state_document(
        node="benchmark",
        source="file: none",
        track=None,
        sequence=sequence,
        labels=LABELS,
        sample_rate_hz=INFO.features.sample_rate_hz,
        window=window,
        prediction=Prediction(probabilities, 1.0),
        state=state,
        time=time.time(),
        since=time.time(),
        clipped_samples=0,
        invalid_samples=0,
        latency_seconds=0.02,
    )


async def serve(pipe: Any, n_windows: int, hop_seconds: float) -> None:
    hub = Hub()
    hello = hello_document(
        version=__version__,
        info=INFO,
        colors=GENRE_COLORS,
        hop_seconds=hop_seconds,
        sources=[{"node": "benchmark", "name": "benchmark", "source": "file: none"}],
    )
    output = WebSocketOutput(
        WebSocketConfig(port=0),
        hub,
        hello=lambda: hello,
        health=lambda: (True, {"ok": True, "version": __version__, "nodes": {}}),
        metrics=Metrics(),
        columns=ColumnHub(["benchmark"]),
        routes={},
    )
    async with output:
        pipe.send(output.port)
        await asyncio.to_thread(pipe.recv)
        start = time.monotonic()
        for sequence in range(n_windows):
            await asyncio.sleep(max(0.0, start + sequence * hop_seconds - time.monotonic()))
            document = a_state(sequence)
            pipe.send((sequence, time.monotonic()))
            hub.publish(document)
        await asyncio.to_thread(pipe.recv)


def serve_process(pipe: Any, n_windows: int, hop_seconds: float) -> None:
    asyncio.run(serve(pipe, n_windows, hop_seconds))


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_client(port: int, *, deaf: bool) -> Client:
    """Connect with a handshake by hand: 500 clients in one process must themselves be cheap."""
    connection = socket.socket()
    if deaf:
        # Small, so that what is not read soon pushes back at the service.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    limit = 1024 if deaf else 2**16
    reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def read_text(client: Client) -> bytes:
    """Read the next text message and answer pings; frames are whole and unmasked (RFC 6455, 5)."""
    reader, writer = client
    while True:
        head = await reader.readexactly(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        payload = await reader.readexactly(length)
        if head[0] & 0x0F == PING:
            # A pong under a mask of zeros.
            writer.write(bytes([0x80 | PONG, 0x80 | length, 0, 0, 0, 0]) + payload)
        else:
            return payload


async def listen(client: Client, n_windows: int, arrivals: dict[int, list[float]]) -> None:
    while True:
        message = await read_text(client)
        now = time.monotonic()
        document = json.loads(message)
        if document["type"] == "state":
            arrivals.setdefault(document["sequence"], []).append(now)
            if document["sequence"] == n_windows - 1:
                return


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve_process, args=(theirs, options.windows, options.hop_seconds)
    )
    process.start()
    port = await asyncio.to_thread(ours.recv)
    service = psutil.Process(process.pid)
    rss_before = service.memory_info().rss
    clients = [await open_client(port, deaf=i < options.deaf) for i in range(options.clients)]
    rss_connected = service.memory_info().rss
    arrivals: dict[int, list[float]] = {}
    readers = [
        asyncio.create_task(listen(client, options.windows, arrivals))
        for client in clients[options.deaf :]
    ]
    ours.send("go")
    cpu_before, started = sum(service.cpu_times()[:2]), time.monotonic()
    await asyncio.gather(*readers)
    cpu_seconds, seconds = sum(service.cpu_times()[:2]) - cpu_before, time.monotonic() - started
    rss_after = service.memory_info().rss
    published = dict(ours.recv() for _ in range(options.windows))
    ours.send("end")
    for _, writer in clients:
        writer.transport.abort()
    process.join()
    return summary(options, published, arrivals) | {
        "service_cpu_percent_of_a_core": round(100 * cpu_seconds / seconds, 1),
        "rss_mb_before_connected_after": [
            round(rss / 2**20, 1) for rss in (rss_before, rss_connected, rss_after)
        ],
    }


def summary(
    options: argparse.Namespace, published: dict[int, float], arrivals: dict[int, list[float]]
) -> dict[str, Any]:
    last_ms, all_ms = [], []
    for sequence, times in arrivals.items():
        ages_ms = [1000 * (at - published[sequence]) for at in times]
        last_ms.append(max(ages_ms))
        all_ms += ages_ms
    expected = (options.clients - options.deaf) * options.windows
    return {
        "clients": options.clients,
        "never_reading": options.deaf,
        "windows": options.windows,
        "messages": len(all_ms),
        "messages_missing": expected - len(all_ms),
        "age_ms_p50_p95_max": [round(float(np.percentile(all_ms, p)), 1) for p in (50, 95, 100)],
        "all_clients_reached_ms_p50_p95": [
            round(float(np.percentile(last_ms, p)), 1) for p in (50, 95)
        ],
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--deaf", type=int, default=10)
    parser.add_argument("--windows", type=int, default=120)
    parser.add_argument("--hop-seconds", type=float, default=0.5)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
