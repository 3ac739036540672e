import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rtgenre.history.store import (
    _MIGRATIONS,
    SCHEMA_VERSION,
    HistoryError,
    HistoryStore,
    read_stretches,
)
from rtgenre.history.stretches import Stretch

START = 1_700_000_000.0
REPOSITORY = Path(__file__).parents[2]


def stretch(start, end, genre="rock", node="kitchen"):
    return Stretch(node, START + start, START + end, genre, 0.8, "crnn 1")


def read_all(file):
    return read_stretches(file, 0, 4e9)


def test_what_was_written_is_read_back(tmp_path):
    file = tmp_path / "data" / "history.db"
    written = [
        stretch(0, 10),
        stretch(10, 20, "jazz")._replace(title="So What", artist="Miles Davis"),
        stretch(0, 20, node="studio"),
    ]
    with HistoryStore(file) as store:
        store.write(written)
    assert sorted(read_all(file), key=str) == sorted(written, key=str)


def test_what_is_forgotten_is_gone_and_what_reaches_out_of_that_time_keeps_the_rest(tmp_path):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write(
            [
                stretch(0, 10),
                stretch(10, 30, "jazz")._replace(title="So What"),
                stretch(30, 40, "blues"),
                stretch(40, 60, "metal"),
                stretch(0, 100, "disco", node="studio"),
            ]
        )
        store.forget(START + 20, START + 50, "kitchen")
        assert sorted(read_all(file), key=str) == [
            stretch(0, 10),
            stretch(10, 20, "jazz")._replace(title="So What"),
            stretch(50, 60, "metal"),
            stretch(0, 100, "disco", node="studio"),
        ]
        store.forget(START, START + 60, genre="metal")
        store.forget(START, START + 60, "kitchen", "disco")
        assert len(read_all(file)) == 3
        store.forget(START + 5, START + 95)
    assert sorted(read_all(file), key=str) == [
        stretch(0, 5),
        stretch(0, 5, "disco", node="studio"),
        stretch(95, 100, "disco", node="studio"),
    ]


def test_nothing_of_what_is_forgotten_stays_in_the_file(tmp_path):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write([stretch(i, i + 1, f"secret{i}") for i in range(200)])
        store.forget(START, START + 1000)
    assert not [path for path in tmp_path.iterdir() if b"secret" in path.read_bytes()]


def test_a_stretch_that_went_on_replaces_its_shorter_version(tmp_path):
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([stretch(0, 10)])
        store.write([stretch(0, 70)])
    assert read_all(tmp_path / "history.db") == [stretch(0, 70)]


def test_a_time_range_holds_what_reaches_into_it_and_nothing_else(tmp_path):
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([stretch(0, 10), stretch(10, 20), stretch(20, 30), stretch(30, 40)])
        found = read_stretches(tmp_path / "history.db", START + 15, START + 30)
    assert found == [stretch(10, 20), stretch(20, 30)]


def test_a_reader_does_not_wait_for_a_writer_since_the_file_is_in_wal_mode(
    tmp_path,
):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write([stretch(0, 10)])
        assert sqlite3.connect(file).execute("PRAGMA journal_mode").fetchone() == ("wal",)
        store._connection.execute("BEGIN IMMEDIATE")
        assert read_all(file) == [stretch(0, 10)]


def test_old_stretches_are_forgotten(tmp_path):
    with HistoryStore(tmp_path / "history.db") as store:
        store.write([stretch(0, 10), stretch(10, 20)])
        store.forget_before(START + 15)
    assert read_all(tmp_path / "history.db") == [stretch(10, 20)]


def test_a_history_that_is_not_there_yet_is_empty(tmp_path):
    assert read_all(tmp_path / "history.db") == []


def test_an_empty_file_is_migrated_to_the_newest_schema(tmp_path):
    file = tmp_path / "history.db"
    file.touch()
    assert read_all(file) == []
    with HistoryStore(file) as store:
        store.write([stretch(0, 10)])
    assert sqlite3.connect(file).execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_migration_that_fails_leaves_the_old_schema_whole(tmp_path, monkeypatch):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write([stretch(0, 10)])
    module = "rtgenre.history.store"
    broken = ("ALTER TABLE stretches ADD COLUMN volume REAL", "this is no SQL")
    monkeypatch.setattr(HistoryStore, "migrations", (*_MIGRATIONS, broken))
    monkeypatch.setattr(f"{module}.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(HistoryError):
        HistoryStore(file)
    monkeypatch.undo()
    columns = [row[1] for row in sqlite3.connect(file).execute("PRAGMA table_info(stretches)")]
    assert "volume" not in columns
    assert read_all(file) == [stretch(0, 10)]


def test_a_migration_keeps_what_was_heard(tmp_path, monkeypatch):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write([stretch(0, 10)])
    module = "rtgenre.history.store"
    step = ("ALTER TABLE stretches ADD COLUMN volume REAL",)
    monkeypatch.setattr(HistoryStore, "migrations", (*_MIGRATIONS, step))
    monkeypatch.setattr(f"{module}.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with HistoryStore(file) as store:
        store.write([stretch(10, 20)])
    assert read_all(file) == [stretch(0, 10), stretch(10, 20)]


def test_a_history_of_the_first_version_is_read_and_goes_on(tmp_path):
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as connection:
        for statement in _MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        row = ("kitchen", 1000, 2000, "rock", 0.8, "crnn 1")
        connection.execute("INSERT INTO stretches VALUES (?, ?, ?, ?, ?, ?)", row)
        silence = ("kitchen", 2000, 3000, "silence", 0.29, "crnn 1")
        connection.execute("INSERT INTO stretches VALUES (?, ?, ?, ?, ?, ?)", silence)
    old = Stretch("kitchen", 1.0, 2.0, "rock", 0.8, "crnn 1")
    assert read_all(file)[0] == old
    new = Stretch("kitchen", START, START + 9, "unknown", None, "crnn 2", "not_music")
    with HistoryStore(file) as store:
        store.write([new])
    assert read_all(file) == [
        old,
        Stretch("kitchen", 2.0, 3.0, "silence", None, "crnn 1"),
        new,
    ]


def test_a_history_of_the_version_without_titles_is_read_before_it_is_brought_up_to_date(tmp_path):
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as connection:
        for statement in (*_MIGRATIONS[0], *_MIGRATIONS[1]):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 2")
        row = ("kitchen", 1000, 2000, "unknown", None, "crnn 1", "unsure")
        connection.execute("INSERT INTO stretches VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    old = Stretch("kitchen", 1.0, 2.0, "unknown", None, "crnn 1", "unsure")
    assert read_all(file) == [old]
    with HistoryStore(file):
        assert read_all(file) == [old]


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HistoryError, match="newer rtgenre"):
        HistoryStore(file)
    with pytest.raises(HistoryError, match="version 99"):
        read_all(file)
    assert sqlite3.connect(file).execute("PRAGMA user_version").fetchone() == (99,)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "history.db"
    file.write_text("my shopping list\n" * 100)
    with pytest.raises(HistoryError, match="not a history"):
        HistoryStore(file)
    assert file.read_text().startswith("my shopping list")


def test_a_folder_that_cannot_be_made_is_an_error_with_its_path(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(HistoryError, match="taken"):
        HistoryStore(tmp_path / "taken" / "history.db")


_ENDLESS_WRITER = """
import itertools, sys
from pathlib import Path
from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch

first = int(sys.argv[2])
for i in itertools.count(first):
    with HistoryStore(Path(sys.argv[1])) as store:
        store.write([Stretch("kitchen", float(i), i + 1.0, "rock", 0.5, "crnn 1")])
    print(i, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_any_moment_the_file_opens_cleanly_with_all_that_was_reported_written(tmp_path):
    file = tmp_path / "history.db"
    first = 0
    for round_number in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS_WRITER, str(file), str(first)],
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for _ in range(3 + 5 * round_number):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        reported = writer.stdout.read().split()
        writer.wait()
        last = int(reported[-1]) if reported else last
        starts = [stretch.started_at for stretch in read_all(file)]
        # One more than reported may have been written.
        assert starts in ([*range(last + 1)], [*range(last + 2)])
        check = sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone()
        assert check == ("ok",)
        first = len(starts)


def test_a_path_that_can_hold_no_file_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match="cannot be used"):
        HistoryStore(tmp_path / "file" / "history.db")
    with pytest.raises(HistoryError, match="File name too long"):
        read_all(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("confidence", "high"),
        ("confidence", float("inf")),
        ("ended_ms", "later"),
        ("ended_ms", 10**18),
        ("started_ms", -(10**18)),
        ("genre", b"\xff"),
        ("reason", b"\xff"),
        ("artist", b"\xff"),
    ],
)
def test_a_row_that_rtgenre_did_not_write_is_named_and_not_passed_on(tmp_path, column, value):
    file = tmp_path / "history.db"
    with HistoryStore(file) as store:
        store.write([stretch(0, 10), stretch(10, 20)])
        # Like a table whose columns another program made: SQLite takes any value in any column.
        store._connection.executescript(
            "CREATE TABLE t AS SELECT * FROM stretches; DROP TABLE stretches;"
            "ALTER TABLE t RENAME TO stretches"
        )
        store._connection.execute(
            f"UPDATE stretches SET {column} = ? WHERE started_ms = ?", (value, round(1000 * START))
        )
        with pytest.raises(HistoryError, match="did not write"):
            store.forget(0, 4e9)
    with pytest.raises(HistoryError, match="did not write"):
        read_all(file)
