"""Records from a device and says what happens, a JSON document a line; for test_device.py.

PortAudio keeps state for as long as its process lives, so each test has a process of its own.
"""

import asyncio
import json
import sys
import time

import numpy as np

from rtgenre.audio.samples import select_channel
from rtgenre.sources.base import SourceError
from rtgenre.sources.device import DeviceSource
from rtgenre.types import Block


def say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def hear(number: int, channel: str):
    collected: list[np.ndarray] = []

    async def deliver(block: Block) -> None:
        collected.append(select_channel(block.samples, channel))
        if block.gap:
            say(source=number, event="gap")
        if sum(len(part) for part in collected) < block.sample_rate_hz // 2:
            return
        mono = np.concatenate(collected)
        collected.clear()
        spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
        say(
            source=number,
            event="heard",
            frequency_hz=float(np.argmax(spectrum) * block.sample_rate_hz / len(mono)),
            level=float(np.max(np.abs(mono))),
            channels=block.samples.shape[1],
            age_seconds=time.time() - block.captured_at,
        )

    return deliver


async def watch(number: int, source: DeviceSource) -> None:
    shown = None
    while True:
        if source.problem != shown:
            shown = source.problem
            say(source=number, event="problem", problem=shown, reopens=source.reopens)
        await asyncio.sleep(0.02)


async def main(selectors: list[str]) -> None:
    # A question mark before a name says that the device may be missing; a channel may follow it.
    names = [selector.partition("/")[0] for selector in selectors]
    channels = [selector.partition("/")[2] or "mix" for selector in selectors]
    sources = [
        DeviceSource(name.removeprefix("?"), channel=channel, may_be_missing=name.startswith("?"))
        for name, channel in zip(names, channels, strict=True)
    ]
    say(event="found", names=[source.name for source in sources])
    async with asyncio.TaskGroup() as tasks:
        for number, (source, channel) in enumerate(zip(sources, channels, strict=True)):
            tasks.create_task(source.run(hear(number, channel)))
            tasks.create_task(watch(number, source))
        # A line on standard input ends it, as Ctrl-C would.
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        await lines.readline()
        say(event="stopping")
        raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except* SourceError as group:
        say(event="error", message=str(group.exceptions[0]))
    except* KeyboardInterrupt:
        say(event="stopped")
