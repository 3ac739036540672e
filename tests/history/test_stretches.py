import pytest

from rtgenre.history.stretches import GAP_SECONDS, Stretch, StretchFold
from rtgenre.messages.payload import iso_utc

START = 1_700_000_000.0


def document(
    seconds, genre="rock", state="music", confidence=0.8, reason=None, *, track=(None, None)
):
    return {
        "type": "state",
        "node": "kitchen",
        "time": iso_utc(START + seconds),
        "state": state,
        "genre": genre,
        "confidence": confidence,
        "reason": reason,
        "title": track[0],
        "artist": track[1],
    }


def fold(*documents):
    """Return the stretches that ended, and the one that goes on."""
    stretches = StretchFold("kitchen", "crnn 1")
    ended = [stretches.update(each) for each in documents]
    return [stretch for stretch in ended if stretch is not None], stretches.current()


def test_one_genre_is_one_stretch_from_its_first_window_to_its_newest():
    ended, current = fold(document(0), document(2), document(4))
    assert ended == []
    assert current == Stretch("kitchen", START, START + 4, "rock", 0.8, "crnn 1")


def test_confidence_is_the_mean_over_the_windows():
    _, current = fold(*(document(2 * i, confidence=c) for i, c in enumerate((0.4, 0.6, 0.8))))
    assert round(current.confidence, 6) == 0.6


def test_silence_has_no_confidence():
    silent = [document(2 * i, None, "silence", confidence=None) for i in range(3)]
    _, current = fold(*silent)
    assert (current.confidence, current.reason) == (None, None)


def test_a_stretch_tells_why_no_genre_was_shown_most_of_the_time():
    unknown = [
        document(2 * i, None, "unknown", confidence, reason)
        for i, (confidence, reason) in enumerate(
            [(0.2, "unsure"), (None, "not_music"), (None, "not_music"), (0.4, "unfamiliar")]
        )
    ]
    ended, current = fold(*unknown, document(8), document(10))
    assert [(s.genre, s.reason, round(s.confidence, 6)) for s in ended] == [
        ("unknown", "not_music", 0.3)
    ]
    assert current.reason is None


def test_a_new_genre_begins_where_the_old_one_ends_so_that_no_time_is_missing():
    ended, current = fold(document(0), document(2), document(4, "jazz"), document(6, "jazz"))
    assert [(s.genre, s.started_at - START, s.ended_at - START) for s in ended] == [("rock", 0, 4)]
    assert (current.genre, current.started_at - START, current.ended_at - START) == ("jazz", 4, 6)


def test_the_confidence_of_a_genre_is_of_its_own_windows():
    ended, current = fold(
        *(document(2 * i, confidence=0.9) for i in range(3)),
        *(document(6 + 2 * i, "jazz", confidence=0.5) for i in range(2)),
    )
    assert [s.confidence for s in ended] == [0.9]
    assert current.confidence == 0.5


@pytest.mark.parametrize(("confidences", "mean"), [((0.4, 0.8, 0.6), 0.6), ((None,) * 3, None)])
def test_what_goes_on_after_its_beginning_was_forgotten_keeps_its_confidence(confidences, mean):
    stretches = StretchFold("kitchen", "crnn 1")
    first, second, third = (document(2 * i, confidence=c) for i, c in enumerate(confidences))
    stretches.update(first)
    stretches.update(second)
    stretches.cut()
    assert stretches.current() is None
    stretches.update(third)
    current = stretches.current()
    assert (current.started_at - START, current.ended_at - START) == (2, 4)
    assert current.confidence == mean


def test_each_title_of_an_album_of_one_genre_is_a_stretch_of_its_own():
    first, second = ("So What", "Miles Davis"), ("Freddie Freeloader", "Miles Davis")
    ended, current = fold(
        document(0, track=first),
        document(2, track=first),
        document(4, track=second),
        document(6, track=second),
    )
    (stretch,) = ended
    assert (stretch.ended_at - START, stretch.title, stretch.artist) == (4, *first)
    assert (current.started_at - START, current.title) == (4, second[0])


def test_silence_and_unknown_are_kept_as_such():
    ended, current = fold(
        document(0, None, "silence"), document(2, None, "unknown"), document(4, None, "unknown")
    )
    assert [ended[0].genre, current.genre] == ["silence", "unknown"]


def test_a_stretch_does_not_reach_across_lost_audio():
    later = 4 + GAP_SECONDS + 0.1
    ended, current = fold(document(0), document(4), document(later), document(later + 2))
    assert [(s.started_at - START, s.ended_at - START) for s in ended] == [(0, 4)]
    assert round(current.started_at - START, 3) == later


def test_windows_that_were_skipped_do_not_divide_a_stretch():
    ended, current = fold(document(0), document(GAP_SECONDS - 1))
    assert ended == []
    assert current.seconds == GAP_SECONDS - 1


def test_a_single_window_is_no_stretch_of_zero_length():
    assert fold(document(0)) == ([], None)
    later = 100
    ended, _ = fold(document(0), document(later))
    assert ended == []


def test_a_clock_that_was_set_back_begins_a_new_stretch_and_is_not_waited_for():
    ended, current = fold(document(5000), document(5002), document(0), document(2))
    assert [(s.started_at - START, s.ended_at - START) for s in ended] == [(5000, 5002)]
    assert (current.started_at - START, current.ended_at - START) == (0, 2)


def test_a_clock_that_is_set_back_a_little_takes_no_time_from_what_was_shown():
    ended, current = fold(document(0), document(10), document(7), document(9, "jazz"))
    assert [(s.started_at - START, s.ended_at - START) for s in ended] == [(0, 10)]
    assert current is None
