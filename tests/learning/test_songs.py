from pathlib import Path

import pytest

from rtgenre.learning.genres import LearningError
from rtgenre.learning.songs import find_songs
from tests.rights import not_root

KNOWN = ("hiphop", "jazz")


def make(root, **genres):
    for genre, names in genres.items():
        (root / genre).mkdir()
        for name in names:
            path = root / genre / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return root


def test_songs_are_found_in_the_genre_s_folder_and_below_with_their_album(tmp_path):
    make(
        tmp_path,
        techno=["a.mp3", "b.flac", "album/c.ogg", "cover.jpg"],
        folk=["1.wav", "2.wav", "3.wav"],
    )
    found = find_songs(tmp_path, KNOWN, keep=False)
    assert [(song.genre, song.path.name, song.album) for song in found] == [
        ("folk", "1.wav", ""),
        ("folk", "2.wav", ""),
        ("folk", "3.wav", ""),
        ("techno", "a.mp3", ""),
        ("techno", "c.ogg", "album"),
        ("techno", "b.flac", ""),
    ]


def test_linked_albums_are_found_and_what_macos_writes_beside_songs_is_not(tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    make(library, album=["1.mp3", "2.mp3", "3.mp3", "._1.mp3"])
    make(tmp_path, techno=["...4.mp3"])
    (tmp_path / "techno" / "linked").symlink_to(library / "album")
    (library / "album" / "round").symlink_to(tmp_path / "techno")
    found = find_songs(tmp_path, KNOWN, keep=True)
    assert [(song.path.name, song.album) for song in found if song.genre == "techno"] == [
        ("...4.mp3", ""),
        ("1.mp3", "linked"),
        ("2.mp3", "linked"),
        ("3.mp3", "linked"),
    ]


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_learnt_from(tmp_path):
    make(tmp_path, techno=["1.wav", "2.wav", "3.wav", "locked/4.wav"])
    for folder in (tmp_path, *tmp_path.parents):
        if folder not in {Path("/tmp"), Path("/")}:
            folder.chmod(folder.stat().st_mode | 0o055)
    locked = tmp_path / "techno" / "locked"
    locked.chmod(0)
    told = []
    with not_root():
        found = find_songs(tmp_path, KNOWN, keep=True, tell=told.append)
    locked.chmod(0o755)
    assert [song.path.name for song in found] == ["1.wav", "2.wav", "3.wav"]
    assert told == [f"{locked}: cannot be read: Permission denied"]


def test_a_folder_with_the_name_of_a_known_genre_adds_to_it_where_those_stay(tmp_path):
    make(tmp_path, **{"Hip-Hop": ["1.mp3", "2.mp3", "3.mp3"]})
    assert {song.genre for song in find_songs(tmp_path, KNOWN, keep=True)} == {"hiphop"}


@pytest.mark.parametrize(
    ("genres", "keep", "message"),
    [
        ({}, True, "has no folders; one for each genre"),
        ({"techno": ["1.mp3"] * 1, "folk": ["1.mp3", "2.mp3", "3.mp3"]}, False, "'techno' has one"),
        ({"techno": [], "folk": ["1.mp3", "2.mp3", "3.mp3"]}, True, "'techno' has no song"),
        ({"techno": ["1.mp3", "2.mp3", "3.mp3"]}, False, "has one genre only, techno"),
        ({"a b": ["1.mp3", "2.mp3", "3.mp3"]}, True, "cannot be called 'a b'"),
        ({"Techno": ["1.mp3"], "techno": ["1.mp3"]}, True, "are one genre"),
    ],
)
def test_folders_that_cannot_be_learnt_from_say_what_is_wrong(tmp_path, genres, keep, message):
    make(tmp_path, **genres)
    with pytest.raises(LearningError, match=message):
        find_songs(tmp_path, KNOWN, keep=keep)


def test_a_folder_that_is_not_there_is_an_error_of_one_line(tmp_path):
    with pytest.raises(LearningError, match="cannot be read: No such file"):
        find_songs(tmp_path / "nowhere", KNOWN, keep=True)
