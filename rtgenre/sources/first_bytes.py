"""The first bytes at an address, fetched by ffmpeg on the way that a stream goes."""

from __future__ import annotations

import asyncio
import contextlib
import os

from rtgenre.sources.ffmpeg import LastMessage, start_ffmpeg
from rtgenre.sources.stream_command import stream_arguments
from rtgenre.threads import ThreadReader

_READ_BYTES = 16384
_FETCH_SECONDS = 10.0


async def first_bytes(url: str, n_bytes: int, environment: dict[str, str] | None) -> bytes:
    """Return what comes first at an address: so many bytes, or what there is of them in time.

    Args:
        url: begins with one of ``PROTOCOLS``, in small letters.
        n_bytes: how many are wanted at most.
        environment: ffmpeg's; None is ours.

    Raises:
        SourceError: ffmpeg cannot be run.
    """
    fetching = start_ffmpeg(stream_arguments(url, as_bytes=True), environment=environment)
    LastMessage(fetching)
    stdout = fetching.stdout
    assert stdout is not None
    reader = ThreadReader(
        lambda: os.read(stdout.fileno(), _READ_BYTES), "first-bytes-reader", close=stdout.close
    )
    content = b""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FETCH_SECONDS):
                while len(content) < n_bytes and (data := await reader.read()):
                    content += data
    finally:
        fetching.kill()
        fetching.wait()
        reader.stop()
    return content[:n_bytes]
