import errno
import shutil
from contextlib import closing

from rtgenre.tagging.finding import stat_song
from rtgenre.tagging.genre_tags import write_genre
from rtgenre.tagging.library import GenreWriting, take_rows
from rtgenre.tagging.song import DAMAGED, Row
from rtgenre.tagging.song_tags import read_tags
from rtgenre.tagging.summary import written_text
from rtgenre.tagging.tables.open_table import open_table
from tests.signals import tone
from tests.tagging.songs import song


def test_nothing_is_written_into_a_file_with_a_fault_which_may_be_one_being_copied(tmp_path):
    path = song(tmp_path / "song.flac", tone(300, 5))
    before = path.read_bytes()
    found = stat_song(str(path))
    row = Row(found.path, found.size, found.modified, genre="jazz", fault="ends early, after 5 s")
    written = GenreWriting(overwrite=True).written(found, row)
    assert written.genre_tag == "not written: the file is damaged or cut short"
    assert path.read_bytes() == before


def test_a_genre_that_an_earlier_run_wrote_follows_and_that_of_somebody_else_stays(tmp_path):
    path, table = song(tmp_path / "song.flac", tone(300, 5)), tmp_path / "tags.jsonl"

    def judged_as(genre, *, writes=True):
        found = stat_song(str(path))
        row = Row(found.path, found.size, found.modified, genre=genre, model="test 1")
        writing = GenreWriting(overwrite=False) if writes else None
        with closing(open_table(table, ())) as rows:
            (row,) = take_rows([(found, row)], rows, writing)
        return row.genre_tag, read_tags(path).genre

    def caught_up():
        with closing(open_table(table, ())) as rows:
            writing = GenreWriting(overwrite=False)
            (row,) = writing.catch_up([stat_song(str(path))], rows)
        return row.genre_tag, read_tags(path).genre

    assert judged_as("jazz") == ("written", "Jazz")
    assert judged_as("jazz") == ("written", "Jazz")
    assert judged_as("rock") == ("written", "Rock")
    # Looking at the table alone in between, or a verdict that says nothing, forgets nothing.
    assert judged_as("rock", writes=False) == ("written", "Rock")
    assert judged_as("hiphop", writes=False) == ("written: rock", "Rock")
    assert judged_as("unknown") == ("written: rock", "Rock")
    assert judged_as("jazz", writes=False) == ("written: rock", "Rock")
    assert caught_up() == ("written", "Jazz")
    write_genre(path, "polka", overwrite=True)
    assert judged_as("blues") == ("kept", "polka")
    assert judged_as("jazz") == ("kept", "polka")


def test_a_genre_that_could_not_be_replaced_is_still_known_as_ours(tmp_path, monkeypatch):
    path, table = song(tmp_path / "song.flac", tone(300, 5)), tmp_path / "tags.jsonl"

    def run(genre):
        found = stat_song(str(path))
        judged = Row(found.path, found.size, found.modified, genre=genre, model="test 1")
        with closing(open_table(table, ())) as rows:
            writing = GenreWriting(overwrite=False)
            if rows.index and rows.index[found.path].genre == genre:
                list(writing.catch_up([found], rows))
            else:
                list(take_rows([(found, judged)], rows, writing))
            row = rows.index[found.path]
        return row.genre_tag, read_tags(path).genre, written_text([row])[1]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert run("jazz") == ("written", "Jazz", [])
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", full)
        reason = "not written: No space left on device"
        for _ in range(2):
            assert run("rock") == (f"written: jazz; {reason}", "Jazz", [f"{path}: {reason}"])
    assert run("rock") == ("written", "Rock", [])


def test_what_became_of_the_genres_in_files_is_said_with_the_reason_where_it_failed():
    told = ["written", "written", "kept", "not written: Permission denied", None, DAMAGED]
    told += ["written: rock"]  # of a song that is unknown now
    rows = [Row(f"/{i}.mp3", 1, "", genre_tag=tag) for i, tag in enumerate(told)]
    assert written_text(rows) == (
        "genres in files: 2 written, 1 kept, 2 not written",
        ["/3.mp3: not written: Permission denied"],
    )
    assert written_text([])[0] == "genres in files: none to write"
