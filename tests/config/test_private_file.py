import stat

import pytest

from rtgenre.config.private_file import written_beside


def test_nobody_else_may_read_the_new_file_and_it_takes_the_others_place(tmp_path):
    path = tmp_path / "folder" / "rtgenre.toml"
    with written_beside(path, b"token") as made:
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        assert made.parent == path.parent
        made.replace(path)
    assert path.read_bytes() == b"token"
    assert list(path.parent.iterdir()) == [path]


def test_what_does_not_take_the_place_leaves_nothing_behind(tmp_path):
    path = tmp_path / "rtgenre.toml"
    path.write_bytes(b"before")
    with pytest.raises(PermissionError), written_beside(path, b"token"):
        raise PermissionError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
