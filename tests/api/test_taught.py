"""What was taught while it played counts in programs, too, unless they ask for the model alone."""

import logging
import os

import pytest

from rtgenre import RtgenreError, listen, load_model
from rtgenre.sources.decode import open_audio
from tests.rights import not_root
from tests.taught_song import SONG, teach_song


@pytest.fixture
def taught(tmp_path, monkeypatch):
    """Teach the song where the service keeps what it is taught."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = tmp_path / "rtgenre" / "taught.db"
    file.parent.mkdir()
    teach_song(file, "kids")
    return file


def newest_samples():
    """Give the song's last block, and its rate."""
    file = open_audio(SONG)
    samples = file.read(20 * file.sample_rate_hz)
    file.close()
    return samples, file.sample_rate_hz


async def test_a_program_hears_a_taught_song_as_the_page_does(taught):
    model = load_model()
    assert model.labels[-1] == "kids"
    assert model.classify(SONG).genre == "kids"
    assert model.predict(*newest_samples()).genre == "kids"
    shown = [state["genre"] async for state in listen(SONG, model=model, speed="max")]
    assert shown[-1] == "kids"


def test_a_program_can_ask_for_the_model_alone(taught):
    model = load_model(taught=False)
    assert "kids" not in model.labels
    assert model.classify(SONG).genre == "classical"


def test_a_program_can_name_another_file_of_what_was_taught(taught, tmp_path):
    other = taught.rename(tmp_path / "other.db")
    assert "kids" not in load_model().labels
    assert load_model(taught=other).classify(SONG).genre == "kids"


def test_a_damaged_file_costs_a_warning_unless_it_was_named(taught, tmp_path, caplog):
    taught.write_bytes(b"no SQLite file at all" * 100)
    with caplog.at_level(logging.WARNING, "rtgenre"):
        model = load_model()
    assert "kids" not in model.labels
    assert "what was taught is not used" in caplog.text
    with pytest.raises(RtgenreError, match="is damaged"):
        load_model(taught=taught)
    with pytest.raises(RtgenreError, match="there is no such file of what was taught"):
        load_model(taught=tmp_path / "nosuch.db")


@pytest.mark.skipif(os.name == "nt", reason="has no such rights")
def test_a_home_of_somebody_else_costs_a_warning_unless_its_file_was_named(
    taught, tmp_path, caplog
):
    load_model()
    tmp_path.chmod(0)
    try:
        with not_root():
            assert "kids" not in load_model().labels
            with pytest.raises(RtgenreError, match="cannot be read"):
                load_model(taught=taught)
    finally:
        tmp_path.chmod(0o700)
    assert "what was taught is not used" in caplog.text
    with pytest.raises(RtgenreError, match="cannot be read"):
        load_model(taught="~nobody-of-that-name/taught.db")


@pytest.mark.skipif(os.name == "nt", reason="has no such users")
def test_a_program_of_a_user_without_a_home_has_the_model_alone(monkeypatch, caplog):
    def unknown(_):
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert load_model().labels[-1] == "rock"
    assert "what was taught is not used" in caplog.text
