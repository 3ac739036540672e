from __future__ import annotations

import pytest

from rtgenre.outputs.web.auth import Guard, bearer_token, checked_token, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_needs_no_token(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.evil"]
)
def test_anything_else_is_open_to_other_machines(host: str):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "origin", "admitted"),
    [
        ("127.0.0.1:8765", None, True),
        ("localhost:9999", None, True),
        ("[::1]:8765", None, True),
        ("127.0.0.1:8765", "http://127.0.0.1:8765", True),
        ("LOCALHOST:8765", "http://localhost:8765", True),
        ("127.0.0.1:8765", "https://home.example", True),
        ("home.example", "https://home.example", True),
        ("127.0.0.1:8765", "http://localhost:8765", False),
        ("127.0.0.1:8765", "http://127.0.0.1:8000", False),
        ("127.0.0.1:8765", "https://evil.example", False),
        ("127.0.0.1:8765", "null", False),
        ("evil.example:8765", None, False),
        ("evil.example:8765", "http://evil.example:8765", False),
        ("[", None, False),
        ("", None, False),
        (None, None, False),
    ],
)
def test_on_loopback_only_this_machines_names_and_pages_are_let_in(
    host: str | None, origin: str | None, admitted: bool
):
    guard = Guard("127.0.0.1", "", ["https://home.example"])
    assert (guard.refusal(host, origin) is None) == admitted


def test_elsewhere_any_name_may_be_used_but_pages_must_be_our_own():
    guard = Guard("0.0.0.0", "a" * 16, [])
    assert guard.refusal("den.local:8765", None) is None
    assert guard.refusal("den.local:8765", "http://den.local:8765") is None
    assert "allowed_origins" in (guard.refusal("den.local:8765", "https://evil.example") or "")


def test_only_the_right_token_is_known():
    guard = Guard("0.0.0.0", "open-sesame-open", [])
    assert guard.knows_token("open-sesame-open")
    for wrong in (None, "", "open-sesame", "open-sesame-open ", "ö", "\udc80"):
        assert not guard.knows_token(wrong)
    assert Guard("127.0.0.1", "", []).knows_token(None)


def test_bearer_tokens_are_read_from_the_header():
    assert bearer_token("Bearer abc") == "abc"
    assert bearer_token("bearer  abc ") == "abc"
    for other in (None, "", "Basic abc", "abc"):
        assert bearer_token(other) is None


@pytest.mark.parametrize(
    "token", ["schlüssel-für-die-seite", " a-token-of-length ", "a-token\twith-tabs"]
)
def test_a_token_that_not_every_program_can_send_is_refused(token: str):
    with pytest.raises(ValueError, match="not every program"):
        checked_token(token)


def test_a_token_of_words_is_taken_and_found_in_its_header():
    token = checked_token("16 characters or more")
    assert Guard("0.0.0.0", token, []).knows_token(bearer_token(f"Bearer {token}"))
