from rtgenre.learning.cross_validation import Validation, cross_validate
from rtgenre.learning.folds import N_FOLDS
from rtgenre.learning.lesson import Lesson
from rtgenre.learning.report import report, wilson_interval
from tests.learning.songs import LABELS, examples, song


def validated(songs, known=LABELS):
    lesson = Lesson(tuple(songs), known)
    *steps, outcome = cross_validate(lesson, examples(), len(LABELS))
    assert steps == list(range(1, N_FOLDS + 1))
    assert isinstance(outcome, Validation)
    return report(lesson, outcome)


def test_the_report_says_how_often_each_genre_is_found_again_and_what_the_others_lose():
    found = validated([song(g, s) for g in ("techno", "folk") for s in range(10)])
    assert [(one.genre, one.n_songs, one.n_artists) for one in found.scores] == [
        ("folk", 10, 10),
        ("techno", 10, 10),
    ]
    assert found.accuracy >= 0.9
    assert found.points_lost is not None
    assert found.points_lost < 2.0
    assert not found.mixed_up
    assert not found.misfiled
    assert not found.remarks
    assert found.document()["per_genre"]["techno"]["n"] == 10


def test_a_song_in_the_wrong_folder_is_named_with_what_it_sounds_like():
    songs = [song(g, s) for g in ("techno", "folk") for s in range(10)]
    songs.append(song("folk", 99, sounds_like="techno", name="folk/stray.flac"))
    found = validated(songs)
    assert [(one.name, one.sounds_like) for one in found.misfiled] == [
        ("folk/stray.flac", "techno")
    ]


def test_genres_that_sound_alike_are_said_to_be_mixed_up():
    songs = [song("techno", s) for s in range(10)]
    songs += [song("house", s, sounds_like="techno") for s in range(20, 30)]
    found = validated(songs, known=())
    ((first, second, count),) = found.mixed_up
    assert (first, second) == ("house", "techno")
    assert count >= 5


def test_songs_of_one_artist_never_judge_what_was_learnt_from_that_artist():
    # Two artists of one genre that sound nothing alike: each says nothing of the other.
    songs = [song("mixed", s, sounds_like="techno", artist="a") for s in range(5)]
    songs += [song("mixed", s, sounds_like="rock", artist="b") for s in range(5, 10)]
    songs += [song("folk", s) for s in range(10)]
    found = validated(songs)
    mixed = next(one for one in found.scores if one.genre == "mixed")
    assert mixed.n_right <= 3


def test_few_songs_and_few_artists_are_said_with_what_would_help():
    songs = [song("techno", s) for s in range(4)]
    songs += [song("folk", s, artist="one") for s in range(12)]
    remarks = "\n".join(validated(songs).remarks)
    assert "techno: 4 songs are few" in remarks
    assert "folk: all songs are by one artist" in remarks


def test_intervals_are_wide_where_songs_are_few():
    low, high = wilson_interval(3, 3)
    assert (round(low, 2), high) == (0.44, 1.0)
    low, high = wilson_interval(50, 100)
    assert (round(low, 2), round(high, 2)) == (0.4, 0.6)
