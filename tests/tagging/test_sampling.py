import itertools

import pytest

from rtgenre.tagging.sampling import sample_starts


def test_windows_are_spread_over_the_song_each_in_the_middle_of_its_share():
    assert sample_starts(100, 4, 20) == [8, 28, 48, 68, 88]
    assert sample_starts(100, 4, 4) == [48]


@pytest.mark.parametrize("song_seconds", [4.0, 4.1, 11.9, 30.0, 59.99, 60.0, 3600.0])
@pytest.mark.parametrize("sample_seconds", [1, 4, 15, 60, 1e6])
def test_windows_never_overlap_nor_reach_beyond_the_song(song_seconds, sample_seconds):
    starts = sample_starts(song_seconds, 4, sample_seconds)
    assert 1 <= len(starts) <= max(1, sample_seconds / 4)
    assert starts[0] >= 0
    assert starts[-1] + 4 <= song_seconds + 1e-9
    assert all(later - earlier >= 4 - 1e-9 for earlier, later in itertools.pairwise(starts))


def test_a_song_shorter_than_a_window_has_none():
    assert sample_starts(3.9, 4, 60) == []
