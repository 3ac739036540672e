import pytest

from rtgenre.sources.players import Players, is_player
from rtgenre.sources.title import MAX_CHARACTERS
from rtgenre.types import Track


def playing(**tags):
    metadata = {f"xesam:{name}": value for name, value in tags.items()}
    return {"PlaybackStatus": "Playing", "Metadata": metadata}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("org.mpris.MediaPlayer2.vlc", True),
        ("org.mpris.MediaPlayer2.firefox.instance_1_23", True),
        # It repeats what another one says.
        ("org.mpris.MediaPlayer2.playerctld", False),
        # It is a telephone's, in another room perhaps.
        ("org.mpris.MediaPlayer2.kdeconnect.mpris_Pixel_Spotify", False),
        ("org.mpris.MediaPlayer2", False),
        ("org.freedesktop.Notifications", False),
    ],
)
def test_players_are_known_by_their_names(name, is_one):
    assert is_player(name) is is_one


@pytest.mark.parametrize(
    ("tags", "track"),
    [
        ({"title": "So What", "artist": ["Miles Davis"]}, Track("So What", "Miles Davis")),
        ({"title": "So What", "artist": ["Miles", "Bill"]}, Track("So What", "Miles, Bill")),
        # Some write a text where a list is meant.
        ({"title": "So What", "artist": "Miles Davis"}, Track("So What", "Miles Davis")),
        ({"title": "So What", "albumArtist": ["Miles"]}, Track("So What", "Miles")),
        ({"title": "So What", "artist": []}, Track("So What")),
        ({"title": "", "url": "file:///music/So%20What.flac"}, Track("So What.flac")),
        ({"title": "", "url": "https://example.org/listen?token=secret"}, None),
        ({"title": "a\nb\x1b[2J\x00\ud800"}, Track("a b [2J")),
        ({"title": "x" * 1_000_000}, Track("x" * MAX_CHARACTERS)),
        ({"title": 7, "artist": {"a": 1}, "url": [b"x"]}, None),
        ({"title": "So What", "artist": [7, b"x", "Miles"]}, Track("So What", "Miles")),
        ({}, None),
    ],
)
def test_what_a_player_says_is_read_as_far_as_it_can_be(tags, track):
    players = Players()
    players.take("vlc", playing(**tags))
    assert players.track == track


@pytest.mark.parametrize("metadata", [None, "x", 7, [], [("xesam:title", "x")]])
def test_metadata_of_another_kind_say_nothing(metadata):
    players = Players()
    players.take("vlc", {"PlaybackStatus": "Playing", "Metadata": metadata})
    assert players.track is None


def test_of_several_that_play_the_one_that_began_last_is_heard():
    players = Players()
    players.take("vlc", playing(title="one"))
    players.take("firefox", playing(title="two"))
    # Its next song is no new beginning.
    players.take("vlc", playing(title="three"))
    assert players.track == Track("two")
    players.take("firefox", playing(title="two") | {"PlaybackStatus": "Paused"})
    assert players.track == Track("three")
    players.take("firefox", playing(title="two"))
    assert players.track == Track("two")
    players.forget("firefox")
    assert players.track == Track("three")
    players.forget("vlc")
    assert players.track is None


def test_who_plays_and_does_not_say_what_hides_nobody():
    players = Players()
    players.take("vlc", playing(title="one"))
    players.take("game", playing())
    assert players.track == Track("one")
