from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Block


class Heard:
    """Takes a source's blocks and lets a test wait for what it expects of them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._news = asyncio.Event()

    async def __call__(self, block: Block) -> None:
        self.blocks.append(block)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30.0):
            while not condition():
                self._news.clear()
                await self._news.wait()

    @property
    def n_samples(self) -> int:
        return sum(len(block.samples) for block in self.blocks)

    def samples(self) -> np.ndarray:
        return np.concatenate([block.samples for block in self.blocks])


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what a source does without delivering anything."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


@contextlib.asynccontextmanager
async def running(source: AudioSource, heard: Heard) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(source.run(heard))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def tone(
    seconds: float = 1.0, rate_hz: int = 44100, n_channels: int = 2, frequency_hz: float = 440.0
) -> np.ndarray:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 0.5 * np.sin(2 * np.pi * frequency_hz * time)
    return np.repeat(wave[:, None], n_channels, axis=1).astype(np.float32)


def peak_frequency_hz(mono: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
    return float(np.argmax(spectrum) * rate_hz / len(mono))


@pytest.fixture
def tone_wav(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(), 44100)
    return path


class FolderServer:
    """A web server that serves the files of a folder, and notes what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append(self.path)
                path = folder / self.path[1:].partition("?")[0]
                if not path.is_file():
                    self.send_error(404)
                    return
                content = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(content)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[FolderServer]:
    server = FolderServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def hls_url(served: FolderServer) -> str:
    wav = served.folder / "long.wav"
    soundfile.write(wav, tone(4.0), 44100)
    command = ["ffmpeg", "-loglevel", "error", "-i", wav, "-c:a", "aac", "-f", "hls"]
    playlist = served.folder / "live.m3u8"
    subprocess.run([*command, "-hls_time", "1", "-hls_list_size", "0", playlist], check=True)
    return f"{served.url}/live.m3u8"
