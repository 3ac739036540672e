"""``rtgenre tag`` with real files, tags, processes and models."""

import contextlib
import csv
import json
import os
import pickle
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from rtgenre.api.model import load_model
from rtgenre.cli import main
from rtgenre.tagging.song_tags import read_tags
from tests.signals import music, tone
from tests.tagging.songs import song

ENDINGS = ["mp3", "flac", "ogg", "m4a"]
TAGS = {"title": "Für Elise", "artist": "L. v. B.", "album": "Bagatelles"}


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Make songs once; tests copy them."""
    folder = tmp_path_factory.mktemp("songs")
    samples = np.tile(music(7), 2)
    for ending in ENDINGS:
        song(folder / f"song.{ending}", samples, **TAGS)
    song(folder / "tone.wav", tone(300, 10))
    return folder


@pytest.fixture
def library(songs, tmp_path):
    return Path(shutil.copytree(songs, tmp_path / "library"))


def tag(*arguments, model="cnn"):
    return main(["tag", "--model", model, *map(str, arguments)])


def rows(output):
    if output.suffix == ".csv":
        with output.open(newline="", encoding="utf-8") as file:
            return {Path(row["path"]).name: row for row in csv.DictReader(file)}
    lines = output.read_text(encoding="utf-8").splitlines()
    found = {Path(row["path"]).name: row for row in map(json.loads, lines)}
    assert len(found) == len(lines)
    return found


def test_a_process_that_judges_songs_loads_no_settings_which_would_delay_it(
    library, tmp_path, monkeypatch
):
    sent = []

    def none_in_processes(judge, songs, *, processes):
        sent.append(pickle.dumps(judge))
        yield from ()

    monkeypatch.setattr("rtgenre.commands.tag.each_in_processes", none_in_processes)
    tag(library, "--output", tmp_path / "tags.jsonl")
    program = "import pickle, sys; pickle.loads(sys.stdin.buffer.read()); print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], input=sent[0], check=True, capture_output=True
    )
    loaded = set(result.stdout.decode().split())
    assert "rtgenre.tagging.judge" in loaded
    assert not loaded & {"pydantic", "rtgenre.config", "rich", "asyncio"}


def test_every_format_gets_a_row_with_what_classify_says_and_its_tags(library, tmp_path, capsys):
    output = tmp_path / "tags.jsonl"
    assert tag(library, "--output", output, "--hop-seconds", 4) == 0
    found = rows(output)
    assert set(found) == {*(f"song.{ending}" for ending in ENDINGS), "tone.wav"}
    model = load_model("cnn")
    for name, row in found.items():
        verdict = model.classify(library / name, hop_seconds=4.0)
        assert (row["genre"], row["reason"]) == (verdict.genre, verdict.reason)
        assert row["probabilities"] == verdict.probabilities
        assert row["confidence"] == verdict.confidence
        assert row["sections"] == verdict.document()["sections"]
        assert row["size"] == (library / name).stat().st_size
        assert row["model"] == f"{model.info.name} {model.info.version}"
        assert row["model_checksum"] == f"{model.info.short_checksum}+4s"
        assert row["fault"] is None
    for ending in ENDINGS:
        row = found[f"song.{ending}"]
        assert (row["title"], row["artist"], row["album"]) == tuple(TAGS.values())
        assert row["duration_seconds"] == pytest.approx(14, abs=0.2)
    out = capsys.readouterr().out
    assert "5 songs judged" in out
    assert "h of music a minute" in out
    assert "100%" in out or "%  █" in out


def test_windows_do_not_overlap_whatever_the_service_does_unless_asked(
    library, tmp_path, monkeypatch
):
    monkeypatch.setenv("RTGENRE_WINDOWS__HOP_SECONDS", "1")
    model, ends = load_model("cnn"), {}
    for hop_seconds in (None, 4.0, 2.0):
        output = tmp_path / f"{hop_seconds}.jsonl"
        asked = [] if hop_seconds is None else ["--hop-seconds", hop_seconds]
        assert tag(library / "song.mp3", "--output", output, *asked) == 0
        row = rows(output)["song.mp3"]
        ends[hop_seconds] = row["sections"][-1]["end_seconds"]
        if hop_seconds is not None:
            verdict = model.classify(library / "song.mp3", hop_seconds=hop_seconds)
            assert row["probabilities"] == verdict.probabilities
            assert row["sections"] == verdict.document()["sections"]
    assert ends == {None: 12.0, 4.0: 12.0, 2.0: 14.0}


def test_the_same_command_again_judges_only_what_is_new_or_changed(library, tmp_path, capsys):
    output = tmp_path / "tags.csv"
    assert tag(library, "--output", output) == 0
    first = output.read_bytes()
    capsys.readouterr()
    assert tag(library, "--output", output) == 0
    assert output.read_bytes() == first
    assert "music a minute" not in capsys.readouterr().out
    song(library / "song.flac", tone(500, 8), title="another")
    shutil.copy(library / "song.mp3", library / "new.mp3")
    assert tag(library, "--output", output) == 0
    assert "judged 22 s of music" in capsys.readouterr().out
    found = rows(output)
    assert len(found) == 6
    assert found["song.flac"]["title"] == "another"


def test_another_model_or_another_sample_judges_everything_anew(library, tmp_path):
    output = tmp_path / "tags.csv"
    tag(library, "--output", output)
    for ending in ("flac", "ogg", "m4a", "mp3"):
        (library / f"song.{ending}").unlink()
    tag(library, "--output", output, "--sample", 8)
    found = rows(output)
    assert len(found) == 5
    assert found["tone.wav"]["sample_seconds"] == "8.0"
    assert found["tone.wav"]["sections"] == ""
    # Songs that are gone keep their rows.
    assert found["song.flac"]["sample_seconds"] == ""
    tag(library, "--output", output, model="crnn")
    assert rows(output)["tone.wav"]["model"].startswith("crnn ")


@pytest.mark.parametrize(("hop_seconds", "end_seconds"), [(2, 14.0), (4, 12.0)])
def test_a_hop_that_is_asked_for_judges_everything_anew_once(
    library, tmp_path, capsys, hop_seconds, end_seconds
):
    output = tmp_path / "tags.csv"
    tag(library / "song.mp3", "--output", output)
    capsys.readouterr()
    for _ in range(2):
        tag(library / "song.mp3", "--output", output, "--hop-seconds", hop_seconds)
    assert capsys.readouterr().out.count("music a minute") == 1
    assert f'"end_seconds": {end_seconds}' in rows(output)["song.mp3"]["sections"]


def test_parquet_goes_on_too(library, tmp_path, capsys):
    import pyarrow.parquet

    output = tmp_path / "tags.parquet"
    assert tag(library, "--output", output) == 0
    assert pyarrow.parquet.read_table(output).num_rows == 5
    shutil.copy(library / "tone.wav", library / "new.wav")
    capsys.readouterr()
    assert tag(library, "--output", output) == 0
    assert "judged 10 s of music" in capsys.readouterr().out
    assert pyarrow.parquet.read_table(output).num_rows == 6
    assert not list(tmp_path.glob("*.part"))


def test_what_cannot_be_judged_is_listed_and_the_rest_is_judged(library, tmp_path, capsys):
    (library / "corrupt.mp3").write_bytes(b"\0" * 10_000)
    (library / "empty.flac").touch()
    song(library / "short.wav", tone(300, 2))
    cut = (library / "song.flac").read_bytes()
    (library / "cut.flac").write_bytes(cut[: len(cut) * 3 // 4])
    output = tmp_path / "tags.jsonl"
    assert tag(library, tmp_path / "gone", "--output", output) == 1
    captured = capsys.readouterr()
    found = rows(output)
    assert len(found) == 9
    assert found["empty.flac"]["fault"] == "the file is empty (0 bytes)"
    assert found["short.wav"]["fault"].startswith("is shorter than one window")
    assert found["corrupt.mp3"]["genre"] is None
    assert found["cut.flac"]["genre"] is not None
    assert found["cut.flac"]["fault"]
    for name in ("corrupt.mp3", "empty.flac", "short.wav", "cut.flac", "gone"):
        assert f"/{name}: " in captured.err
    assert "6 songs judged, 3 with a fault instead" in captured.out
    # They are as they were, so nothing is done again, but they still are no songs.
    assert tag(library, "--output", output) == 1
    assert "music a minute" not in capsys.readouterr().out


def test_a_song_that_vanishes_keeps_its_earlier_row_and_is_told(library, tmp_path, monkeypatch):
    from rtgenre.commands import tag as command

    output = tmp_path / "tags.jsonl"
    tag(library, "--output", output)
    before = rows(output)
    found = command.find_songs

    def vanishing(places):
        songs, problems = found(places)
        (library / "song.mp3").unlink()
        (library / "tone.wav").unlink()
        return songs, problems

    monkeypatch.setattr(command, "find_songs", vanishing)
    assert tag(library, "--output", output, "--sample", 8) == 1
    after = rows(output)
    assert after["song.mp3"] == before["song.mp3"]
    assert after["tone.wav"] == before["tone.wav"]
    assert after["song.flac"]["sample_seconds"] == 8


def test_genres_are_written_only_where_asked_and_where_there_is_none(library, tmp_path, capsys):
    song(library / "song.ogg", np.tile(music(7), 2), genre="Polka")
    output = tmp_path / "tags.jsonl"
    tag(library, "--output", output)
    assert read_tags(library / "song.mp3").genre == ""
    # What was judged before is written without judging it again …
    capsys.readouterr()
    tag(library, "--output", output, "--write-genre")
    assert "music a minute" not in capsys.readouterr().out
    found = rows(output)
    for name, row in found.items():
        genre = read_tags(library / name).genre
        if name == "song.ogg":
            assert (genre, row["genre_tag"]) == ("Polka", "kept")
        elif row["genre"] == "unknown":
            assert (genre, row["genre_tag"]) == ("", None)
        else:
            assert genre.replace("-", "").lower() == row["genre"]
            assert row["genre_tag"] == "written"
    assert "written" in {row["genre_tag"] for row in found.values()}
    # … nor afterwards, though the files have changed by it.
    tag(library, "--output", output, "--write-genre")
    assert "music a minute" not in capsys.readouterr().out
    capsys.readouterr()
    assert tag(library, "--output", output, "--write-genre", "--overwrite") == 0
    assert "genres in files: " in capsys.readouterr().out
    row = rows(output)["song.ogg"]
    if row["genre"] != "unknown":
        assert read_tags(library / "song.ogg").genre != "Polka"


@pytest.mark.parametrize("command", [["classify"], ["tag", "--output", "tags.csv"]])
def test_what_libmpg123_says_of_a_damaged_mp3_is_not_shown(tmp_path, command):
    path = song(tmp_path / "song.mp3", np.tile(music(7), 2))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 9000] = np.random.default_rng(1).bytes(9000)
    path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "rtgenre", *command, "--model", "cnn", path],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert all(line.startswith("rtgenre: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--output", "tags.txt"], "must end in .parquet, .csv or .jsonl"),
        (["--output", "t.csv", "--overwrite"], "--overwrite belongs to --write-genre"),
        (["--output", "t.csv", "--sample", "3"], "at least the 4 s of one window are needed"),
        (["--output", "t.csv", "--sample", "nan"], "at least the 4 s of one window are needed"),
        (["--output", "t.csv", "--sample", "8", "--hop-seconds", "2"], "give one"),
        (["--output", "t.csv", "--processes", "0"], "--processes is 0; at least 1"),
        (["--output", "t.csv", "--processes", "1", "--scheduler", "tcp://x:1"], "give one"),
        (["--write-genre", "--output", "t.csv", "http://x/"], "not to http://x/"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(arguments, told, tmp_path, capsys):
    assert tag(*arguments, tmp_path) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_parquet_without_pyarrow_and_a_scheduler_without_dask_say_what_to_install(
    library, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert tag(library, "--output", tmp_path / "tags.parquet") == 1
    assert "pip install 'rtgenre[parquet]'" in capsys.readouterr().err
    output = tmp_path / "tags.csv"
    assert tag(library, "--output", output, "--scheduler", "tcp://127.0.0.1:1") == 1
    assert "pip install 'rtgenre[cluster]'" in capsys.readouterr().err
    assert tag("http://127.0.0.1:1/a.mp3", "--output", output) == 1
    assert "pip install 'rtgenre[cluster]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("tags*"))
    # The base installation does the rest.
    assert tag(library / "tone.wav", "--output", output) == 0
    assert len(rows(output)) == 1


def running(library, output, *arguments):
    command = [sys.executable, "-m", "rtgenre", "tag", str(library), "--output", str(output)]
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def many(songs, tmp_path):
    """Make a library that takes some seconds."""
    folder = tmp_path / "many"
    folder.mkdir()
    samples = np.tile(music(5), 6)
    first = song(folder / "0.flac", samples)
    for number in range(1, 6):
        shutil.copy(first, folder / f"{number}.flac")
    return folder


def wait_for_a_row(output):
    deadline = time.monotonic() + 60
    while not output.exists() or not output.read_bytes().count(b"\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_goes_on_with_every_song_once(many, tmp_path, ending):
    output = tmp_path / "tags.jsonl"
    with running(many, output) as process:
        wait_for_a_row(output)
        processes = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(ending)
        _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in error
    if ending == signal.SIGINT:
        assert error.splitlines()[-1] == "rtgenre: stopped; the same command goes on where it was"
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    done = rows(output)
    assert 1 <= len(done) < 6
    assert tag(many, "--output", output, model="crnn") == 0
    after = rows(output)
    assert len(after) == 6
    assert {name: after[name] for name in done} == done


def test_judging_processes_that_are_killed_lose_no_song_and_none_comes_twice(many, tmp_path):
    output = tmp_path / "tags.jsonl"
    with running(many, output, "--processes", "2") as process:
        wait_for_a_row(output)
        for child in psutil.Process(process.pid).children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.send_signal(signal.SIGKILL)
        process.communicate(timeout=100)
    assert process.returncode == 0
    assert len(rows(output)) == 6


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(library, tmp_path):
    output = tmp_path / "tags.jsonl"
    command = f"ulimit -f 2; exec {sys.executable} -m rtgenre tag {library} --output {output}"
    result = subprocess.run(
        ["bash", "-c", f"{command} --model cnn"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "cannot be written: File too large; the " in result.stderr
    done = rows(output)
    assert 1 <= len(done) < 5
    assert tag(library, "--output", output) == 0
    assert len(rows(output)) == 5


def test_a_terminal_shows_songs_speed_and_time_left_while_it_works(many, tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rtgenre", "tag", str(many), "--processes", "1"]
    command += ["--output", str(tmp_path / "tags.csv")]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "COLUMNS": "120"}
    ) as process:
        os.close(theirs)
        shown = b""
        # Reading from a terminal that nobody writes to any more is an error.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65536):
                shown += part
        assert process.wait() == 0
    os.close(ours)
    counts = [int(count) for count in re.findall(rb"(\d)/6", shown)]
    assert counts == sorted(counts)
    assert counts[-1] == 6
    assert set(counts) & {1, 2, 3, 4, 5}, "nothing was shown between the first and the last song"
    assert re.search(rb"\d\.\d\d h of music a minute", shown)
    assert re.search(rb"0:00:\d\d", shown)
