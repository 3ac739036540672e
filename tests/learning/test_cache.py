import os

import pytest

from rtgenre.learning.cache import MAX_AGE_SECONDS, prune_cache

NOW = 2_000_000_000.0


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "heard"


def kept(cache, name, *, days_ago, size=10, model="crnn-1"):
    file = cache / model / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    os.utime(file, (NOW - 86400 * days_ago,) * 2)
    return file


def test_what_nobody_needed_for_half_a_year_goes_and_its_empty_folder_too(cache):
    old = kept(cache, "a.npz", days_ago=181, model="crnn-0")
    left_behind = kept(cache, ".b.npz.7.part", days_ago=181, model="crnn-0")
    new = kept(cache, "a.npz", days_ago=179)
    assert prune_cache(cache, NOW) == 2
    assert new.exists()
    assert not old.parent.exists(), left_behind


def test_beyond_the_limit_what_was_needed_last_stays(cache):
    files = [kept(cache, f"{n}.npz", days_ago=n, size=100) for n in range(5)]
    assert prune_cache(cache, NOW, max_bytes=250) == 3
    assert [file.exists() for file in files] == [True, True, False, False, False]


def test_what_rtgenre_did_not_write_is_left_alone(cache, tmp_path):
    other = kept(cache, "notes.txt", days_ago=999)
    beside = kept(tmp_path, "song.npz", days_ago=999, model="elsewhere")
    (cache / "link").symlink_to(beside.parent)
    assert prune_cache(cache, NOW) == 0
    assert other.exists()
    assert beside.exists()


def test_where_nothing_was_kept_there_is_nothing_to_do(cache):
    assert prune_cache(cache, NOW, max_age_seconds=MAX_AGE_SECONDS) == 0
