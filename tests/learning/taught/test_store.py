import sqlite3
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rtgenre.learning.taught.network import TaughtNetwork
from rtgenre.learning.taught.notes import Notes, read, written
from rtgenre.learning.taught.store import TaughtStore
from rtgenre.learning.taught.stretch import TaughtStretch
from rtgenre.messages.taught import TeachError

NETWORK = TaughtNetwork("net 1", ("jazz", "rock"), np.ones((2, 4), np.float32))


def stretch(genre="jazz", started_at=1000.0, n_windows=3):
    return TaughtStretch(
        node="den",
        started_at=started_at,
        ended_at=started_at + 24.0,
        genre=genre,
        embeddings=np.arange(4.0 * n_windows, dtype=np.float32).reshape(n_windows, 4),
        said=np.full((n_windows, 3), -1.0, np.float32),
    )


@pytest.fixture
def store(tmp_path):
    with TaughtStore(tmp_path / "taught.db", max_stretches=3) as store:
        yield store


def test_a_stretch_comes_back_as_it_was_written(store):
    store.add(NETWORK, [stretch()])
    (found,) = store.stretches("net 1")
    written = stretch()
    assert (found.node, found.genre) == ("den", "jazz")
    assert (found.started_at, found.seconds) == (1000.0, 24.0)
    assert np.array_equal(found.embeddings, written.embeddings)
    assert np.array_equal(found.said, written.said)
    (network,) = store.networks()
    assert network.labels == ("jazz", "rock")


def test_beyond_the_limit_the_oldest_of_the_same_genre_goes_and_it_is_counted(store):
    store.add(NETWORK, [stretch("rock", 1.0)])
    store.add(NETWORK, [stretch("jazz", 2.0), stretch("jazz", 3.0)])
    added = store.add(NETWORK, [stretch("jazz", 4.0)])
    assert added.n_forgotten == 1
    assert [row.started_at for row in store.rows()] == [4.0, 3.0, 1.0]


def test_a_number_is_never_used_again_so_that_an_old_undo_hits_nothing_new(store):
    (first,) = store.add(NETWORK, [stretch()]).numbers
    assert store.remove([first]) == 1
    (second,) = store.add(NETWORK, [stretch()]).numbers
    assert second > first
    assert store.remove([first]) == 0


def test_what_was_forgotten_is_no_longer_in_the_file(tmp_path):
    file = tmp_path / "taught.db"
    secret = stretch(genre="secretgenre")
    with TaughtStore(file) as store:
        store.add(NETWORK, [secret])
        assert store.clear() == 1
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"secretgenre" not in content
    assert secret.embeddings.astype("<f2").tobytes() not in content


def test_a_row_that_nobody_taught_is_said_and_does_not_end_anything(tmp_path, store):
    store.add(NETWORK, [stretch()])
    with sqlite3.connect(tmp_path / "taught.db") as connection:
        connection.execute("UPDATE stretches SET embeddings = x'00'")
    connection.close()
    with pytest.raises(TeachError, match="damaged"):
        store.stretches("net 1")


@pytest.mark.parametrize(
    "change",
    [
        "stretches SET genre = x'00ff'",
        "stretches SET genre = ''",
        "stretches SET genre = 'a' || char(10) || 'b'",
        "stretches SET node = x'00ff'",
        "stretches SET started_ms = 9e15",
        "stretches SET ended_ms = -1e300",
        "networks SET identity = x'00ff'",
        "networks SET labels = 'jazz' || char(10) || char(10) || 'rock'",
        "networks SET embedding_size = 1e300",
    ],
)
def test_whatever_stands_in_a_damaged_row_is_said_and_ends_nothing(tmp_path, store, change):
    store.add(NETWORK, [stretch()])
    with sqlite3.connect(tmp_path / "taught.db") as connection:
        connection.execute(f"UPDATE {change}")
    connection.close()
    with pytest.raises(TeachError, match="damaged"):
        written(store.notes())
    with pytest.raises(TeachError, match="damaged"):
        everything(store)


def everything(store):
    """Read all that a service reads."""
    return store.networks(), store.rows(), store.stretches("net 1")


def test_two_processes_that_teach_at_once_lose_nothing_that_was_answered_though_one_is_killed(
    tmp_path,
):
    file = tmp_path / "taught.db"
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.learning.taught.test_store import NETWORK, stretch\n"
        "from rtgenre.learning.taught.store import TaughtStore\n"
        "for number in range(100):\n"
        "    with TaughtStore(Path(sys.argv[1])) as store:\n"
        "        store.add(NETWORK, [stretch(f'{sys.argv[2]}{number}')])\n"
        "    print(f'{sys.argv[2]}{number}', flush=True)\n"
    )
    victim, other = (
        subprocess.Popen(
            [sys.executable, "-c", program, file, name], stdout=subprocess.PIPE, text=True
        )
        for name in ("victim", "other")
    )
    answered = [victim.stdout.readline() for _ in range(10)]
    victim.kill()
    answered += victim.communicate()[0].splitlines()
    answered += other.communicate()[0].splitlines()
    assert other.returncode == 0
    with TaughtStore(file) as store:
        kept = {row.genre for row in store.rows()}
    # A line that was cut off was not answered.
    assert {line.strip() for line in answered if line.strip()[-1:].isdigit()} <= kept
    assert {f"other{number}" for number in range(100)} <= kept


def test_a_newer_file_is_left_alone(tmp_path):
    file = tmp_path / "newer.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(TeachError, match="install a newer rtgenre"):
        TaughtStore(file)


def test_what_was_exported_is_taken_in_once_and_as_it_was(tmp_path, store):
    store.add(NETWORK, [stretch("jazz", 1.0), stretch("techno", 2.0)])
    text = written(store.notes())
    with TaughtStore(tmp_path / "other.db") as other:
        first = other.take_in(read(text))
        again = other.take_in(read(text + text))
        assert written(other.notes()) == text
    assert (first.n_new, first.n_known) == (2, 0)
    assert (again.n_new, again.n_known) == (0, 4)


def test_what_was_renamed_since_is_not_taken_in_under_its_old_name(store):
    store.add(NETWORK, [stretch("jazz", 1.0)])
    text = written(store.notes())
    store.rename("jazz", "swing")
    assert store.take_in(read(text)).n_new == 0
    assert [row.genre for row in store.rows()] == ["swing"]


def test_some_are_exported_by_number(store):
    first, second = store.add(NETWORK, [stretch("jazz", 1.0), stretch("techno", 2.0)]).numbers
    ((_, found),) = store.notes([second]).stretches
    assert found.genre == "techno"
    assert store.notes([]).stretches == ()
    assert len(store.notes([first, second, 99]).stretches) == 2


def test_more_than_there_is_room_for_is_taken_in_and_counted(store):
    others = [stretch("jazz", 10.0 + n) for n in range(5)]
    notes = Notes({"net 1": NETWORK}, tuple(("net 1", one) for one in others))
    taken = store.take_in(notes)
    assert (taken.n_new, taken.n_forgotten) == (5, 2)
    assert [row.started_at for row in store.rows()] == [14.0, 13.0, 12.0]


def test_a_network_of_the_same_name_but_other_genres_is_refused_and_nothing_is_written(store):
    store.add(NETWORK, [stretch("jazz", 1.0)])
    other = replace(NETWORK, labels=("jazz", "pop"))
    with pytest.raises(TeachError, match="other genres"):
        store.take_in(Notes({"net 1": other}, (("net 1", stretch("pop", 5.0)),)))
    assert len(store.rows()) == 1
