import asyncio
import os
import pty
import subprocess
import sys

import numpy as np
import pytest

from rtgenre.sources.base import SourceError
from rtgenre.sources.pcm import PcmFormat
from rtgenre.sources.pipe import PipeSource

from .conftest import Heard, peak_frequency_hz, running


def _source(file_descriptor: int, **changes) -> PipeSource:
    pcm = {"samples": "s16le", "sample_rate_hz": 44100, "n_channels": 2} | changes
    return PipeSource(PcmFormat(**pcm), file_descriptor=file_descriptor)


@pytest.mark.parametrize(("pcm_format", "rate_hz"), [("s16le", 44100), ("f32le", 48000)])
async def test_what_ffmpeg_writes_is_heard_to_its_end(tone_wav, pcm_format, rate_hz):
    command = ["ffmpeg", "-loglevel", "error", "-i", tone_wav, "-f", pcm_format]
    command += ["-ar", str(rate_hz), "-ac", "2", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        heard = Heard()
        source = _source(writer.stdout.fileno(), samples=pcm_format, sample_rate_hz=rate_hz)
        await source.run(heard)
    assert heard.n_samples == pytest.approx(rate_hz, abs=50)
    assert peak_frequency_hz(heard.samples()[:, 0], rate_hz) == pytest.approx(440, abs=2)
    assert not any(block.gap for block in heard.blocks)


async def test_the_writer_waits_so_that_nothing_is_skipped():
    read_end, write_end = os.pipe()
    written = np.arange(60_000, dtype="<f4") / 60_000

    def write():
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(written.tobytes())

    writing = asyncio.create_task(asyncio.to_thread(write))
    heard = Heard()

    async def slow(block):
        await asyncio.sleep(0.001)
        await heard(block)

    await _source(read_end, n_channels=1, samples="f32le").run(slow)
    await writing
    os.close(read_end)
    np.testing.assert_array_equal(heard.samples()[:, 0], written)


async def test_a_frame_cut_off_at_the_end_is_dropped(tmp_path):
    path = tmp_path / "audio.raw"
    path.write_bytes(np.zeros((100, 2), "<i2").tobytes() + b"\x01\x02\x03")
    heard = Heard()
    with path.open("rb") as file:
        await _source(file.fileno()).run(heard)
    assert heard.samples().shape == (100, 2)


async def test_a_cancelled_pipe_stops_though_the_writer_is_silent():
    read_end, write_end = os.pipe()
    heard = Heard()
    async with running(_source(read_end), heard):
        os.write(write_end, bytes(400))
        await heard.until(lambda: heard.n_samples == 100)
    os.close(write_end)


async def test_a_process_whose_standard_input_never_ends_can_still_end():
    program = (
        "import asyncio\n"
        "from rtgenre.sources.pcm import PcmFormat\n"
        "from rtgenre.sources.pipe import PipeSource\n"
        "async def main():\n"
        "    source = PipeSource(PcmFormat('s16le', 8000, 1))\n"
        "    heard = asyncio.Event()\n"
        "    async def deliver(block): heard.set()\n"
        "    task = asyncio.create_task(source.run(deliver))\n"
        "    await heard.wait()\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
        "print('done')\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    process.stdin.write(bytes(1600))
    await process.stdin.drain()
    async with asyncio.timeout(30):
        output = await process.stdout.read()
        errors = await process.stderr.read()
        await process.wait()
    assert (output, errors, process.returncode) == (b"done\n", b"", 0)


async def test_a_terminal_is_refused_with_an_example():
    controller, terminal = pty.openpty()
    try:
        with pytest.raises(SourceError, match=r"is a terminal.*44100 Hz.*\| rtgenre run -"):
            await _source(terminal).run(Heard())
    finally:
        os.close(controller)
        os.close(terminal)


async def test_a_pipe_without_any_audio_is_an_error():
    read_end, write_end = os.pipe()
    os.close(write_end)
    with pytest.raises(SourceError, match="ended before any audio"):
        await _source(read_end).run(Heard())
    os.close(read_end)


async def test_a_closed_standard_input_is_an_error():
    read_end, write_end = os.pipe()
    os.close(write_end)
    os.close(read_end)
    with pytest.raises(SourceError, match="standard input cannot be read"):
        await _source(read_end).run(Heard())
