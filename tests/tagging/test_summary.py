import pytest

from rtgenre.tagging.song import Row
from rtgenre.tagging.summary import genre_lines, speed_text


def test_genres_come_with_their_shares_most_first_and_what_is_no_music_last():
    genres = ["unknown"] * 5 + ["jazz"] * 2 + ["rock"] * 12 + ["folk", None]
    rows = [Row(f"/{n}.mp3", 1, 1, genre=genre) for n, genre in enumerate(genres)]
    assert genre_lines(rows) == [
        f"  rock              12   60%  {'█' * 18}",
        f"  jazz               2   10%  {'█' * 3}",
        f"  folk               1    5%  {'█' * 2}",
        "  unknown            5   25%",
    ]
    assert genre_lines([]) == []


@pytest.mark.parametrize(
    ("music_seconds", "seconds", "text"),
    [(7200.0, 60.0, "2.00 h of music a minute"), (0.0, 60.0, ""), (60.0, 0.0, "")],
)
def test_a_run_in_which_nothing_was_judged_has_no_speed(music_seconds, seconds, text):
    assert speed_text(music_seconds, seconds) == text
