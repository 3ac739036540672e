"""The file of what was taught: it comes back as it was, and whatever else comes is refused."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from rtgenre.learning.taught.network import TaughtNetwork
from rtgenre.learning.taught.notes import Notes, read, written
from rtgenre.learning.taught.stretch import MAX_WINDOWS, TaughtStretch
from rtgenre.messages.taught import TeachError

NETWORK = TaughtNetwork("net 1", ("jazz", "rock"), np.ones((2, 4), np.float32))
STRETCH = TaughtStretch(
    node="den",
    started_at=1764150000.125,
    ended_at=1764150024.5,
    genre="Müßiggang",
    embeddings=np.arange(12, dtype=np.float32).reshape(3, 4),
    said=np.full((3, 3), -1.5, np.float32),
)
NOTES = Notes({"net 1": NETWORK}, (("net 1", STRETCH),))


def test_notes_come_back_as_they_were_written():
    found = read(written(NOTES))
    ((identity, stretch),) = found.stretches
    assert identity == "net 1"
    assert (stretch.node, stretch.genre) == ("den", "Müßiggang")
    assert (stretch.started_at, stretch.ended_at) == (STRETCH.started_at, STRETCH.ended_at)
    assert np.array_equal(stretch.embeddings, STRETCH.embeddings)
    assert np.array_equal(stretch.said, STRETCH.said)
    assert found.networks["net 1"].labels == ("jazz", "rock")
    assert np.array_equal(found.networks["net 1"].probe, NETWORK.probe)


def test_one_file_behind_another_is_a_file():
    assert len(read(written(NOTES) + written(NOTES)).stretches) == 2


def changed(number, **fields):
    """Write the notes with other fields in one line; None leaves a field out."""
    lines = [json.loads(line) for line in written(NOTES).splitlines()]
    lines[number] |= fields
    lines[number] = {name: value for name, value in lines[number].items() if value is not None}
    return "\n".join(json.dumps(line) for line in lines)


HUGE = "AAAA" * MAX_WINDOWS * 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b,c", "line 1"),
        ("[1]", "no JSON object"),
        ("{}", "no file of what was taught"),
        ("no music", "line 1 cannot be taken in: it is no JSON"),
        ("[" * 100_000, "line 1"),
        (changed(0, rtgenre="model"), "no file of what was taught"),
        (changed(0, version=2), "install a newer rtgenre"),
        (changed(1, embedding_size=10**9), "embedding_size"),
        (changed(1, embedding_size=True), "embedding_size"),
        (changed(1, labels=["x"] * 1000), "labels"),
        (changed(1, labels=[{}]), "no name"),
        (changed(1, probe=HUGE * 10), "more than"),
        (changed(2, network="net 2"), "not described before"),
        (changed(2, node="../../etc"), "node"),
        (changed(2, node=None), "'node' is missing"),
        (changed(2, start="yesterday"), "isoformat"),
        (changed(2, start="2026-01-01T00:00:00"), "time zone"),
        (changed(2, end="1980-01-01T00:00:00Z"), "ends before"),
        (changed(2, genre=["x"]), "no name"),
        (changed(2, genre="x" * 41), "no name"),
        (changed(2, embeddings=HUGE), "more than"),
        (changed(2, embeddings="AAA"), "line 3"),
        (changed(2, embeddings="!" * 8), "line 3"),
        (changed(2, embeddings="AHw" * 8 + "="), "line 3"),
        (changed(2, embeddings=""), "no values"),
        (changed(2, embeddings=7), "no values"),
        (changed(2, said="AAAAAAAA"), "windows were heard"),
    ],
)
def test_a_line_that_rtgenre_did_not_write_is_named_and_refused(text, problem):
    with pytest.raises(TeachError, match=problem) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_values_that_are_not_numbers_are_refused():
    infinite = Notes(
        {"net 1": NETWORK},
        (("net 1", TaughtStretch("den", 1.0, 2.0, "jazz", np.full((1, 4), np.inf), STRETCH.said)),),
    )
    with pytest.raises(TeachError, match="not numbers"):
        read(written(infinite))


FIELDS = sorted({name for line in written(NOTES).splitlines() for name in json.loads(line)})
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner),
    max_leaves=5,
)


@given(
    some.sampled_from([0, 1, 2]),
    some.sampled_from(FIELDS),
    VALUES,
)
def test_no_value_ends_it_with_anything_but_a_refusal(number, name, value):
    with contextlib.suppress(TeachError):
        read(changed(number, **{name: value}))
