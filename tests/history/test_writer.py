import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from rtgenre.history.store import HistoryStore, read_stretches
from rtgenre.history.stretches import Stretch
from rtgenre.history.writer import HistoryWriter

DAY = 86400.0


def stretch(start, end, genre="rock"):
    return Stretch("kitchen", start, end, genre, 0.8, "crnn 1")


def read_all(file):
    return read_stretches(file, 0, 4e9)


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


@pytest.fixture
def writer(tmp_path):
    writers = []

    def start(file=tmp_path / "history.db", retention_days=0):
        writer = HistoryWriter(file, retention_days=retention_days, retry_seconds=0.05)
        writer.start()
        writers.append(writer)
        return writer

    yield start
    for each in writers:
        each.close()


def test_what_is_put_reaches_the_file_without_closing(tmp_path, writer):
    writer().put([stretch(0, 10)])
    wait_until(lambda: read_all(tmp_path / "history.db") == [stretch(0, 10)])


def test_closing_writes_what_waits(tmp_path, writer):
    started = writer()
    started.put([stretch(i, i + 1) for i in range(100)])
    started.close()
    assert len(read_all(tmp_path / "history.db")) == 100
    assert started.waiting() == []


def test_a_slow_disk_does_not_hold_up_the_caller(tmp_path, writer, monkeypatch):
    released = threading.Event()

    class SlowStore(HistoryStore):
        def write(self, stretches):
            released.wait()
            super().write(stretches)

    monkeypatch.setattr("rtgenre.history.writer.HistoryStore", SlowStore)
    started = writer()
    for i in range(1000):
        started.put([stretch(0, i + 1)])
    assert started.waiting() == [stretch(0, 1000)]
    released.set()
    wait_until(lambda: started.waiting() == [])
    assert read_all(tmp_path / "history.db") == [stretch(0, 1000)]


def test_old_stretches_are_forgotten_while_writing(tmp_path, writer):
    now = time.time()
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([stretch(now - d * DAY, now - d * DAY + 60) for d in (40, 31, 10, 9)])
    writer(retention_days=30).put([stretch(now - 60, now)])
    wait_until(lambda: len(read_all(tmp_path / "history.db")) == 3)


@pytest.mark.parametrize("retention_days", [1, 30, 400])
def test_a_clock_far_ahead_deletes_nothing_however_often_it_is_started(
    tmp_path, writer, caplog, retention_days
):
    file = tmp_path / "history.db"
    now = time.time()
    kept = [stretch(now - d * DAY, now - d * DAY + 60) for d in range(900, 500, -1)]
    with HistoryStore(file) as store:
        store.write(kept)
    for start in range(3):
        started = writer(retention_days=retention_days)
        started.put([stretch(now + start, now + start + 1)])
        started.close()
        assert len(read_all(file)) == len(kept) + start + 1
    assert sum("the clock may be wrong" in message for message in caplog.messages) == 3


@pytest.mark.parametrize("retention_days", [1, 7, 30, 400])
def test_whoever_listens_daily_keeps_no_more_than_the_settings_say(
    tmp_path, writer, caplog, retention_days
):
    file = tmp_path / "history.db"
    now = time.time()
    with HistoryStore(file) as store:
        store.write([stretch(now - d * DAY, now - d * DAY + 60) for d in range(500, 0, -1)])
    started = writer(retention_days=retention_days)
    started.put([stretch(now - 60, now)])
    started.close()
    assert len(read_all(file)) in {retention_days, retention_days + 1}
    assert not caplog.messages


def test_retention_of_zero_days_keeps_everything(tmp_path, writer):
    started = writer(retention_days=0)
    started.put([stretch(0, 10), stretch(10, 20)])
    started.close()
    assert len(read_all(tmp_path / "history.db")) == 2


def test_a_file_that_cannot_be_used_is_reported_once_and_written_when_it_can(
    tmp_path, writer, caplog, monkeypatch
):
    caplog.set_level(logging.INFO)
    attempts = []

    class CountedStore(HistoryStore):
        def __init__(self, file):
            attempts.append(file)
            super().__init__(file)

    monkeypatch.setattr("rtgenre.history.writer.HistoryStore", CountedStore)
    file = tmp_path / "history.db"
    file.write_text("not a database, for now " * 100)
    started = writer()
    started.put([stretch(0, 10)])
    wait_until(lambda: len(attempts) >= 4)
    assert sum("move it away" in message for message in caplog.messages) == 1
    assert started.waiting() == [stretch(0, 10)]
    file.unlink()
    wait_until(lambda: started.problem is None and started.waiting() == [])
    assert read_all(file) == [stretch(0, 10)]
    assert any("written again" in message for message in caplog.messages)


def test_memory_stays_bounded_while_nothing_can_be_written(tmp_path, writer, monkeypatch):
    monkeypatch.setattr("rtgenre.history.writer.MAX_WAITING_STRETCHES", 10)
    (tmp_path / "history.db").write_text("not a database " * 100)
    started = writer()
    started.put([stretch(i, i + 1) for i in range(25)])
    assert [s.started_at for s in started.waiting()] == list(range(15, 25))
    assert started.dropped == 15


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting a small tmpfs needs Linux and root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file):
    with suppress(OSError), file.open("wb", buffering=0) as full:
        while True:
            full.write(bytes(4096))


def test_a_full_disk_is_still_read_and_loses_nothing_that_memory_can_hold(small_disk, writer):
    file = small_disk / "history.db"
    started = writer(file)
    started.put([stretch(0, 10)])
    wait_until(lambda: started.waiting() == [])
    ballast = small_disk / "ballast"
    fill(ballast)
    many = [stretch(i, i + 1, "jazz") for i in range(10, 1000)]
    started.put(many)
    wait_until(lambda: started.problem is not None)
    assert "its disk is full" in started.problem
    assert started.waiting() == many
    assert read_all(file) == [stretch(0, 10)]
    ballast.unlink()
    wait_until(lambda: started.waiting() == [])
    assert started.problem is None
    assert read_all(file) == [stretch(0, 10), *many]


def remount(folder, mode):
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


def test_a_disk_that_becomes_read_only_is_still_read_and_loses_nothing(small_disk, writer, caplog):
    file = small_disk / "history.db"
    started = writer(file)
    started.put([stretch(0, 10)])
    wait_until(lambda: started.waiting() == [])
    remount(small_disk, "ro")
    started.put([stretch(10, 20)])
    wait_until(lambda: started.problem is not None)
    assert "its folder is read-only for this user" in started.problem
    assert started.waiting() == [stretch(10, 20)]
    assert read_all(file) == [stretch(0, 10)]
    remount(small_disk, "rw")
    wait_until(lambda: started.waiting() == [])
    assert read_all(file) == [stretch(0, 10), stretch(10, 20)]
    assert sum("read-only" in message for message in caplog.messages) == 1
