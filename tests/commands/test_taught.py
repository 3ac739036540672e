"""What was taught while it played counts for files, too: classify and tag say the same."""

import csv
import json
from pathlib import Path

import pytest

from rtgenre.cli import main
from tests.dask_cluster import dask_cluster
from tests.taught_song import SONG, teach_song

OTHER = SONG.with_name("metal.ogg")


@pytest.fixture
def teach(tmp_path, monkeypatch):
    """Teach the song to whatever uses these settings."""
    file = tmp_path / "taught.db"
    monkeypatch.setenv("RTGENRE_TEACH__FILE", str(file))
    return lambda genre: teach_song(file, genre)


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


def test_a_cluster_knows_what_was_taught_here(teach, tmp_path, capsys, monkeypatch):
    teach("kids")
    with dask_cluster(1) as cluster:
        # Nobody has taught the worker's machine anything.
        there, columns, _ = tagged(tmp_path, capsys, "--scheduler", cluster.address)
    here, _, anew = tagged(tmp_path, capsys, "--processes", "1")
    assert there == here == {"classical": "kids", "metal": "metal"}
    assert any("kids" in column for column in columns)
    assert not anew


def test_a_damaged_file_is_told_and_costs_no_verdict(teach, tmp_path, capsys):
    (tmp_path / "taught.db").write_bytes(b"no SQLite file at all" * 100)
    assert main(["classify", "--json", str(SONG)]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["genre"] == "classical"
    assert "what was taught is not used" in told.err
    assert told.err.count("\n") == 1
