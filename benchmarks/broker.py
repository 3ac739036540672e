"""Does an MQTT broker in trouble delay anything? Window latency with brokers of every kind.

    python -m benchmarks.broker [--rounds 400]

One service for each condition, all of them running all the time and each with a broker of its
own. In every round each service in turn is given a hop of music on its standard input, and nothing
else happens until its message has come: so no service disturbs another, and all are measured within
the same quarter of a second. The latency is that of the whole service as seen from outside, from
writing a window's last sample to its message in a WebSocket client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr
import websockets

from benchmarks.service import command, environment, wait_until_it_answers
from rtgenre.config import Config
from rtgenre.demo import DEMO_RECORDING
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import read_model_info
from tests.broker import Broker, a_slow_proxy, free_port, subscribed

FEATURES = read_model_info(find_model_folder(Config().model.folder)).features
RATE_HZ = FEATURES.sample_rate_hz
"""What the model hears, so that no sample waits in a resampler."""
HOP_SECONDS = 0.25
HOP_SAMPLES = round(HOP_SECONDS * RATE_HZ)
WARM_UP_ROUNDS = 10
PROXY_DELAY_SECONDS = 2.0
NO_MQTT, GOOD, STOPPED, FROZEN, REFUSING, SLOW = (
    *("no MQTT", "good broker", "stopped", "hangs (SIGSTOP)", "wrong password"),
    f"{PROXY_DELAY_SECONDS:g} s proxy",
)


@dataclass
class Service:
    """A service that hears what it is fed, and how long its messages took."""

    process: asyncio.subprocess.Process
    client: websockets.ClientConnection
    port: int
    fed_samples: int = 0
    latency_ms: list[float] = field(default_factory=list)

    async def feed(self, music: np.ndarray, n_samples: int) -> float:
        """Let it hear the music go on, and return how many ms the window's message took."""
        assert self.process.stdin
        positions = np.arange(self.fed_samples, self.fed_samples + n_samples)
        self.fed_samples += n_samples
        pcm = music.take(positions, mode="wrap").tobytes()
        started_at = time.perf_counter()
        self.process.stdin.write(pcm)
        await self.process.stdin.drain()
        while json.loads(await self.client.recv())["type"] != "state":
            pass
        return 1000 * (time.perf_counter() - started_at)

    async def metric(self, name: str) -> float:
        """Return one of the service's own figures."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        text = (await reader.read()).decode()
        writer.close()
        values = [line.split()[-1] for line in text.splitlines() if line.startswith(f"{name}{{")]
        return float(values[0]) if values else 0.0


@contextlib.asynccontextmanager
async def service(broker_port: int | None, **mqtt: str):
    """Run a service that plays its standard input; with MQTT if there is a port."""
    port = free_port()
    mqtt = {"port": str(broker_port), "host": "127.0.0.1", "publish": "window", **mqtt}
    settings = {f"MQTT__{key.upper()}": value for key, value in mqtt.items()}
    process = await asyncio.create_subprocess_exec(
        *command(port, "-", "--hop-seconds", str(HOP_SECONDS)),
        *("--pcm-rate-hz", str(RATE_HZ), "--pcm-channels", "1", "--pcm-format", "f32le"),
        env=environment(
            HISTORY__ENABLED="false", LOG__LEVEL="error", **(settings if broker_port else {})
        ),
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        await asyncio.to_thread(wait_until_it_answers, port)
        client = await websockets.connect(f"ws://127.0.0.1:{port}/ws")
        yield Service(process, client, port)
    finally:
        process.terminate()
        await process.wait()


async def start_all(
    stack: contextlib.AsyncExitStack, folder: Path, music: np.ndarray
) -> dict[str, Service]:
    """Start a service for each condition, and bring its broker into it when all have played."""
    brokers = {}
    for name in (GOOD, STOPPED, FROZEN, SLOW):
        (folder / name).mkdir(parents=True)
        brokers[name] = await stack.enter_async_context(Broker(folder / name))
    (folder / REFUSING).mkdir()
    refusing = Broker(folder / REFUSING, "allow_anonymous false")
    brokers[REFUSING] = await stack.enter_async_context(refusing)
    proxy_port = await stack.enter_async_context(
        a_slow_proxy(brokers[SLOW].port, PROXY_DELAY_SECONDS)
    )
    ports = {name: broker.port for name, broker in brokers.items()} | {SLOW: proxy_port}
    services = {}
    for name in (NO_MQTT, GOOD, STOPPED, FROZEN, REFUSING, SLOW):
        login = {"username": "me", "password": "wrong"} if name == REFUSING else {}
        services[name] = await stack.enter_async_context(service(ports.get(name), **login))
    for measured in services.values():
        await measured.feed(music, FEATURES.window_samples)
    for name in (GOOD, STOPPED, FROZEN, SLOW):
        async with subscribed(brokers[name].port, "rtgenre/+/color") as subscriber:
            await subscriber.until(lambda it: bool(it.seen))
    await brokers[STOPPED].stop()
    brokers[FROZEN].freeze()
    return services


async def measure(rounds: int) -> None:
    recorded, rate_hz = soundfile.read(DEMO_RECORDING, dtype="float32", always_2d=True)
    music = soxr.resample(recorded[:, 0], rate_hz, RATE_HZ)
    with tempfile.TemporaryDirectory() as folder:
        async with contextlib.AsyncExitStack() as stack:
            services = await start_all(stack, Path(folder), music)
            names = list(services)
            started_at = time.monotonic()
            for number in range(WARM_UP_ROUNDS + rounds):
                due_at = started_at + number * HOP_SECONDS
                await asyncio.sleep(max(0.0, due_at - time.monotonic()))
                first = number % len(names)
                for name in names[first:] + names[:first]:
                    latency_ms = await services[name].feed(music, HOP_SAMPLES)
                    if number >= WARM_UP_ROUNDS:
                        services[name].latency_ms.append(latency_ms)
            await report(services)


async def report(services: dict[str, Service]) -> None:
    """Print a line for each condition, with the proof that the broker was in it."""
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; latency in ms")
    print(f"{'broker':16} windows     p50     p95     max  connected  reconnects  skipped")
    for name, measured in services.items():
        p50, p95, most = np.percentile(measured.latency_ms, (50, 95, 100))
        connected, reconnects, skipped = [
            await measured.metric(f"rtgenre_mqtt_{figure}")
            for figure in ("connected", "reconnects_total", "skipped_messages_total")
        ]
        print(
            f"{name:16} {len(measured.latency_ms):7} {p50:7.1f} {p95:7.1f} {most:7.1f} "
            f"{connected:10.0f} {reconnects:11.0f} {skipped:8.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=400)
    asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
