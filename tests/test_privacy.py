"""Audio is never stored and never sent: it is looked for on disk, on the wire and in the logs."""

import asyncio
import base64
import contextlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import websockets

from tests.broker import Broker, free_port, subscribed

RATE_HZ = 22050
SECONDS = 12
NEEDLE_SAMPLES = 12
"""Consecutive samples of noise that no other data holds by chance."""


def noise():
    """Return noise as 16-bit samples, none of them 0, as loud as music."""
    generator = np.random.default_rng(11)
    samples = np.clip(generator.normal(0, 6000, RATE_HZ * SECONDS), -32767, 32767)
    return np.where(samples == 0, 1, samples).astype("<i2")


def needles(samples):
    """Yield stretches of audio in every encoding that it could be written in."""
    for start in range(RATE_HZ // 2, len(samples) - NEEDLE_SAMPLES, RATE_HZ // 2):
        stretch = samples[start : start + NEEDLE_SAMPLES]
        scaled = stretch / 32768.0
        raw = [
            stretch.tobytes(),
            stretch.astype(">i2").tobytes(),
            scaled.astype("<f4").tobytes(),
            scaled.astype(">f4").tobytes(),
            scaled.astype("<f8").tobytes(),
        ]
        yield from raw
        # Base64 depends on the place in the text: the middle of each of three alignments.
        for data in raw[:3]:
            for shift in range(3):
                yield base64.b64encode(b"\0" * shift + data)[4:-4]
        # Written as numbers in JSON.
        yield json.dumps(stretch.tolist())[1:-1].encode()
        yield ",".join(map(str, stretch.tolist())).encode()


def holds_audio(data, samples):
    return any(needle in data for needle in needles(samples))


def test_the_search_finds_audio_that_is_there():
    samples = noise()
    wav = b"RIFF....WAVEfmt " + samples.tobytes()
    assert holds_audio(wav, samples)
    assert holds_audio((samples / 32768).astype("<f4").tobytes(), samples)
    assert holds_audio(base64.b64encode(samples.tobytes()), samples)
    assert holds_audio(json.dumps(samples.tolist()).encode(), samples)
    assert not holds_audio(noise()[::2].tobytes(), samples)


def files(*folders):
    return {
        path: path.stat().st_mtime_ns
        for folder in folders
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


async def everything_sent(port, n_states):
    """Return all bytes that a curious client gets: messages, spectrogram and every page."""
    received = []
    while True:
        with contextlib.suppress(OSError):
            client = await websockets.connect(f"ws://127.0.0.1:{port}/ws")
            break
        await asyncio.sleep(0.05)
    await client.send(json.dumps({"subscribe": ["spectrogram"]}))
    seen = 0
    async for message in client:
        data = message if isinstance(message, bytes) else message.encode()
        received.append(data)
        seen += b'"type": "state"' in data
        if seen == n_states:
            break
    await client.close()
    for what in (
        "POST /teach?genre=noise",
        *("GET /state", "GET /metrics", "GET /healthz", "GET /history", "GET /taught"),
        "GET /taught/export",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        received.append(await reader.read())
        writer.close()
    return b"".join(received)


async def test_no_audio_is_found_on_disk_on_the_wire_or_in_the_logs(tmp_path):
    samples, port = noise(), free_port()
    home = tmp_path / "home"
    home.mkdir()
    shared_memory = files("/dev/shm")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RTGENRE_")
    } | {
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RTGENRE_LOG__LEVEL": "debug",
    }
    async with Broker(tmp_path) as broker, subscribed(broker.port, "#") as subscriber:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rtgenre", "run", "-", "--json", "--port", str(port)),
            *("--pcm-rate-hz", str(RATE_HZ), "--pcm-channels", "1", "--node", "den"),
            *("--mqtt-host", "127.0.0.1"),
            env=environment | {"RTGENRE_MQTT__PORT": str(broker.port)},
            cwd=home,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        listening = asyncio.create_task(everything_sent(port, 1))
        process.stdin.write(samples.tobytes())
        await process.stdin.drain()
        sent = await listening
        await subscriber.until(lambda it: "rtgenre/den/state" in it.latest)
        process.stdin.close()
        out, err = await process.communicate()
        published = "\n".join(f"{topic} {payload}" for topic, payload in subscriber.seen)
    assert process.returncode == 0, err
    assert b'"state"' in out
    for what, data in {
        "WebSocket and HTTP": sent,
        "MQTT": published.encode(),
        "standard output": out,
        "logs": err,
    }.items():
        assert not holds_audio(data, samples), f"audio was found in {what}"
    written = files(home)
    for path in written:
        assert not holds_audio(path.read_bytes(), samples), f"audio was found in {path}"
    assert sum(path.stat().st_size for path in written) < samples.nbytes / 2
    assert files("/dev/shm").keys() <= shared_memory.keys()
