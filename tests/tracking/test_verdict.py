import numpy as np
import pytest

from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.tracking.verdict import say_the_same
from rtgenre.tracking.verdict import track_verdict as verdict_of
from rtgenre.types import Prediction, UnknownReason


def track_verdict(windows):
    return verdict_of(windows, TrackerParams(), n_labels=len(windows[0].probabilities))


def window(*probabilities, music=1.0, familiar=1.0):
    return Prediction(np.array(probabilities, dtype=np.float32), music, familiar)


def test_a_track_follows_the_geometric_mean_of_its_windows():
    verdict = track_verdict([window(0.9, 0.1), window(0.2, 0.8)])
    odds = np.sqrt((0.9 / 0.1) * (0.2 / 0.8))
    assert verdict.probabilities == pytest.approx([odds / (1 + odds), 1 / (1 + odds)], abs=1e-6)
    assert (verdict.genre_index, verdict.reason) == (0, None)


def test_a_certain_mistake_does_not_make_a_track_impossible():
    verdict = track_verdict([window(0, 1), window(1, 0), window(1, 0)])
    assert np.isfinite(verdict.probabilities).all()
    assert verdict.genre_index == 0


def test_talk_has_no_say_in_what_a_track_is():
    talk, song = window(0.1, 0.9, music=0.1), window(0.8, 0.2)
    alone = track_verdict([song])
    verdict = track_verdict([*[talk] * 20, song])
    np.testing.assert_array_equal(verdict.probabilities, alone.probabilities)
    assert verdict.genre_index == 0


@pytest.mark.parametrize(
    ("windows", "reason"),
    [
        ([window(0.9, 0.1, music=0.4)], UnknownReason.NOT_MUSIC),
        ([window(0.9, 0.1, familiar=0.2)], UnknownReason.UNFAMILIAR),
        ([window(*[0.125] * 8)], UnknownReason.UNSURE),
        ([window(0.28, 0.24, 0.24, 0.24, familiar=0.5)], UnknownReason.UNSURE),
    ],
)
def test_a_track_without_a_genre_says_why(windows, reason):
    verdict = track_verdict(windows)
    assert (verdict.genre_index, verdict.reason) == (None, reason)
    assert verdict.probabilities.sum() == pytest.approx(1)


def test_a_track_that_may_be_of_no_genre_has_less_confidence():
    verdict = track_verdict([window(0.9, 0.1, familiar=0.5), window(0.9, 0.1, familiar=0.7)])
    assert verdict.genre_index == 0
    assert verdict.familiar == pytest.approx(0.6)
    assert verdict.confidence == pytest.approx(0.9 * 0.6)


def test_where_nothing_was_judged_no_genre_is_likelier_than_another():
    verdict = track_verdict([window(0.9, 0.1, music=0.0)])
    assert verdict.probabilities == pytest.approx([0.5, 0.5])
    assert verdict.familiar == 1.0


def test_silence_alone_has_no_genre():
    verdict = verdict_of([], TrackerParams(), n_labels=4)
    assert verdict.genre_index is None
    assert verdict.probabilities == pytest.approx([0.25] * 4)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (window(0.5, 0.3, 0.2), True),
        (window(0.4, 0.5, 0.1), False),
        (window(0.5, 0.3, 0.2, music=0.5), True),
        (window(0.5, 0.3, 0.2, music=0.4), False),
        (window(0.5, 0.3, 0.2, familiar=0.4), True),
        (window(0.5, 0.3, 0.2, familiar=0.3), False),
    ],
)
def test_windows_say_the_same_by_genre_music_and_familiarity(other, same):
    assert say_the_same(window(0.9, 0.1, 0.0), other, TrackerParams()) == same


def test_windows_without_music_say_the_same_whatever_genre_they_are_most_like():
    talk, noise = window(0.9, 0.1, music=0.1), window(0.1, 0.9, music=0.4, familiar=0.0)
    assert say_the_same(talk, noise, TrackerParams())
