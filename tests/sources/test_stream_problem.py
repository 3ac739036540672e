import pytest

from rtgenre.sources.stream_problem import may_be_playlist, stream_problem

URL = "http://me:secret@radio.example/live?key=hush"
SHOWN = "http://radio.example/live?…"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Server returned 404 Not Found", "the server has nothing at this address (404)"),
        ("Server returned 403 Forbidden (access denied)", "the server refuses access (403)"),
        (
            "Server returned 4XX Client Error, but not one of 40{0,1,3,4}",
            "the server refuses the request; is the address still right?",
        ),
        ("Server returned 5XX Server Error reply", "the server has a fault of its own"),
        ("Connection refused", "nothing answers there (connection refused)"),
        ("Connection timed out", "the server does not answer"),
        (
            "Input/output error",
            "the connection failed; is the server there, and over https its certificate trusted?",
        ),
        ("Invalid data found when processing input", "what the server sends is no sound"),
        ("Network is unreachable", "Network is unreachable"),
    ],
)
def test_ffmpegs_words_become_plain_ones_with_the_address_whichever_ffmpeg_it_is(said, meaning):
    assert stream_problem(URL, f"{URL}: {said}") == f"{SHOWN}: {meaning}"
    # From its version 6.1 on.
    assert stream_problem(URL, f"Error opening input files: {said}") == f"{SHOWN}: {meaning}"


def test_nothing_secret_is_left_in_words_that_are_not_known():
    said = f"cannot read {URL} and http://you:sesame@b.example/x?token=1\n"
    shown = stream_problem(URL, said)
    assert "b.example" in shown
    for secret in ("secret", "hush", "sesame", "token", "\n"):
        assert secret not in shown
    assert stream_problem(URL, "") == "ffmpeg gave up without a message"


@pytest.mark.parametrize(
    "said",
    [
        "http://a/b: Invalid data found when processing input",
        "Error opening input files: Invalid data found when processing input",
        "To ignore this, add a trailing '?' to the map.",
        "Error opening output files: Invalid argument",
        "http://a/b: Input/output error",
    ],
)
def test_a_playlist_may_be_behind_an_end_without_sound(said):
    assert may_be_playlist(said)
    assert not may_be_playlist("http://a/b: Server returned 404 Not Found")
