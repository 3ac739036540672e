import csv
import io
import json
import time

import pytest

from rtgenre.cli import main
from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch


@pytest.fixture
def history(tmp_path, monkeypatch):
    """A file with an hour of rock in the kitchen, ten minutes of jazz in the studio, old pop."""
    file = tmp_path / "history.db"
    monkeypatch.setenv("RTGENRE_HISTORY__FILE", str(file))
    monkeypatch.chdir(tmp_path)
    now = time.time()
    with HistoryStore(file) as store:
        store.write(
            [
                Stretch("kitchen", now - 20 * 86400, now - 20 * 86400 + 60, "pop", 0.9, "crnn 1"),
                Stretch("kitchen", now - 7200, now - 3600, "rock", 0.8, "crnn 1"),
                Stretch("studio", now - 1200, now - 600, "jazz", 0.7, "crnn 1")._replace(
                    title="So What", artist="Miles Davis"
                ),
            ]
        )
    return file


def run(capsys, *arguments):
    code = main(["history", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_last_seven_days_are_printed_with_the_time_of_each_genre(history, capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert "rock" in out
    assert "1 h 00 min" in out
    assert " pop " not in out


def test_json_is_the_document_that_the_page_gets(history, capsys):
    _, out, _ = run(capsys, "--since", "30d", "--json")
    assert [s["genre"] for s in json.loads(out)["stretches"]] == ["pop", "rock", "jazz"]


def test_csv_can_be_read_by_other_programs(history, capsys):
    _, out, _ = run(capsys, "--csv")
    assert [row["genre"] for row in csv.DictReader(io.StringIO(out))] == ["rock", "jazz"]


def test_until_and_node_narrow_it_down(history, capsys):
    _, out, _ = run(capsys, "--until", "30m", "--json")
    assert [s["genre"] for s in json.loads(out)["stretches"]] == ["rock"]
    _, out, _ = run(capsys, "--node", "studio", "--json")
    assert [s["genre"] for s in json.loads(out)["stretches"]] == ["jazz"]


def test_what_it_called_jazz_is_listed_with_title_and_artist(history, capsys):
    _, out, _ = run(capsys, "--genre", "jazz", "--since", "yesterday")
    assert "Miles Davis - So What" in out
    assert "rock" not in out
    _, out, _ = run(capsys, "--genre", "jazz", "--json")
    told = [(s["genre"], s["title"], s["artist"]) for s in json.loads(out)["stretches"]]
    assert told == [("jazz", "So What", "Miles Davis")]


def test_plot_draws_a_picture(history, capsys, tmp_path):
    code, _, err = run(capsys, "--plot", str(tmp_path / "week.png"))
    assert (code, err) == (0, "")
    assert (tmp_path / "week.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "soon"], "'soon' is no time"),
        (["--since", "1h", "--until", "2h"], "must come after"),
        (["--plot", "week.xyz"], "xyz"),
        (["--plot", "week"], "week: its name must end in .png, .svg or .pdf"),
        (["--plot", "-"], "-: its name must end in .png, .svg or .pdf"),
        (["--plot", "nowhere/week.png"], "nowhere"),
        (["--since", "300d", "--plot", "x.png"], "at most"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(history, capsys, arguments, told):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_genre_that_is_misspelt_is_told_from_a_time_in_which_nothing_was_heard(history, capsys):
    code, out, _ = run(capsys, "--genre", "Jazz")
    assert code == 0
    assert "nothing was called 'Jazz' in this time, but jazz, rock" in out


def test_without_any_history_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RTGENRE_HISTORY__FILE", str(tmp_path / "none.db"))
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys)
    assert code == 0
    assert "nothing was heard" in out
