import numpy as np
import pytest

from training.data.whole_file import written_whole


def _begin(path):
    with written_whole(path) as part:
        part.write_bytes(b"half of it")
        raise KeyboardInterrupt


def test_a_file_that_was_begun_never_stands_where_a_whole_one_is_looked_for(tmp_path):
    path = tmp_path / "heard.npy"
    with pytest.raises(KeyboardInterrupt):
        _begin(path)
    assert not list(tmp_path.iterdir()), "a full disk needs the space"
    with written_whole(path) as part:
        np.save(part, np.arange(3))
    assert list(tmp_path.iterdir()) == [path]
    assert np.load(path).tolist() == [0, 1, 2]


def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "said.txt"
    path.write_text("old")
    with written_whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
