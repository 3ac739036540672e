import pytest

from rtgenre.sources.title import MAX_CHARACTERS, file_track, stream_title, stream_track
from rtgenre.types import Track


@pytest.mark.parametrize(
    ("tags", "track"),
    [
        ({"title": "So What", "artist": "Miles Davis"}, Track("So What", "Miles Davis")),
        ({"title": "So What"}, Track("So What")),
        # An artist alone does not say which of his songs it is.
        ({"artist": "Miles Davis"}, Track("01.flac", "Miles Davis")),
        ({}, Track("01.flac")),
        ({"title": " \t ", "artist": "\n"}, Track("01.flac")),
    ],
)
def test_tags_name_what_plays_and_else_the_file_does(tags, track):
    assert file_track("01.flac", **tags) == track


def test_no_title_can_break_a_line_a_terminal_or_a_message():
    hostile = "a\n\x1b[2Jb\udcff\u202ec"
    track = file_track("x", title=hostile, artist=hostile)
    assert track == Track("a [2Jb c", "a [2Jb c")
    track.title.encode()
    assert file_track("\udcff\n") == Track("?")
    longest = file_track("x", title="n" * 1000, artist="n" * 1000)
    assert (len(longest.title), len(longest.artist)) == (MAX_CHARACTERS, MAX_CHARACTERS)


def test_only_a_radios_own_title_is_taken_from_ffmpegs_messages():
    assert stream_title("Metadata update for StreamTitle: So \x1bWhat ") == "So What"
    assert stream_title("Metadata update for StreamTitle: ") == ""
    assert stream_title("Metadata update for StreamUrl: https://…") is None
    assert stream_title("StreamTitle     : So What") is None


@pytest.mark.parametrize(
    ("title", "track"),
    [
        ("Miles Davis - So What", Track("So What", "Miles Davis")),
        ("Jean-Michel Jarre - Oxygène - Part IV", Track("Oxygène - Part IV", "Jean-Michel Jarre")),
        ("The news", Track("The news")),
        # No artist is claimed where one side of the dash is empty.
        ("Miles Davis - ", Track("Miles Davis")),
        (" - So What", Track("So What")),
        ("Miles Davis -", Track("Miles Davis")),
        ("- So What", Track("So What")),
        ("-So What-", Track("-So What-")),
        (" - ", None),
        ("-", None),
        ("", None),
        (" \x00 ", None),
    ],
)
def test_a_radios_one_text_is_parted_at_its_first_dash(title, track):
    assert stream_track(title) == track
