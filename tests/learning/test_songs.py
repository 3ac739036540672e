import pytest

from rtgenre.learning.genres import LearningError
from rtgenre.learning.songs import find_songs

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
