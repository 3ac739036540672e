from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.outputs.web.client_request import ClientRequestError, RateLimit, parse_client_request


def test_a_subscription_is_read():
    request = parse_client_request('{"subscribe": ["spectrogram"]}')
    assert request.subscribe == {"spectrogram"}
    assert not request.unsubscribe
    assert request.token is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x00", "binary"),
        ("", "not JSON"),
        ("[" * 4000, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "not a JSON object"),
        ('{"x": 1}', "the keys are"),
        ('{"token": 1}', "not a string"),
        ('{"subscribe": "spectrogram"}', "a list of names"),
        ('{"subscribe": ["x"]}', "can be subscribed to: spectrogram"),
    ],
)
def test_garbage_is_told_what_is_allowed(message: str | bytes, reason: str):
    with pytest.raises(ClientRequestError, match=reason):
        parse_client_request(message)


@given(st.text() | st.binary())
def test_no_message_crashes_the_parser(message: str | bytes):
    with contextlib.suppress(ClientRequestError):
        parse_client_request(message)


def test_a_burst_passes_and_a_flood_does_not():
    rate = RateLimit(per_second=1, burst=3)
    assert [rate.allows(0.0) for _ in range(4)] == [True, True, True, False]
    assert rate.allows(1.0)
    assert not rate.allows(1.5)
    assert [rate.allows(1000.0) for _ in range(4)] == [True, True, True, False]
