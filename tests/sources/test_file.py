import asyncio
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
import soundfile

from rtgenre.sources import file
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import SourceError
from rtgenre.sources.decode import open_audio
from rtgenre.sources.file import FileSource, Pace
from rtgenre.sources.folders import expand_paths
from rtgenre.types import Track

from .conftest import Heard, eventually, running, tone


def _write(path, samples, rate_hz=44100):
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return path


async def test_at_maximum_speed_every_sample_is_delivered_once_and_in_order(tmp_path):
    noise = np.random.default_rng(3).uniform(-1, 1, (70_001, 2)).astype(np.float32)
    heard = Heard()
    source = FileSource((_write(tmp_path / "noise.wav", noise),), speed="max")
    await source.run(heard)
    np.testing.assert_array_equal(heard.samples(), noise)
    assert not source.live
    assert source.failures == []
    assert not any(block.gap for block in heard.blocks)
    stamps = [block.captured_at for block in heard.blocks]
    assert stamps == sorted(stamps)


async def test_a_source_at_maximum_speed_waits_for_whoever_takes_its_blocks(tone_wav):
    taken = asyncio.Semaphore(0)
    heard = Heard()

    async def slow(block):
        await heard(block)
        await taken.acquire()

    task = asyncio.create_task(FileSource((tone_wav,), speed="max").run(slow))
    for expected in range(1, 4):
        await heard.until(lambda expected=expected: len(heard.blocks) == expected)
        await asyncio.sleep(0)
        assert len(heard.blocks) == expected
        taken.release()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_at_real_time_a_file_takes_as_long_as_it_sounds(tone_wav):
    heard = Heard()
    source = FileSource((tone_wav,), speed="realtime")
    before = time.monotonic()
    await source.run(heard)
    assert time.monotonic() - before >= 0.99
    assert source.live
    assert heard.n_samples == 44100
    stamps = [block.captured_at for block in heard.blocks]
    assert stamps[-1] - stamps[0] == pytest.approx(0.98, abs=0.5)


async def test_at_real_time_a_block_is_as_long_as_is_wanted_when_it_begins(tmp_path):
    noise = np.random.default_rng(3).uniform(-1, 1, (9001, 2)).astype(np.float32)
    wanted = iter([0.02, 0.3, 0.02, 0.02, 0.5, 0.5])
    source, heard = FileSource((_write(tmp_path / "noise.wav", noise, 8000),)), Heard()
    source.wanted_seconds = lambda: next(wanted, 0.5)
    await source.run(heard)
    assert [len(block.samples) for block in heard.blocks] == [160, 2400, 160, 160, 4000, 2121]
    np.testing.assert_allclose(heard.samples(), noise)


class HandTime:
    """Time that passes only where a test, or whoever sleeps, says so."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.003  # every sleep ends a little late


async def test_late_wake_ups_do_not_add_up():
    hand = HandTime()
    pace = Pace(lambda: hand.now, hand.sleep)
    for _ in range(1000):
        await pace.wait(0.02)
    assert hand.now == pytest.approx(100.0 + 20.0, abs=0.01)


async def test_after_a_suspended_machine_the_pace_does_not_hurry():
    hand = HandTime()
    pace = Pace(lambda: hand.now, hand.sleep)
    await pace.wait(0.02)
    hand.now += 3600
    before = hand.now
    for _ in range(100):
        await pace.wait(0.02)
    assert hand.now - before == pytest.approx(2.0, abs=0.01)


async def test_each_file_begins_with_a_gap_at_its_own_rate(tmp_path):
    paths = (
        _write(tmp_path / "a.wav", tone(0.3, 8000, 1), 8000),
        _write(tmp_path / "b.wav", tone(0.3, 96000, 8), 96000),
    )
    heard = Heard()
    await FileSource(paths, speed="max").run(heard)
    gaps = [(block.sample_rate_hz, block.samples.shape[1]) for block in heard.blocks if block.gap]
    assert gaps == [(96000, 8)]
    assert (heard.blocks[0].sample_rate_hz, heard.blocks[0].samples.shape[1]) == (8000, 1)


async def test_bad_files_are_named_and_the_good_ones_still_play(tmp_path, tone_wav):
    bad = tmp_path / "bad.mp3"
    bad.write_text("this is no music")
    heard = Heard()
    source = FileSource((tmp_path / "missing.wav", tone_wav, bad), speed="max")
    await source.run(heard)
    assert heard.n_samples == 44100
    assert [line.split(": ")[0] for line in source.failures] == [
        str(tmp_path / "missing.wav"),
        str(bad),
    ]


async def test_a_truncated_file_is_heard_as_far_as_it_goes_and_remarked_once(tmp_path, caplog):
    path = _write(tmp_path / "cut.wav", tone(4.0))
    path.write_bytes(path.read_bytes()[:1_000_000])
    heard = Heard()
    source = FileSource((path,), speed="max", loop=True)
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 3 * 1_000_000 / 8)
    assert source.failures == []
    (remark,) = [record.getMessage() for record in caplog.records if "cut.wav" in record.message]
    assert remark == f"{path}: ends early, after 2.8 s of 4.0 s"


async def test_a_looped_file_that_vanishes_is_a_problem_until_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr(file, "Backoff", lambda **_: Backoff(0.05, 0.05))
    path = _write(tmp_path / "a.wav", tone(1.0, 8000, 1), 8000)
    hidden = tmp_path / "hidden"
    heard = Heard()
    source = FileSource((path,), speed="max", loop=True)
    async with running(source, heard) as task:
        await heard.until(lambda: heard.n_samples > 0)
        path.rename(hidden)
        await eventually(lambda: source.problem is not None)
        assert source.problem == f"{path}: there is no such file"
        assert not task.done()
        before = heard.n_samples
        hidden.rename(path)
        await heard.until(lambda: heard.n_samples > before)
        assert source.problem is None
        assert source.reopens == 1


async def test_a_vanished_file_of_several_is_played_again_when_it_is_back(tmp_path):
    one = _write(tmp_path / "one.wav", tone(1.0, 8000, 1), 8000)
    other = _write(tmp_path / "other.wav", tone(1.0, 16000, 1), 16000)
    hidden = other.rename(tmp_path / "hidden")
    heard = Heard()
    async with running(FileSource((one, other), speed="max", loop=True), heard):
        await heard.until(lambda: heard.n_samples > 3 * 8000)
        assert {block.sample_rate_hz for block in heard.blocks} == {8000}
        hidden.rename(other)
        await heard.until(lambda: heard.blocks[-1].sample_rate_hz == 16000)


async def test_what_is_no_audio_is_looked_into_again_only_when_it_has_changed(
    tmp_path, monkeypatch
):
    good, bad = _write(tmp_path / "good.wav", tone(1.0, 8000, 1), 8000), tmp_path / "bad.wav"
    bad.write_bytes(b"no music")
    opened = []

    def noting(path):
        opened.append(path)
        return open_audio(path)

    monkeypatch.setattr(file, "open_audio", noting)
    heard = Heard()
    async with running(FileSource((good, bad), speed="max", loop=True), heard):
        await heard.until(lambda: opened.count(good) == 4)
        assert opened.count(bad) == 1
        _write(bad, tone(1.0, 16000, 1), 16000)
        await heard.until(lambda: heard.blocks[-1].sample_rate_hz == 16000)


async def test_a_file_without_the_chosen_channel_is_named_and_passed_over(tmp_path, tone_wav):
    mono = _write(tmp_path / "mono.wav", tone(1.0, 8000, 1), 8000)
    heard = Heard()
    source = FileSource((mono, tone_wav), speed="max", channel="right")
    await source.run(heard)
    assert {block.sample_rate_hz for block in heard.blocks} == {44100}
    (failure,) = source.failures
    assert failure.startswith(f"{mono}: channel 'right' was asked for; this input has 1 channel")


@pytest.mark.parametrize("speed", ["realtime", "max"])
async def test_a_loop_of_next_to_nothing_does_not_take_a_core(tmp_path, monkeypatch, speed):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio_sleep(0)

    path = _write(tmp_path / "a.wav", tone(1.0, 8000, 1)[:1], 8000)
    heard = Heard()
    asyncio_sleep = asyncio.sleep
    monkeypatch.setattr(file.asyncio, "sleep", sleep)
    async with running(FileSource((path,), speed=speed, loop=True), heard):
        await heard.until(lambda: len(heard.blocks) >= 3)
    assert sum(seconds > 0.99 for seconds in slept) >= 2


async def test_folders_are_not_searched_in_the_event_loop(tone_wav, monkeypatch):
    threads = []

    def noting(paths):
        threads.append(threading.current_thread())
        return expand_paths(paths)

    monkeypatch.setattr(file, "expand_paths", noting)
    await FileSource((tone_wav,), speed="max").run(Heard())
    assert threading.main_thread() not in threads


def test_a_read_that_hangs_does_not_hold_up_the_exit(tone_wav):
    program = (
        "import asyncio, sys, threading; from pathlib import Path\n"
        "from rtgenre.sources import file\n"
        "async def main():\n"
        "    hangs = threading.Event()\n"
        "    def open_audio(path): hangs.set(); threading.Event().wait()\n"
        "    file.open_audio = open_audio\n"
        "    task = asyncio.create_task(file.FileSource((Path('a.wav'),)).run(None))\n"
        "    await asyncio.to_thread(hangs.wait)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


async def test_no_usable_file_at_all_is_an_error_that_names_each(tmp_path):
    (tmp_path / "empty").mkdir()
    source = FileSource((tmp_path / "a.wav", tmp_path / "empty"), speed="max", loop=True)
    with pytest.raises(SourceError, match=r"a\.wav: there is no such file"):
        await source.run(Heard())
    assert len(source.failures) == 2


async def test_a_folder_of_files_that_cannot_be_used_is_an_error_of_one_short_line(tmp_path):
    source = FileSource(tuple(tmp_path / f"{number}.wav" for number in range(1000)), speed="max")
    with pytest.raises(SourceError, match=r"; and 997 more$") as caught:
        await source.run(Heard())
    assert str(caught.value).count("there is no such file") == 3


async def test_a_loop_begins_again_and_names_a_bad_file_once(tmp_path, tone_wav):
    heard = Heard()
    source = FileSource((tone_wav, tmp_path / "missing.wav"), speed="max", loop=True)
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 3 * 44100)
    assert len(source.failures) == 1
    assert [block.gap for block in heard.blocks].count(True) >= 2


async def test_a_cancelled_file_source_leaves_no_ffmpeg_behind(tmp_path, tone_wav):
    path = tmp_path / "a.m4a"
    await asyncio.to_thread(
        subprocess.run, ["ffmpeg", "-loglevel", "error", "-i", tone_wav, path], check=True
    )
    before = set(psutil.Process().children(recursive=True))
    # Whatever it was doing when it was stopped: opening, reading, waiting.
    for turns_of_the_loop in range(8):
        task = asyncio.create_task(FileSource((path,)).run(Heard()))
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
    children = set(psutil.Process().children(recursive=True)) - before
    await eventually(lambda: not any(child.is_running() for child in children))


async def test_a_cancelled_file_source_stops_at_once(tmp_path):
    path = _write(tmp_path / "long.wav", tone(30.0))
    heard = Heard()
    async with running(FileSource((path,)), heard) as task:
        await heard.until(lambda: len(heard.blocks) > 2)
        task.cancel()
        async with asyncio.timeout(5.0):
            await asyncio.wait([task])
    assert task.cancelled()


async def test_the_source_says_which_file_plays_by_its_tags_or_else_its_name(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 8000, 1) as tagged:
        tagged.title, tagged.artist = "So What", "Miles Davis"
        tagged.write(tone(0.2, 8000, 1))
    soundfile.write(tmp_path / "b.flac", tone(0.2, 8000, 1), 8000)
    source = FileSource((tmp_path,), speed="max")
    tracks = []

    async def note(_):
        tracks.append(source.track)

    await source.run(note)
    assert list(dict.fromkeys(tracks)) == [Track("So What", "Miles Davis"), Track("b.flac")]
