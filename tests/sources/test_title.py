import pytest

from rtgenre.sources.title import MAX_CHARACTERS, stream_title, track_title


@pytest.mark.parametrize(
    ("tags", "title"),
    [
        ({"title": "So What", "artist": "Miles Davis"}, "Miles Davis - So What"),
        ({"title": "So What"}, "So What"),
        # An artist alone does not say which of his songs it is.
        ({"artist": "Miles Davis"}, "01.flac"),
        ({}, "01.flac"),
        ({"title": " \t "}, "01.flac"),
    ],
)
def test_tags_name_what_plays_and_else_the_file_does(tags, title):
    assert track_title("01.flac", **tags) == title


def test_no_title_can_break_a_line_a_terminal_or_a_message():
    title = track_title("x", title="a\n\x1b[2Jb\udcff\u202ec")
    assert title == "a [2Jb c"
    title.encode()
    assert track_title("\udcff\n") == "?"
    assert len(track_title("n" * 1000)) == MAX_CHARACTERS


def test_only_a_radios_own_title_is_taken_from_ffmpegs_messages():
    assert stream_title("Metadata update for StreamTitle: So \x1bWhat ") == "So What"
    assert stream_title("Metadata update for StreamTitle: ") == ""
    assert stream_title("Metadata update for StreamUrl: https://…") is None
    assert stream_title("StreamTitle     : So What") is None
