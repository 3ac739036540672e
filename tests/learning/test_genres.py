import unicodedata

import pytest

from rtgenre.learning.genres import LearningError, check_different, checked_genre, known_genre


@pytest.mark.parametrize("name", ["techno", "Christmas", "türkü", "演歌", "80s", "drum-and-bass"])
def test_names_of_letters_digits_and_dashes_are_genres(name):
    assert checked_genre(name) == name


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("the kids' songs", "the-kids-songs"),
        ("rock/pop", "rock-pop"),
        ("drum+bass", "drum-bass"),
        ("#1", "1"),
        ("-x", "x"),
        ("?!", "my-genre"),
        ("a" * 41, "a" * 40),
    ],
)
def test_names_that_topics_or_pages_cannot_hold_are_refused_with_one_that_they_can(name, proposal):
    with pytest.raises(LearningError, match="a genre cannot be called") as caught:
        checked_genre(name)
    assert f"for example {proposal!r}" in str(caught.value)
    assert checked_genre(proposal)


@pytest.mark.parametrize("name", ["unknown", "Silence", "other"])
def test_what_messages_say_in_place_of_a_genre_is_none(name):
    with pytest.raises(LearningError, match="choose another name"):
        checked_genre(name)


def test_a_folder_means_the_known_genre_that_it_is_another_spelling_of():
    assert known_genre("Hip-Hop", ("hiphop", "rock")) == "hiphop"
    assert known_genre("techno", ("hiphop", "rock")) is None


def test_accents_of_a_mac_s_folders_are_those_that_people_type():
    decomposed = unicodedata.normalize("NFD", "türkü")
    assert checked_genre(decomposed) == "türkü"
    assert known_genre(decomposed, ("türkü", "rock")) == "türkü"
    with pytest.raises(LearningError, match="are one genre"):
        check_different([decomposed, "türkü"])


def test_two_spellings_of_one_genre_are_refused():
    check_different(["techno", "house"])
    with pytest.raises(LearningError, match="'Techno' and 'techno' are one genre"):
        check_different(["Techno", "techno"])
