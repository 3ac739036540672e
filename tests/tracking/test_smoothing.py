import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.tracking.smoothing import GenreTracker, TrackerParams
from rtgenre.types import PlayState, Prediction, UnknownReason

LABELS = ("blues", "jazz", "rock")
HOP_SECONDS = 2.0
HOP_SEGMENTS = 8
LOUD = [-20.0]


def prediction(genre=None, probability=0.9, music=1.0, familiar=1.0):
    probabilities = np.full(3, 1 / 3, dtype=np.float32)
    if genre is not None:
        probabilities[:] = (1 - probability) / 2
        probabilities[LABELS.index(genre)] = probability
    return Prediction(probabilities, music, familiar)


class Player:
    """Feeds a tracker one window per hop."""

    def __init__(self, **params):
        self.tracker = GenreTracker(LABELS, TrackerParams(**params))
        self.seconds = 2.0
        # Of a window of 4 s; the first one begins with what is played first.
        self.levels_dbfs = []

    def play(self, *predictions, level_dbfs=-20.0):
        states = []
        for each in predictions:
            self.seconds += HOP_SECONDS
            known = self.levels_dbfs or [level_dbfs] * HOP_SEGMENTS
            self.levels_dbfs = known[-HOP_SEGMENTS:] + [level_dbfs] * HOP_SEGMENTS
            states.append(
                self.tracker.update(each, end_seconds=self.seconds, levels_dbfs=self.levels_dbfs)
            )
        return states


def test_the_first_sure_window_is_shown_at_once():
    (state,) = Player().play(prediction("jazz"))
    assert (state.state, state.genre) == (PlayState.MUSIC, "jazz")
    assert state.held_seconds == 0


def test_one_stray_window_does_not_change_what_is_shown_if_a_change_must_last():
    player = Player(switch_hold_seconds=2)
    player.play(*[prediction("jazz")] * 5)
    states = player.play(prediction("rock"), prediction("jazz"), prediction("jazz"))
    assert [s.genre for s in states] == ["jazz"] * 3


def test_a_lasting_change_is_shown_after_it_has_led_for_the_hold_time():
    player = Player(time_constant_seconds=0, switch_hold_seconds=4)
    player.play(prediction("jazz"))
    states = player.play(*[prediction("rock")] * 4)
    assert [s.genre for s in states] == ["jazz", "jazz", "rock", "rock"]
    assert [s.held_seconds for s in states] == [2, 4, 0, 2]


def test_a_lead_that_breaks_off_starts_the_hold_time_anew():
    player = Player(time_constant_seconds=0, switch_hold_seconds=4)
    player.play(prediction("jazz"))
    turn = [prediction(g) for g in ("rock", "rock", "jazz", "rock", "rock", "rock")]
    assert [s.genre for s in player.play(*turn)] == ["jazz"] * 5 + ["rock"]


def test_two_genres_that_are_nearly_even_do_not_flicker():
    player = Player(time_constant_seconds=0, switch_margin=0.2, switch_hold_seconds=0)
    player.play(prediction("jazz"))
    even = Prediction(np.array([0.1, 0.42, 0.48], dtype=np.float32), 1.0)
    assert {s.genre for s in player.play(*[even] * 10)} == {"jazz"}


def test_windows_that_agree_are_averaged_over_the_time_constant():
    player = Player(time_constant_seconds=HOP_SECONDS / np.log(2))
    first, second = player.play(prediction("jazz", 0.8), prediction("jazz", 0.7))
    agreement = (np.sqrt(0.8 * 0.7) + 2 * np.sqrt(0.1 * 0.15)) ** 2
    assert 0.98 < agreement < 1.0
    keep = 0.5 * agreement
    logs = keep * np.log([0.1, 0.8, 0.1]) + (1 - keep) * np.log([0.15, 0.7, 0.15])
    np.testing.assert_allclose(second.probabilities, np.exp(logs) / np.exp(logs).sum(), rtol=1e-5)
    np.testing.assert_allclose(first.probabilities, [0.1, 0.8, 0.1], rtol=1e-5)


def test_a_window_that_says_something_quite_different_ends_the_memory():
    player = Player()
    player.play(*[prediction("jazz", 0.98)] * 10)
    (state,) = player.play(prediction("rock", 0.98))
    assert state.genre == "rock"


def test_doubtful_windows_within_a_song_do_not_change_what_is_shown():
    player = Player()
    player.play(*[prediction("jazz", 0.8)] * 10)
    doubtful = [prediction("rock", 0.5), prediction("jazz", 0.5), prediction("blues", 0.5)]
    assert {state.genre for state in player.play(*doubtful * 3)} == {"jazz"}


def test_an_unsure_model_is_shown_as_unknown_not_as_a_guess():
    (state,) = Player(unknown_below=0.5).play(prediction())
    assert (state.state, state.genre) == (PlayState.UNKNOWN, None)
    assert state.reason == UnknownReason.UNSURE
    assert state.confidence == pytest.approx(1 / 3)


def test_talk_after_music_is_shown_as_unknown():
    player = Player(music_below=0.5)
    player.play(*[prediction("jazz")] * 3)
    states = player.play(*[prediction("jazz", music=0.0)] * 8)
    assert states[0].genre == "jazz"
    assert (states[-1].state, states[-1].genre) == (PlayState.UNKNOWN, None)
    assert states[-1].reason == UnknownReason.NOT_MUSIC
    assert states[-1].confidence is None


@pytest.mark.parametrize(("time_constant_seconds", "n_windows"), [(0.5, 1), (3.0, 2), (600.0, 2)])
def test_talk_is_noticed_soon_however_long_genres_are_remembered(time_constant_seconds, n_windows):
    player = Player(time_constant_seconds=time_constant_seconds)
    player.play(*[prediction("jazz")] * 5)
    states = player.play(*[prediction("jazz", music=0.0)] * n_windows)
    assert [s.state for s in states] == ["music"] * (n_windows - 1) + ["unknown"]


def test_one_window_of_talk_does_not_interrupt_music():
    player = Player()
    player.play(*[prediction("jazz")] * 5)
    states = player.play(prediction("jazz", music=0.0), *[prediction("jazz")] * 3)
    assert [s.genre for s in states] == ["jazz"] * 4


def test_the_confidence_is_that_of_the_genre_that_is_shown_not_of_the_likeliest():
    player = Player(time_constant_seconds=0)
    player.play(prediction("jazz"))
    (state,) = player.play(prediction("rock", 0.4, familiar=0.9))
    assert state.genre == "jazz"
    assert state.confidence == pytest.approx(0.3 * 0.9, rel=1e-3)


def test_music_of_none_of_the_genres_is_shown_as_unknown_and_says_so():
    player = Player(familiar_below=0.5)
    player.play(*[prediction("jazz")] * 3)
    states = player.play(*[prediction("jazz", familiar=0.1)] * 4)
    assert states[0].genre == "jazz"
    assert states[0].reason is None
    assert (states[-1].state, states[-1].reason) == ("unknown", UnknownReason.UNFAMILIAR)
    assert states[-1].confidence == pytest.approx(0.9 * states[-1].familiar, rel=1e-3)
    assert player.play(*[prediction("jazz")] * 4)[-1].genre == "jazz"


def test_music_that_is_nearly_of_no_genre_does_not_flicker_at_the_limit():
    at_the_limit = [prediction("jazz", familiar=familiar) for familiar in (0.33, 0.47)] * 10
    player = Player(familiar_below=0.4)
    player.play(prediction("jazz"))
    assert {state.genre for state in player.play(*at_the_limit)} == {"jazz"}
    player.play(*[prediction("jazz", familiar=0.1)] * 10)
    shown = player.play(*at_the_limit)
    assert {(state.genre, state.reason) for state in shown} == {(None, UnknownReason.UNFAMILIAR)}


def test_a_model_that_is_nearly_unsure_does_not_flicker_at_the_limit():
    at_the_limit = [prediction("jazz", 0.46), prediction("jazz", 0.54)] * 10
    player = Player(unknown_below=0.5, time_constant_seconds=0)
    player.play(prediction("jazz"))
    assert {state.genre for state in player.play(*at_the_limit)} == {"jazz"}
    player.play(prediction())
    shown = player.play(*at_the_limit)
    assert {(state.genre, state.reason) for state in shown} == {(None, UnknownReason.UNSURE)}


def test_the_limits_are_as_they_are_set_where_nothing_was_shown_before():
    (known,) = Player(familiar_below=0.4).play(prediction("jazz", familiar=0.41))
    (unknown,) = Player(familiar_below=0.4).play(prediction("jazz", familiar=0.39))
    assert known.genre == "jazz"
    assert unknown.reason == UnknownReason.UNFAMILIAR
    (last,) = Player(familiar_below=0).play(prediction("jazz", familiar=0.0))
    assert last.reason == UnknownReason.UNSURE


def test_other_music_is_noticed_sooner_where_it_sounds_quite_different():
    def windows_until_unknown(genre):
        player = Player()
        player.play(*[prediction("jazz", 0.98)] * 5)
        states = player.play(*[prediction(genre, 0.98, familiar=0.0)] * 10)
        return [state.genre for state in states].index(None)

    assert windows_until_unknown("rock") < windows_until_unknown("jazz")


def test_music_that_may_be_of_no_genre_is_shown_with_less_confidence():
    (sure,) = Player().play(prediction("jazz"))
    (doubtful,) = Player().play(prediction("jazz", familiar=0.6))
    assert doubtful.genre == sure.genre == "jazz"
    assert doubtful.confidence == pytest.approx(0.6 * sure.confidence)
    assert doubtful.familiar == pytest.approx(0.6)
    (unsure,) = Player(unknown_below=0.7).play(prediction("jazz", familiar=0.6))
    assert unsure.reason == UnknownReason.UNSURE


def test_silence_is_shown_only_after_it_has_lasted():
    player = Player(silence_after_seconds=4)
    player.play(prediction("jazz"))
    states = player.play(*[prediction("rock")] * 4, level_dbfs=-90)
    assert [s.state for s in states] == ["music", "silence", "silence", "silence"]
    assert states[1].held_seconds == 0
    assert states[1].confidence is states[1].reason is None


def test_music_after_silence_is_shown_at_once_without_memory_of_before():
    player = Player(silence_after_seconds=0)
    player.play(*[prediction("jazz")] * 5)
    player.play(*[prediction()] * 3, level_dbfs=-90)
    half_silent, whole = player.play(prediction("blues"), prediction("rock"))
    assert half_silent.state == PlayState.SILENCE
    assert whole.genre == "rock"
    assert whole.probabilities[LABELS.index("rock")] == pytest.approx(0.9, rel=1e-4)


def test_a_start_in_silence_shows_silence_at_once():
    (state,) = Player().play(prediction("jazz"), level_dbfs=-90)
    assert (state.state, state.genre, state.confidence) == (PlayState.SILENCE, None, None)
    assert set(state.probabilities) == {np.float32(1 / 3)}


def begin(player, *predictions):
    """Play silence, then sound that fills the first window from a quarter to three quarters."""
    player.play(prediction(), level_dbfs=-90)
    player.levels_dbfs[-4:] = [-20.0] * 4
    return player.play(*predictions)


def test_a_beginning_that_the_model_takes_for_no_music_stays_silence():
    states = begin(Player(), prediction("jazz", music=0.1), prediction("jazz"))
    assert [(s.state, s.genre) for s in states] == [("silence", None), ("music", "jazz")]
    assert states[1].music == 1.0


def test_a_beginning_that_the_model_knows_is_shown_at_once():
    assert begin(Player(), prediction("jazz"))[0].genre == "jazz"


def test_talk_after_silence_is_told_with_the_second_window():
    states = begin(Player(), *[prediction("jazz", music=0.1)] * 3)
    assert [s.state for s in states] == ["silence", "unknown", "unknown"]
    assert states[1].held_seconds == 0


def test_a_rest_in_music_that_is_then_doubtful_is_no_silence():
    player = Player(time_constant_seconds=0)
    player.play(prediction("jazz"))
    player.levels_dbfs[-HOP_SEGMENTS:] = [-90.0] * 3 + [-20.0] * 5
    (state,) = player.play(prediction("jazz", music=0.0))
    assert state.state == "unknown"


def test_windows_that_are_silent_in_part_change_nothing():
    player = Player(time_constant_seconds=0)
    (before,) = player.play(prediction("jazz"))
    (fading,) = player.play(prediction("rock", music=0.0), level_dbfs=-90)
    assert (fading.genre, fading.confidence) == ("jazz", before.confidence)
    (silent,) = player.play(prediction("rock"), level_dbfs=-90)
    assert silent.state == PlayState.SILENCE


def test_a_gap_forgets_evidence_but_not_what_is_shown():
    player = Player(switch_hold_seconds=2)
    player.play(*[prediction("jazz")] * 5)
    player.tracker.reset()
    (state,) = player.play(prediction("rock"))
    assert state.genre == "jazz"
    assert state.probabilities[LABELS.index("rock")] == pytest.approx(0.9, rel=1e-4)
    assert player.play(prediction("rock"))[0].genre == "rock"


def test_after_a_long_outage_a_genre_need_not_lead_what_was_shown_before():
    after_gap, after_outage = Player(), Player()
    for player in (after_gap, after_outage):
        player.play(*[prediction("jazz")] * 5)
    after_gap.tracker.reset()
    after_outage.tracker.begin_again()
    barely_rock = prediction("rock", 0.45)
    assert after_gap.play(barely_rock)[0].genre == "jazz"
    (state,) = after_outage.play(barely_rock)
    assert (state.genre, state.held_seconds) == ("rock", 0)


def test_a_gap_ends_the_lead_of_another_genre_which_must_last():
    player = Player(time_constant_seconds=0, switch_hold_seconds=2)
    player.play(prediction("jazz"), prediction("rock"))
    player.tracker.reset()
    player.seconds += 60
    assert [s.genre for s in player.play(*[prediction("rock")] * 2)] == ["jazz", "rock"]


def test_after_a_long_outage_quiet_is_silence_at_once():
    player = Player()
    player.play(*[prediction("jazz")] * 5)
    player.tracker.begin_again()
    player.levels_dbfs = []
    assert player.play(prediction("jazz"), level_dbfs=-90)[0].state == "silence"


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0, 1), min_size=3, max_size=3),
            st.floats(0, 1),
            st.floats(0, 1),
            st.floats(-120, 0),
            st.lists(st.floats(-120, 0), max_size=15),
            st.floats(0, 10),
        ),
        max_size=30,
    )
)
def test_states_always_make_sense_whatever_the_model_says(windows):
    tracker = GenreTracker(LABELS, TrackerParams())
    seconds = 0.0
    for weights, music, familiar, level_dbfs, levels_dbfs, elapsed in windows:
        seconds += elapsed
        positive = np.array(weights) + 1e-12
        probabilities = (positive / positive.sum()).astype(np.float32)
        state = tracker.update(
            Prediction(probabilities, music, familiar),
            end_seconds=seconds,
            levels_dbfs=[level_dbfs, *levels_dbfs],
        )
        assert (state.genre is not None) == (state.state == PlayState.MUSIC)
        assert state.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert (state.reason is not None) == (state.state == PlayState.UNKNOWN)
        if state.confidence is None:
            assert state.reason == UnknownReason.NOT_MUSIC or state.state == PlayState.SILENCE
        else:
            assert 0 <= state.confidence <= 1
        assert state.held_seconds >= 0


def test_predictions_that_do_not_fit_are_refused():
    tracker = GenreTracker(LABELS, TrackerParams())
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        tracker.update(
            Prediction(np.array([0.5, 0.5], dtype=np.float32), 1), end_seconds=0, levels_dbfs=LOUD
        )
    with pytest.raises(ValueError, match="not finite"):
        tracker.update(
            Prediction(np.array([np.nan, 0, 1], dtype=np.float32), 1),
            end_seconds=0,
            levels_dbfs=LOUD,
        )
    with pytest.raises(ValueError, match="not finite"):
        tracker.update(prediction("jazz", familiar=np.nan), end_seconds=0, levels_dbfs=LOUD)


def relabelled(corrected, hold_seconds=20.0):
    """Show jazz, then say that the same windows are techno."""
    tracker = GenreTracker(("jazz", "rock"), TrackerParams(switch_hold_seconds=hold_seconds))
    loud = [-20.0] * 16
    for n in range(5):
        said = Prediction(np.array([0.9, 0.1], np.float32), 1.0)
        tracker.update(said, end_seconds=4.0 + 2.0 * n, levels_dbfs=loud)
    taught = Prediction(np.array([0.1, 0.1, 0.8], np.float32), 1.0)
    tracker.relabel(("jazz", "rock", "techno"), [taught] * 5, corrected=corrected)
    return tracker.update(taught, end_seconds=14.0, levels_dbfs=loud)


def test_a_correction_is_shown_with_the_next_window_however_calm_the_readout_is():
    assert relabelled(corrected=True).genre == "techno"


def test_another_rooms_correction_changes_a_calm_readout_as_calmly_as_ever():
    assert relabelled(corrected=False).genre == "jazz"


def test_a_correction_is_shown_even_where_it_hardly_leads():
    tracker = GenreTracker(("jazz", "rock"), TrackerParams())
    loud = [-20.0] * 16
    tracker.update(
        Prediction(np.array([0.9, 0.1], np.float32), 1.0), end_seconds=4, levels_dbfs=loud
    )
    barely_rock = Prediction(np.array([0.45, 0.55], np.float32), 1.0)
    tracker.relabel(("jazz", "rock"), [barely_rock], corrected=True)
    assert tracker.update(barely_rock, end_seconds=6, levels_dbfs=loud).genre == "rock"


def test_what_was_judged_anew_counts_as_long_as_what_it_replaces():
    tracker = GenreTracker(("jazz", "rock"), TrackerParams())
    loud = [-20.0] * 16
    jazz = Prediction(np.array([0.9, 0.1], np.float32), 1.0)
    tracker.update(jazz, end_seconds=4, levels_dbfs=loud)
    anew = Prediction(np.array([0.2, 0.8], np.float32), 0.9, familiar=0.8)
    tracker.relabel(("jazz", "rock"), [anew], corrected=False)
    state = tracker.update(
        Prediction(np.array([0.4, 0.6], np.float32), 1.0), end_seconds=6, levels_dbfs=loud
    )
    assert 0.7 < state.probabilities[1] < 0.8
    assert 0.9 < state.music < 1.0
    assert 0.8 < state.familiar < 0.9


def test_a_genre_that_is_forgotten_is_no_longer_shown():
    tracker = GenreTracker(("jazz", "techno"), TrackerParams())
    said = Prediction(np.array([0.1, 0.9], np.float32), 1.0)
    assert tracker.update(said, end_seconds=4.0, levels_dbfs=[-20.0] * 16).genre == "techno"
    tracker.relabel(("jazz",), [], corrected=False)
    after = Prediction(np.array([1.0], np.float32), 1.0)
    assert tracker.update(after, end_seconds=6.0, levels_dbfs=[-20.0] * 16).genre == "jazz"
