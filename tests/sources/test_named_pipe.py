import asyncio
import os
import subprocess
import time

import numpy as np
import pytest

from rtgenre.sources import named_pipe
from rtgenre.sources.base import SourceError
from rtgenre.sources.named_pipe import NamedPipeSource
from rtgenre.sources.pcm import PcmFormat

from .conftest import Heard, eventually, peak_frequency_hz, running

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")

RATE_HZ = 8000


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "kitchen.pcm"
    os.mkfifo(path)
    return path


def _source(path, *, may_be_missing=False, **changes):
    pcm = {"samples": "s16le", "sample_rate_hz": RATE_HZ, "n_channels": 1} | changes
    return NamedPipeSource(path, PcmFormat(**pcm), may_be_missing=may_be_missing)


def _write(path, samples):
    with path.open("wb") as writer:
        writer.write((samples * 32767).astype("<i2").tobytes())


def _player(path, tone_wav):
    command = ["ffmpeg", "-loglevel", "error", "-y", "-re", "-stream_loop", "-1", "-i", tone_wav]
    command += ["-f", "s16le", "-ar", "44100", "-ac", "2", path]
    return subprocess.Popen(command)


async def test_a_player_is_heard_as_it_plays_and_the_next_one_too(pipe, tone_wav):
    heard = Heard()
    source = _source(pipe, sample_rate_hz=44100, n_channels=2)
    async with running(source, heard):
        with _player(pipe, tone_wav) as player:
            await heard.until(lambda: heard.n_samples > 44100)
            player.kill()
        samples = heard.samples()
        assert samples.shape[1] == 2
        assert peak_frequency_hz(samples[:44100, 0], 44100) == pytest.approx(440, abs=2)
        # A pause is silence, as far as all who listen can tell.
        await heard.until(lambda: not heard.blocks[-1].samples.any())
        with _player(pipe, tone_wav) as player:
            await heard.until(lambda: heard.blocks[-1].samples.max() > 0)
            player.kill()
    assert source.problem is None
    assert not any(block.gap for block in heard.blocks)


async def test_a_pause_lasts_as_long_as_it_does(pipe, monkeypatch):
    monkeypatch.setattr(named_pipe, "PAUSE_SECONDS", 0.1)
    heard = Heard()
    async with running(_source(pipe), heard):
        await asyncio.to_thread(_write, pipe, np.full(800, 0.5))
        await heard.until(lambda: heard.n_samples >= 800)
        began_at, before = time.monotonic(), heard.n_samples
        await heard.until(lambda: heard.n_samples >= before + RATE_HZ)
        lasted_seconds = time.monotonic() - began_at
    # A busy machine may take longer, and be behind by one of them.
    assert lasted_seconds > 0.8


async def test_what_is_written_faster_than_it_sounds_is_held_back(pipe, monkeypatch):
    monkeypatch.setattr(named_pipe, "PAUSE_SECONDS", 0.1)
    heard = Heard()
    async with running(_source(pipe), heard):
        began_at = time.monotonic()
        await asyncio.to_thread(_write, pipe, np.full(2 * RATE_HZ, 0.5))
        await heard.until(lambda: heard.n_samples >= 1.5 * RATE_HZ)
        assert time.monotonic() - began_at > 1.2


async def test_that_nobody_has_written_yet_is_said_and_then_no_more(pipe):
    heard = Heard()
    source = _source(pipe)
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
        assert source.problem == (
            f"nothing was written into {pipe} yet; does the player that writes into it play?"
        )
        assert heard.blocks == []
        await asyncio.to_thread(_write, pipe, np.full(800, 0.5))
        await heard.until(lambda: heard.n_samples >= 800)
        assert source.problem is None
    assert (source.reopens, heard.blocks[0].gap) == (0, False)


async def test_a_pipe_that_is_put_in_its_place_is_opened_with_a_gap(pipe):
    heard = Heard()
    source = _source(pipe)
    async with running(source, heard):
        await asyncio.to_thread(_write, pipe, np.full(800, 0.5))
        await heard.until(lambda: heard.n_samples >= 800)
        pipe.unlink()
        await eventually(lambda: source.problem is not None)
        assert str(pipe) in source.problem
        os.mkfifo(pipe)
        await asyncio.to_thread(_write, pipe, np.full(800, 0.25))
        await heard.until(lambda: heard.blocks[-1].samples.max() == pytest.approx(0.25, abs=1e-3))
    assert source.problem is None
    assert source.reopens == 1
    assert sum(block.gap for block in heard.blocks) == 1


async def test_one_that_is_not_there_or_may_not_be_read_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.pcm: cannot be opened: No such file"):
        await _source(tmp_path / "gone.pcm").run(Heard())


async def test_what_is_no_pipe_is_an_error_that_says_how_to_make_one(tmp_path):
    path = tmp_path / "kitchen.pcm"
    path.write_bytes(bytes(800))
    with pytest.raises(SourceError, match=rf"no named pipe; remove it, then: mkfifo {path}"):
        await _source(path, may_be_missing=True).run(Heard())


async def test_one_that_a_player_makes_later_is_waited_for(tmp_path):
    path, heard = tmp_path / "kitchen.pcm", Heard()
    source = _source(path, may_be_missing=True)
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
        assert source.problem == f"{path}: cannot be opened: No such file or directory"
        os.mkfifo(path)
        await asyncio.to_thread(_write, path, np.full(800, 0.5))
        await heard.until(lambda: heard.n_samples >= 800)
    assert (source.problem, source.reopens, heard.blocks[0].gap) == (None, 0, False)


async def test_a_player_is_not_kept_from_ending(pipe):
    heard = Heard()
    async with running(_source(pipe), heard):
        await asyncio.to_thread(_write, pipe, np.full(80, 0.5))
    with pytest.raises(OSError, match="No such device or address"):
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


async def test_half_a_sample_of_a_player_that_was_killed_does_not_make_the_next_one_noise(
    pipe, monkeypatch
):
    monkeypatch.setattr(named_pipe, "PAUSE_SECONDS", 0.1)
    heard = Heard()
    async with running(_source(pipe), heard):
        await asyncio.to_thread(pipe.write_bytes, bytes(801))
        # Of that 400 are samples, and the rest a pause.
        await heard.until(lambda: heard.n_samples > 800)
        before = heard.n_samples
        await asyncio.to_thread(_write, pipe, np.full(800, 0.5))
        await heard.until(lambda: heard.blocks[-1].samples.max() > 0)
        await heard.until(lambda: not heard.blocks[-1].samples.any())
    sound = heard.samples()[before:]
    assert set(np.round(sound[sound != 0], 3)) == {0.5}


async def test_what_was_left_of_a_pipe_is_not_joined_to_the_one_in_its_place(pipe, monkeypatch):
    monkeypatch.setattr(named_pipe, "PAUSE_SECONDS", 0.1)
    heard = Heard()
    source = _source(pipe)
    source.wanted_seconds = lambda: 0.5
    async with running(source, heard):
        await asyncio.to_thread(_write, pipe, np.full(800, 0.5))
        pipe.unlink()
        await eventually(lambda: source.problem is not None)
        os.mkfifo(pipe)
        await asyncio.to_thread(_write, pipe, np.full(4000, 0.25))
        await heard.until(lambda: any(block.gap for block in heard.blocks))
    first = next(block for block in heard.blocks if block.gap)
    assert set(np.round(first.samples.ravel(), 3)) == {0.25}
