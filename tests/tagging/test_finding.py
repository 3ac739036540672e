import os
from pathlib import Path

import pytest

from rtgenre.tagging.finding import find_songs
from tests.rights import not_root


@pytest.fixture
def library(tmp_path):
    for name in ("b/2.mp3", "a/1.FLAC", "a/notes.txt", "3.ogg", "empty/cover.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


def names(songs, folder):
    return [Path(song.location).relative_to(folder).as_posix() for song in songs]


def test_every_audio_file_below_a_folder_is_found_with_size_and_time(library):
    os.utime(library / "3.ogg", (1.5e9, 1.5e9))
    songs, problems = find_songs([str(library)])
    assert names(songs, library) == ["3.ogg", "a/1.FLAC", "b/2.mp3"]
    assert (songs[0].size, songs[0].modified) == (5, "2017-07-14T02:40:00.000Z")
    assert problems == []


def test_a_song_that_is_named_twice_is_found_once(library, monkeypatch):
    monkeypatch.chdir(library)
    songs, problems = find_songs(["a", str(library), "b/../a/1.FLAC"])
    assert names(songs, library) == ["a/1.FLAC", "3.ogg", "b/2.mp3"]
    assert problems == []


def test_links_that_lead_round_in_circles_end_and_lose_nothing(library, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "4.wav").write_bytes(b"1")
    (elsewhere / "back").symlink_to(library)
    (library / "a" / "up").symlink_to(library)
    (library / "a" / "self").symlink_to("self")
    (library / "a" / "self.mp3").symlink_to("self.mp3")
    (library / "A sibling").symlink_to("b")
    (library / "out").symlink_to(elsewhere)
    songs, problems = find_songs([str(library)])
    assert names(songs, library) == ["3.ogg", "a/1.FLAC", "b/2.mp3", "out/4.wav"]
    assert problems == [f"{library}/a/self.mp3: cannot be read: Too many levels of symbolic links"]


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_read(library):
    for folder in (library, *library.parents):
        if folder != Path("/tmp") and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (library / "a").chmod(0)
    with not_root():
        songs, problems = find_songs([str(library)])
    (library / "a").chmod(0o755)
    assert problems == [f"{library}/a: cannot be read: Permission denied"]
    assert names(songs, library) == ["3.ogg", "b/2.mp3"]


def test_places_without_songs_are_told(library):
    songs, problems = find_songs([str(library / "empty"), str(library / "gone"), "x" * 5000])
    assert songs == []
    assert problems[0] == f"{library}/empty: there are no audio files in this folder"
    assert problems[1] == f"{library}/gone: there is no such file"
    assert problems[2].endswith("cannot be read: File name too long")


def test_a_playlist_gives_the_songs_that_it_names_each_once(library):
    playlist = library / "party.m3u"
    playlist.write_text("b/2.mp3\nb/../b/2.mp3\ngone.mp3\n")
    songs, problems = find_songs([str(playlist)])
    assert names(songs, library) == ["b/2.mp3"]
    assert problems == [f"{library}/gone.mp3: there is no such file"]


def test_a_name_that_is_no_utf8_is_escaped_in_the_table_and_opened_as_it_is(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9\n.mp3"
    with open(path, "wb"):
        pass
    songs, _ = find_songs([str(tmp_path)])
    assert songs[0].path == rf"{tmp_path}/caf\xe9\n.mp3"
    assert os.fsencode(songs[0].location) == path
