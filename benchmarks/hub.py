"""What a hub adds to a message's age: 50 nodes, a real mosquitto, a real hub and 100 clients.

    python -m benchmarks.hub [--nodes 50] [--clients 100] [--windows 30] [--hop-seconds 2]

Broker, hub, nodes and clients have a process each, on the same machine. The nodes' windows are
spread over the hop, as those of machines are that know nothing of each other. A message's added
age is the time from a node's ``Hub.publish``, where its own clients would get it, to its bytes in a
client of the hub: the node's publisher, the broker and the hub are in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.clients import open_client, read_text
from benchmarks.service import environment, wait_until_it_answers
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.mqtt.publisher import MqttOutput
from tests.broker import Broker, free_port, settings_for
from tests.documents import COLORS, a_state, an_about

WARM_UP_SECONDS = 10.0


async def publish(port: int, options: argparse.Namespace) -> None:
    """Be all the nodes: each with a connection of its own, and a window at its own moment."""
    names = [f"room{number}" for number in range(options.nodes)]
    hubs = [Hub() for _ in names]
    publishing = [
        asyncio.create_task(
            MqttOutput(
                settings_for(port),
                hub,
                nodes=[name],
                colors=COLORS,
                metrics=Metrics(),
                about=lambda node, _: an_about(node, host=f"{node}-machine"),
            ).run()
        )
        for hub, name in zip(hubs, names, strict=True)
    ]
    await asyncio.sleep(WARM_UP_SECONDS)
    began_at = time.monotonic()
    for number in range(options.nodes * options.windows):
        due_at = began_at + number * options.hop_seconds / options.nodes
        await asyncio.sleep(max(0.0, due_at - time.monotonic()))
        window, node = divmod(number, options.nodes)
        document = a_state(window, node=names[node])
        document["window_end_seconds"] = time.monotonic()
        hubs[node].publish(document)
    await asyncio.sleep(1.0)
    for each in publishing:
        each.cancel()


def publish_process(port: int, options: argparse.Namespace) -> None:
    asyncio.run(publish(port, options))


async def listen(port: int, ages_ms: list[float]) -> None:
    client = await open_client(port, deaf=False)
    while True:
        message = await read_text(client)
        now = time.monotonic()
        if message.startswith(b'{"schema": 2, "type": "state"'):
            ages_ms.append(1000 * (now - json.loads(message)["window_end_seconds"]))


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    async with Broker(folder) as broker:
        port = free_port()
        hub = subprocess.Popen(
            [
                *(sys.executable, "-m", "rtgenre", "hub", "--quiet", "--port", str(port)),
                *("--mqtt-host", f"127.0.0.1:{broker.port}"),
            ],
            env=environment(HISTORY__FILE=str(folder / "hub.db"), LOG__LEVEL="error"),
        )
        try:
            await asyncio.to_thread(wait_until_it_answers, port)
            ages_ms: list[float] = []
            clients = [asyncio.create_task(listen(port, ages_ms)) for _ in range(options.clients)]
            nodes = multiprocessing.get_context("spawn").Process(
                target=publish_process, args=(broker.port, options)
            )
            process = psutil.Process(hub.pid)
            cpu_before, began_at = sum(process.cpu_times()[:2]), time.monotonic()
            nodes.start()
            await asyncio.to_thread(nodes.join)
            cpu_seconds = sum(process.cpu_times()[:2]) - cpu_before
            rss_mb = process.memory_info().rss / 2**20
            for client in clients:
                client.cancel()
        finally:
            hub.terminate()
            hub.wait()
    expected = options.clients * options.nodes * options.windows
    return {
        "nodes": options.nodes,
        "clients": options.clients,
        "hop_seconds": options.hop_seconds,
        "messages": len(ages_ms),
        "messages_missing": expected - len(ages_ms),
        "added_age_ms_p50_p95_max": [
            round(float(np.percentile(ages_ms, p)), 1) for p in (50, 95, 100)
        ],
        "hub_cpu_percent_of_a_core": round(100 * cpu_seconds / (time.monotonic() - began_at), 1),
        "hub_rss_mb": round(rss_mb, 1),
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--windows", type=int, default=30)
    parser.add_argument("--hop-seconds", type=float, default=2.0)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(parser.parse_args(), Path(folder))), indent=2))


if __name__ == "__main__":
    main()
