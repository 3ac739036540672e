"""The same songs on a Dask cluster of real processes."""

import functools
import http.server
import json
import logging
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import distributed
import numpy as np
import pytest
from distributed.comm import CommClosedError

from rtgenre.cli import main
from rtgenre.errors import RtgenreError
from rtgenre.messages.payload import iso_utc
from rtgenre.tagging.cluster import WorkersDied, each_on_cluster
from rtgenre.tagging.remote import find_remote_songs
from rtgenre.tagging.song import Row, Song
from tests.dask_cluster import dask_cluster
from tests.signals import music
from tests.tagging.songs import song

N_SONGS = 12


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    first = song(folder / "0.flac", np.tile(music(5), 4), title="T")
    for number in range(1, N_SONGS):
        shutil.copy(first, folder / f"{number}.flac")
    return folder


@pytest.fixture(scope="module")
def cluster():
    with dask_cluster(1) as cluster:
        yield cluster


def tag(*arguments):
    return main(["tag", "--model", "cnn", *map(str, arguments)])


def rows(output):
    found = [json.loads(line) for line in output.read_text().splitlines()]
    assert len({row["path"] for row in found}) == len(found)
    return found


def slow_row(song):
    """Take the place of a judge: a tenth of a second a song."""
    time.sleep(0.1)
    return Row(song.path, song.size, song.modified, genre="jazz")


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def deadly_row(song):
    """Kill the worker."""
    signal.raise_signal(signal.SIGKILL)


class LostJudge:
    """Judges as ``slow_row``; to make it the first time takes until ``lost`` is there."""

    def __init__(self, folder):
        self.begun, self.lost = folder / "begun", folder / "lost"

    def __setstate__(self, state):
        self.__dict__.update(state)
        if not self.begun.exists():
            self.begun.touch()
            until(self.lost.exists)

    def __call__(self, song):
        return slow_row(song)


def forget_all(dask_worker):
    from distributed.worker_state_machine import FreeKeysEvent

    keys = list(dask_worker.state.tasks)
    dask_worker.handle_stimulus(FreeKeysEvent(keys=keys, stimulus_id="test"))


def songs(count):
    return [Song(f"/music/{number}.mp3", f"/music/{number}.mp3", 1, "") for number in range(count)]


def test_a_worker_that_is_killed_loses_no_song_and_none_comes_twice(library, tmp_path):
    output = tmp_path / "tags.jsonl"
    with dask_cluster(3) as cluster:
        victim = cluster.processes[-1]

        def kill_soon():
            while not output.exists() or not output.read_bytes():
                time.sleep(0.01)
            victim.kill()

        killer = threading.Thread(target=kill_soon, daemon=True)
        killer.start()
        assert tag(library, "--output", output, "--scheduler", cluster.address) == 0
        killer.join()
        assert victim.wait() == -signal.SIGKILL
    assert len(rows(output)) == N_SONGS
    assert {row["title"] for row in rows(output)} == {"T"}


def test_a_worker_that_knows_nothing_of_what_it_is_waited_for_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("rtgenre.tagging.cluster._LOOK_SECONDS", 0.3)
    judge = LostJudge(tmp_path)
    with dask_cluster(1) as cluster, distributed.Client(cluster.address, set_as_default=False) as c:

        def lose():
            until(judge.begun.exists)
            c.run(forget_all)
            judge.lost.touch()

        losing = threading.Thread(target=lose, daemon=True)
        losing.start()
        answers = list(each_on_cluster(judge, songs(3), scheduler=cluster.address))
        losing.join()
    assert sorted((song for song, _ in answers), key=lambda song: song.path) == songs(3)


def test_rows_that_die_with_a_worker_before_they_are_fetched_are_made_anew():
    import distributed

    with dask_cluster(1) as cluster, distributed.Client(cluster.address, set_as_default=False) as c:
        answers = each_on_cluster(slow_row, songs(6), scheduler=cluster.address)
        first, _ = next(answers)
        until(lambda: sum(map(bool, c.who_has().values())) >= 6)  # five rows and the judge
        cluster.processes[-1].kill()
        until(lambda: not c.nthreads())
        cluster.add_worker()
        others = [song for song, _ in answers]
    assert sorted([first, *others], key=lambda song: song.path) == songs(6)


def test_a_cluster_says_what_this_machine_says(cluster, library, tmp_path):
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    assert tag(library / "0.flac", "--output", here) == 0
    assert tag(library / "0.flac", "--output", there, "--scheduler", cluster.address) == 0
    assert rows(here) == rows(there)


def test_tasks_have_names_that_people_can_read(cluster):
    import distributed

    with distributed.Client(cluster.address, set_as_default=False) as client:
        answers = each_on_cluster(slow_row, songs(3), scheduler=cluster.address)
        next(answers)
        names = client.run_on_scheduler(
            lambda dask_scheduler: [
                (str(task.key), task.prefix.name) for task in dask_scheduler.tasks.values()
            ]
        )
        answers.close()
    assert any(name.startswith("rtgenre-tag-/music/") for name, _ in names)
    assert {prefix for _, prefix in names} == {"rtgenre-tag", "rtgenre-tag-judge"}


def test_without_workers_it_says_so_and_goes_on_when_one_comes():
    told = []
    with dask_cluster(0) as cluster:

        def tell(n_workers):
            told.append(n_workers)
            if n_workers == 0 and len(told) == 2:
                threading.Thread(target=cluster.add_worker, daemon=True).start()

        answers = each_on_cluster(slow_row, songs(3), scheduler=cluster.address, tell_workers=tell)
        assert len(list(answers)) == 3
    assert told[:2] == [0, 0]


def test_a_worker_that_takes_the_only_ones_place_goes_on():
    with dask_cluster(1) as cluster:
        only = cluster.processes[-1]
        answers = each_on_cluster(slow_row, songs(20), scheduler=cluster.address)
        first = next(answers)
        only.kill()
        cluster.add_worker()
        assert len({song.path for song, _ in [first, *answers]}) == 20


def test_a_song_that_every_worker_dies_of_is_told_as_such():
    with dask_cluster(0) as cluster:
        # Dask gives a task to four workers before it gives up.
        for _ in range(4):
            threading.Thread(target=cluster.add_worker, daemon=True).start()
        ((_, answer),) = each_on_cluster(deadly_row, songs(1), scheduler=cluster.address)
    assert isinstance(answer, WorkersDied)
    assert str(answer) == "each worker that judged it died"


def test_a_scheduler_that_goes_away_is_told_in_one_line_and_nothing_hangs():
    with dask_cluster(1) as cluster:
        answers = each_on_cluster(slow_row, songs(1000), scheduler=cluster.address)
        next(answers)
        cluster.scheduler.kill()
        with pytest.raises(RtgenreError, match="does not answer any more; the same command"):
            list(answers)
    # Dask would add its own, with tracebacks.
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)


class LostRow:
    """A row whose scheduler goes away at one moment or another while it is fetched."""

    status = "finished"

    def __init__(self, moment, key):
        self._moment, self.key = moment, key

    def exception(self, timeout):
        if self._moment == "looked at":
            raise CommClosedError
        return CommClosedError() if self._moment == "before" else None

    def result(self, timeout):
        raise CommClosedError

    def add_done_callback(self, done):
        done(self)


@pytest.mark.parametrize("moment", ["before", "looked at", "fetched"])
def test_a_scheduler_that_goes_away_while_a_row_is_fetched_is_told_in_one_line(moment, monkeypatch):
    monkeypatch.setattr(distributed.Client, "submit", lambda *_, key, **__: LostRow(moment, key))
    with dask_cluster(1) as cluster:
        answers = each_on_cluster(slow_row, songs(3), scheduler=cluster.address)
        with pytest.raises(RtgenreError, match="does not answer any more; the same command"):
            list(answers)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(library, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("rtgenre.tagging.cluster._CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "tcp://no.such.host.invalid:1"):
        assert tag(library, "--output", tmp_path / "t.csv", "--scheduler", address) == 1
        error = capsys.readouterr().err
        assert f"no Dask scheduler answers at {address}" in error
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["nas", "tls://127.0.0.1:9"])
def test_an_address_that_dask_cannot_use_is_told_in_one_line_and_nothing_hangs(
    address, library, tmp_path
):
    command = [sys.executable, "-m", "rtgenre", "tag", library, "--output", tmp_path / "t.csv"]
    ended = subprocess.run(
        [*command, "--scheduler", address], capture_output=True, text=True, timeout=15, check=False
    )
    assert ended.returncode == 1
    assert f"no Dask scheduler answers at {address} within" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_another_model_on_a_worker_is_told(cluster, library, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("rtgenre.commands.tag.model_of", lambda _: ("cnn 99", "abcd"))
    arguments = [library, "--output", tmp_path / "t.csv", "--scheduler", cluster.address]
    assert tag(*arguments) == 1
    assert "on this worker; cnn 99 abcd is asked for" in capsys.readouterr().err


def test_another_rtgenre_on_a_worker_is_told(cluster, monkeypatch):
    monkeypatch.setattr("rtgenre.tagging.cluster.__version__", "99.0.0")
    with pytest.raises(RtgenreError, match=r"a worker has rtgenre .*; 99.0.0 is asked for"):
        list(each_on_cluster(slow_row, songs(1), scheduler=cluster.address))


@pytest.fixture
def web(library):
    """Serve the library over HTTP."""
    handler = functools.partial(_QuietHandler, directory=str(library))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_song_that_a_web_server_has_anew_is_told_from_the_one_before(web, library):
    (song,) = find_remote_songs(f"{web}/0.flac")
    seconds = int((library / "0.flac").stat().st_mtime)
    assert song.modified == iso_utc(seconds)


def test_of_the_songs_in_a_folder_of_a_web_server_those_that_it_has_anew_are_told_from_before(
    web, library
):
    dead_link = library / "gone.flac"
    dead_link.symlink_to("nowhere")
    songs = {Path(each.path).name: each for each in find_remote_songs(f"{web}/")}
    dead_link.unlink()
    gone = songs.pop("gone.flac")
    assert len(songs) == N_SONGS
    for name, each in songs.items():
        found = (library / name).stat()
        assert (each.size, each.modified) == (found.st_size, iso_utc(int(found.st_mtime)))
    assert (gone.size, gone.modified) == (None, "")


def test_the_password_in_a_url_is_used_but_never_told(web, tmp_path, capsys):
    with_password = web.replace("http://", "http://ada:secret@")
    (song,) = find_remote_songs(f"{with_password}/0.flac")
    assert song.location == f"{with_password}/0.flac"
    assert song.path == f"{web}/0.flac"
    assert tag(f"{with_password}/gone.flac", "--output", tmp_path / "t.csv") == 1
    error = capsys.readouterr().err
    assert f"{web}/gone.flac: cannot be read: " in error
    assert "secret" not in error


def test_songs_behind_urls_are_judged_and_the_same_command_goes_on(
    cluster, web, library, tmp_path, capsys
):
    output = tmp_path / "tags.jsonl"
    arguments = [f"{web}/0.flac", f"{web}/gone.flac", "--output", output]
    assert tag(*arguments, "--scheduler", cluster.address) == 1
    assert f"rtgenre: {web}/gone.flac: cannot be read: " in capsys.readouterr().err
    (row,) = rows(output)
    assert row["path"] == f"{web}/0.flac"
    assert row["size"] == (library / "0.flac").stat().st_size
    assert (row["title"], row["genre"] is None) == ("T", False)
    before = output.read_bytes()
    tag(*arguments)
    assert output.read_bytes() == before
    assert len(find_remote_songs(f"{web}/")) == N_SONGS


def test_a_folder_of_a_server_with_nothing_in_it_and_a_server_that_is_gone_are_told(
    tmp_path, capsys
):
    Path(tmp_path / "notes.txt").touch()
    assert tag(f"file://{tmp_path}", "--output", tmp_path / "t.csv") == 1
    assert "there are no audio files there" in capsys.readouterr().err
    assert tag("http://127.0.0.1:9/a.mp3", "--output", tmp_path / "t.csv") == 1
    assert "http://127.0.0.1:9/a.mp3: cannot be read: " in capsys.readouterr().err
    assert tag("http://127.0.0.1:9/music/", "--output", tmp_path / "t.csv") == 1
    error = capsys.readouterr().err
    assert "http://127.0.0.1:9/music/: cannot be read: " in error
    assert "Connect call failed" in error
    assert tag("nonsense://a/b", "--output", tmp_path / "t.csv") == 1
    assert "nonsense://a/b: cannot be read: " in capsys.readouterr().err
