"""The file that the page writes into."""

import os

import pytest

from rtgenre.config import ConfigError
from rtgenre.config.settings_file import ChangedMeanwhileError, SettingsFile, SettingsFileError

CALMER = {"smoothing": {"switch_margin": 0.4}}
TEXT = '# mine\n[smoothing]\nswitch_margin = 0.2 # calm\n[source]\nnode = "den"\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return SettingsFile(path, {})


def test_a_change_is_in_force_at_once_and_nothing_else_is_touched(file):
    config = file.change(CALMER, checksum=file.read().checksum)
    assert config.smoothing.switch_margin == 0.4
    assert file.path.read_text() == TEXT.replace("0.2", "0.4")


def test_the_second_of_two_pages_that_save_at_once_is_told_so(file):
    seen_by_both = file.read().checksum
    file.change(CALMER, checksum=seen_by_both)
    with pytest.raises(ChangedMeanwhileError, match=r"changed meanwhile.*nothing was saved"):
        file.change({"source": {"name": "Den"}}, checksum=seen_by_both)
    assert file.path.read_text() == TEXT.replace("0.2", "0.4")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"smoothing": {"switch_margin": 7}},
            r"\[smoothing\] switch_margin = 7 .*: it must be 0 to 1",
        ),
        ({"smoothing": {"margin": 1}}, "there is no such setting"),
        ({"colors": {"jazz": "red"}}, "a colour is written #rrggbb"),
        ({"source": {"node": "a b"}}, "a node name has"),
    ],
)
def test_what_cannot_be_used_is_refused_in_the_words_of_the_settings_check(file, changes, told):
    with pytest.raises(ConfigError, match=told):
        file.change(changes, checksum=file.read().checksum)
    assert file.path.read_text() == TEXT


def test_half_a_character_is_refused_and_leaves_nothing_behind(file, tmp_path):
    for changes in ({"colors": {"\udcff": "#ffffff"}}, {"source": {"input": "\udcff.flac"}}):
        with pytest.raises(ConfigError, match="half a character"):
            file.change(changes, checksum=file.read().checksum)
    assert file.path.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [file.path]


def test_a_read_only_file_is_left_alone_though_its_folder_could_replace_it(file):
    file.path.chmod(0o444)
    with pytest.raises(SettingsFileError, match="read-only"):
        file.change(CALMER, checksum=file.read().checksum)
    assert file.path.read_text() == TEXT
    assert "read-only" in file.problem()


def test_a_place_where_nothing_can_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    file = SettingsFile(tmp_path / "file" / "mine.toml", {})
    with pytest.raises(SettingsFileError, match=r"mine\.toml"):
        file.change(CALMER, checksum="")


def test_where_there_is_no_file_yet_one_is_begun_that_says_what_else_there_is(tmp_path):
    file = SettingsFile(tmp_path / "deep" / "mine.toml", {})
    assert (file.read().checksum, file.problem()) == ("", None)
    config = file.change(CALMER, checksum="")
    assert config.smoothing.switch_margin == 0.4
    text = file.path.read_text()
    assert "\nswitch_margin = 0.4\n" in text
    assert "# retention_days = 400" in text
    # It may come to hold a password.
    assert file.path.stat().st_mode & 0o077 == 0


def test_permissions_and_a_link_to_the_file_stay_as_they_are(file, tmp_path):
    file.path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file.path)
    linked = SettingsFile(link, {})
    linked.change(CALMER, checksum=linked.read().checksum)
    assert link.is_symlink()
    assert file.path.read_text() == TEXT.replace("0.2", "0.4")
    assert file.path.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.toml", "mine.toml"]


def test_a_disk_that_fails_leaves_the_old_file_whole(file, tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SettingsFileError, match="No space left on device; nothing was changed"):
        file.change(CALMER, checksum=file.read().checksum)
    assert file.path.read_text() == TEXT
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_what_something_stronger_sets_is_not_written_in_vain(file, monkeypatch):
    monkeypatch.setenv("RTGENRE_SMOOTHING__SWITCH_MARGIN", "0.1")
    with pytest.raises(ConfigError, match="set by the environment, which is stronger"):
        file.change(CALMER, checksum=file.read().checksum)
    flagged = SettingsFile(file.path, {"source": {"input": "USB"}})
    with pytest.raises(ConfigError, match="set by the command line"):
        flagged.change({"source": {"input": ""}}, checksum=file.read().checksum)
    assert file.path.read_text() == TEXT


def test_a_byte_order_mark_stays(file):
    file.path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    file.change(CALMER, checksum=file.read().checksum)
    assert file.path.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("0.2", "0.4").encode()
