from __future__ import annotations

import numpy as np
import pytest

from training.scoring.playlist import FADE_SECONDS, faded, with_talk

RATE_HZ = 100
FADE = round(FADE_SECONDS * RATE_HZ)


def flat(level: float, seconds: float) -> np.ndarray:
    return np.full(round(seconds * RATE_HZ), level, np.float32)


def test_music_that_fades_overlaps_and_changes_its_genre_in_the_middle() -> None:
    (first, going), (second, coming) = faded([("low", flat(1.0, 20)), ("high", flat(2.0, 20))], 100)
    assert (first, second) == ("low", "high")
    assert len(going) == len(coming) == 20 * RATE_HZ - FADE // 2
    np.testing.assert_array_equal(going[: 20 * RATE_HZ - FADE], 1.0)
    np.testing.assert_array_equal(coming[FADE // 2 :], 2.0)
    both = np.concatenate([going[-FADE // 2 :], coming[: FADE // 2]])
    assert both[0] == pytest.approx(1.0)
    assert both[-1] == pytest.approx(2.0)
    assert both[FADE // 2] == pytest.approx(3.0 * np.sqrt(0.5), abs=0.01)


def test_what_is_too_short_for_two_fades_is_spliced() -> None:
    pieces = [("low", flat(1.0, 20)), ("high", flat(2.0, 2 * FADE_SECONDS))]
    for (genre, sound), (was, before) in zip(faded(pieces, RATE_HZ), pieces, strict=True):
        assert genre == was
        np.testing.assert_array_equal(sound, before)


def test_talk_comes_between_music_and_is_as_loud() -> None:
    pieces = [("low", flat(0.2, 20))] * 200
    rng = np.random.default_rng(1)
    found = with_talk(pieces, [flat(1.0, 20), flat(-0.5, 20)], RATE_HZ, rng)
    assert [one for one in found if one[0]] == pieces
    talk = [sound for genre, sound in found if genre is None]
    assert 100 < len(talk) < 140
    assert found[0][0] == "low"
    for sound in talk:
        assert 3 * RATE_HZ <= len(sound) <= 9 * RATE_HZ
        np.testing.assert_allclose(np.abs(sound), 0.2, rtol=1e-4)
