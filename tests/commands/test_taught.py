"""What was taught while it played counts for files, too: classify and tag say the same."""

import csv
import json
from pathlib import Path

import pytest

import rtgenre.demo
from rtgenre.cli import main
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.model.classifier import Classifier
from rtgenre.model.features import log_mel_spectrogram
from rtgenre.model.folders import find_model_folder
from rtgenre.tagging.hearing import predict_sample
from rtgenre.tracking.recent import HeardWindow

SONG = Path(rtgenre.demo.__file__).parent / "classical.ogg"
OTHER = SONG.with_name("metal.ogg")


@pytest.fixture(scope="module")
def heard():
    """The model's folder, and what it says of a song and of the test sounds."""
    folder = find_model_folder("crnn")
    classifier = Classifier.load(folder)
    predictions = predict_sample(SONG, classifier, sample_seconds=40.0).predictions
    sounds = Notebook(Path("none"), classifier.info, folder).test_sounds()
    params = classifier.info.features
    return (
        folder,
        classifier.info,
        predictions,
        [classifier.predict(log_mel_spectrogram(one, params)[None])[0] for one in sounds],
    )


@pytest.fixture
def teach(tmp_path, monkeypatch, heard):
    """Teach the song to whatever uses these settings."""
    file = tmp_path / "taught.db"
    monkeypatch.setenv("RTGENRE_TEACH__FILE", str(file))
    folder, info, predictions, sounds = heard

    def teach(genre):
        notebook = Notebook(file, info, folder)
        notebook.note_network(sounds)
        windows = [HeardWindow(one, 4.0 * n, 4.0 * n + 4.0) for n, one in enumerate(predictions)]
        notebook.add("den", genre, windows)

    return teach


def classified(capsys):
    assert main(["classify", "--json", str(SONG)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_taught_song_is_classified_as_what_it_was_said_to_be(teach, capsys, monkeypatch):
    before = classified(capsys)
    teach("kids")
    after = classified(capsys)
    monkeypatch.setenv("RTGENRE_TEACH__ENABLED", "false")
    without = classified(capsys)
    assert before["genre"] == "classical"
    assert after["genre"] == "kids"
    assert {section["genre"] for section in after["sections"]} == {"kids"}
    assert list(after["probabilities"]) == [*before["probabilities"], "kids"]
    assert without == before


def tagged(folder, capsys, *options):
    """Tag two songs; return their genres, the table's columns, and whether any was judged now."""
    table = folder / "table.csv"
    assert main(["tag", str(SONG), str(OTHER), "--output", str(table), *options]) == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    genres = {Path(row["path"]).stem: row["genre"] for row in rows}
    return genres, list(rows[0]), "of music" in capsys.readouterr().out


@pytest.mark.parametrize("options", [(), ("--sample", "12")], ids=["whole", "sampled"])
def test_songs_are_tagged_anew_once_when_something_was_taught(teach, tmp_path, capsys, options):
    options = (*options, "--processes", "1")
    first, *_ = tagged(tmp_path, capsys, *options)
    teach("kids")
    second, columns, anew = tagged(tmp_path, capsys, *options)
    third, _, again = tagged(tmp_path, capsys, *options)
    assert first == {"classical": "classical", "metal": "metal"}
    assert second == third == {"classical": "kids", "metal": "metal"}
    assert any("kids" in column for column in columns)
    assert (anew, again) == (True, False)


def test_a_damaged_file_is_told_and_costs_no_verdict(teach, tmp_path, capsys):
    (tmp_path / "taught.db").write_bytes(b"no SQLite file at all" * 100)
    assert main(["classify", "--json", str(SONG)]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["genre"] == "classical"
    assert "what was taught is not used" in told.err
    assert told.err.count("\n") == 1
