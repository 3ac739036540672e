"""``rtgenre learn`` and ``models``, on the demo's recordings and the shipped model."""

import errno
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import soundfile

import rtgenre.demo
from rtgenre.api.model import load_model
from rtgenre.cli import main
from rtgenre.commands.learn import LearnOptions, learn
from rtgenre.config import load_config
from rtgenre.learning import own_model as own_model_module
from rtgenre.model.folders import shipped_models
from tests.taught_song import SONG, teach_song

DEMO = Path(rtgenre.demo.__file__).parent
EXCERPT_SECONDS = 9


@pytest.fixture
def homes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """A folder of songs, and what is kept of hearing them once."""
    root = tmp_path_factory.mktemp("heard")
    write_songs(root / "genres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(root / "data"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        assert main(["learn", str(root / "genres")]) == 0
    return root


@pytest.fixture
def genres(homes, heard):
    """Songs that were heard before, so that learning on them takes no time."""
    for name in ("genres", "cache"):
        shutil.copytree(heard / name, homes / name)
    return homes / "genres"


@pytest.fixture
def learnt(genres, homes, heard):
    """The same songs, and the model ``mine`` that was learnt on them."""
    shutil.copytree(heard / "data", homes / "data")
    return genres


def write_songs(root):
    """Write four excerpts each of two of the demo's recordings, under names that nobody knows."""
    for genre, name in (("Bach", "classical"), ("Heavy", "metal")):
        samples, rate = soundfile.read(DEMO / f"{name}.ogg", dtype="float32")
        folder = root / genre
        folder.mkdir(parents=True)
        length = min(EXCERPT_SECONDS * rate, len(samples) // 4)
        for number in range(4):
            start = number * (len(samples) // 4)
            soundfile.write(folder / f"{number}.flac", samples[start : start + length], rate)


def own_model(homes, name="mine"):
    return homes / "data" / "rtgenre" / "models" / name


def test_genres_are_learnt_listed_used_and_removed(genres, homes, capsys):
    shutil.copy(genres / "Bach" / "0.flac", genres / "Bach" / "copy.flac")
    (genres / "Heavy" / "broken.mp3").write_bytes(b"no sound" * 100)
    os.mkfifo(genres / "Heavy" / "pipe.mp3")
    silence = genres / "Heavy" / "silent.wav"
    soundfile.write(silence, [0.0] * 80000, 16000)

    assert main(["learn", "--keep", str(genres)]) == 0
    told = capsys.readouterr()
    assert re.search(r"^Bach +4 +4 ", told.out, re.MULTILINE)
    assert "made the model mine: rtgenre run --model mine" in told.out
    assert "copy.flac: is a copy of" in told.err
    assert "broken.mp3: is not audio" in told.err
    assert "silent.wav: is silent" in told.err
    assert "pipe.mp3: is a named pipe" in told.err

    assert main(["models", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["mine"]["songs"] == {"Bach": 4, "Heavy": 4}
    assert listed["mine"]["genres"][-2:] == ["Bach", "Heavy"]
    assert listed["mine"]["learnt_on"] == "crnn"
    assert listed["crnn"]["songs"] is None

    model = load_model("mine")
    assert model.classify(genres / "Bach" / "0.flac").genre == "Bach"
    assert model.classify(genres / "Heavy" / "0.flac").genre == "Heavy"
    # What nobody taught stays what it was.
    assert model.classify(DEMO / "jazz.ogg").genre == load_model().classify(DEMO / "jazz.ogg").genre

    assert main(["models", "--remove", "mine"]) == 0
    assert not own_model(homes).exists()


def test_what_was_heard_is_kept_by_content_so_that_a_second_run_hears_nothing(
    genres, homes, capsys
):
    kept = sorted((homes / "cache").rglob("*.npz"))
    assert len(kept) == 8
    files = [path.stat().st_ino for path in kept]
    forgotten = kept[0].with_name("0.npz")
    shutil.copy(kept[0], forgotten)
    # Half a year passes. What is needed now stays, all else goes.
    for path in [*kept, forgotten]:
        os.utime(path, (0, 0))
    (genres / "Bach").rename(genres / "Baroque")
    assert main(["learn", str(genres)]) == 0
    assert [path.stat().st_ino for path in kept] == files
    assert not forgotten.exists()
    assert load_model("mine").labels == ("Baroque", "Heavy")
    assert "called unfamiliar: " in capsys.readouterr().out


@pytest.mark.usefixtures("learnt")
def test_music_of_no_own_genre_is_unfamiliar_where_the_known_ones_were_not_kept():
    model = load_model("mine")
    found = {
        name: model.classify(DEMO / f"{name}.ogg")
        for name in ("classical", "metal", "jazz", "country")
    }
    assert (found["classical"].genre, found["metal"].genre) == ("Bach", "Heavy")
    assert found["classical"].familiar > 0.8
    assert {found["jazz"].reason, found["country"].reason} == {"unfamiliar"}


@pytest.mark.usefixtures("learnt")
def test_what_is_taught_on_top_of_own_genres_makes_other_music_no_more_familiar(homes):
    teach_song(homes / "data" / "rtgenre" / "taught.db", "kids")
    model = load_model("mine")
    assert model.labels == ("Bach", "Heavy", "kids")
    assert model.classify(SONG).genre == "kids"
    assert model.classify(DEMO / "metal.ogg").genre == "Heavy"
    assert model.classify(DEMO / "jazz.ogg").reason == "unfamiliar"


@pytest.mark.usefixtures("learnt")
def test_a_damaged_own_model_says_so_and_what_to_do(homes, capsys):
    head = own_model(homes) / "head.npz"
    content = bytearray(head.read_bytes())
    content[len(content) // 2] ^= 1
    head.write_bytes(content)
    assert main(["classify", "--model", "mine", str(DEMO / "jazz.ogg")]) == 1
    assert "head.npz is not the file that its model.json describes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("further_folder", "arguments", "message"),
    [
        ("empty", [], "'empty' has no song"),
        ("a b", [], "cannot be called 'a b'"),
        ("fine", ["--name", "crnn"], "is that of a shipped model"),
        ("fine", ["--model", "cnn"], "the model cnn cannot be learnt on"),
    ],
)
def test_what_cannot_be_learnt_says_why_and_leaves_nothing_behind(
    homes, capsys, further_folder, arguments, message
):
    folder = homes / "genres" / further_folder
    folder.mkdir(parents=True)
    assert main(["learn", *arguments, "--keep", str(folder.parent)]) == 1
    assert message in capsys.readouterr().err
    assert not (homes / "data").exists()


def test_too_few_songs_are_left_where_most_are_broken(genres, homes, capsys):
    for number in range(2):
        (genres / "Heavy" / f"{number}.flac").write_bytes(b"broken" * 50)
    assert main(["learn", str(genres)]) == 1
    assert "'Heavy' has 2 songs that can be learnt from; at least 3" in capsys.readouterr().err
    assert not own_model(homes).exists()


def test_a_full_disk_leaves_the_model_that_was_there(learnt, homes, capsys, monkeypatch):
    before = (own_model(homes) / "model.json").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(own_model_module, "write_head", full)
    assert main(["learn", str(learnt)]) == 1
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    assert (own_model(homes) / "model.json").read_bytes() == before
    assert [path.name for path in own_model(homes).parent.iterdir()] == ["mine"]


def test_the_model_is_made_though_nobody_reads_what_is_said_of_it(genres, homes, monkeypatch):
    def left(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", left)
    with pytest.raises(BrokenPipeError):
        learn(LearnOptions(genres, "mine", keep=False), load_config())
    assert (own_model(homes) / "model.json").exists()


def test_of_a_model_that_is_a_link_the_link_is_removed_alone(homes, tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "model.json").write_text("{}")
    own_model(homes).parent.mkdir(parents=True)
    own_model(homes).symlink_to(elsewhere)
    assert main(["models", "--remove", "mine"]) == 0
    assert not own_model(homes).is_symlink()
    assert (elsewhere / "model.json").exists()


def test_only_own_models_can_be_removed(homes, capsys):
    assert main(["models", "--remove", "crnn"]) == 2
    assert "'crnn' is shipped and stays; own models: none" in capsys.readouterr().err
    assert "crnn" in shipped_models()
