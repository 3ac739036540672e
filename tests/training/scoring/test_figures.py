from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.learning.songs import LABELS, examples
from training import few_shot, own_genres
from training.scoring import figures
from training.scoring.figures import examples_of, tell_figures

if TYPE_CHECKING:
    from types import ModuleType


@dataclass(frozen=True)
class Figure:
    genre: str
    recall: float


FIGURES = (Figure("jazz", 0.5), Figure("rock", 0.75))


def tell(*, as_json: bool) -> None:
    tell_figures(
        iter(FIGURES),
        line=lambda one: f"{one.genre}: {one.recall}",
        table=lambda found: f"{len(found)} genres",
        as_json=as_json,
    )


def test_what_is_measured_is_told_at_once_and_as_a_table_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(as_json=False)
    told = capsys.readouterr()
    assert told.err.splitlines() == ["jazz: 0.5", "rock: 0.75"]
    assert told.out == "2 genres\n"


def test_programs_get_the_figures_alone(capsys: pytest.CaptureFixture[str]) -> None:
    tell(as_json=True)
    assert json.loads(capsys.readouterr().out)[1] == {"genre": "rock", "recall": 0.75}


def test_the_shipped_model_has_examples_of_all_its_genres() -> None:
    found, labels = examples_of("crnn")
    assert "jazz" in labels
    assert set(range(len(labels))) <= set(found.labels.tolist())


def test_both_commands_go_from_examples_to_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (few_shot, own_genres):
        monkeypatch.setattr(module, "examples_of", lambda _model, _genres: (examples(), LABELS))
    # What they measure has tests of its own.
    monkeypatch.setattr(own_genres, "own_genres", lambda *_: iter(()))
    few_shot.main(["--json", "--genres", "jazz"])
    songs = {one["n_songs"] for one in json.loads(capsys.readouterr().out)}
    assert songs == set(few_shot.N_SONGS)
    own_genres.main(["--json"])
    assert json.loads(capsys.readouterr().out) == []
    assert figures.figures_parser("x", None).parse_args([]).model == "crnn"


@pytest.mark.parametrize(
    ("module", "more", "what"),
    [
        (few_shot, ["--genres", "polka"], "crnn has no polka; its genres are blues, "),
        (few_shot, ["--model", "nowhere"], "no model"),
        (few_shot, ["--model", "cnn"], "cnn"),
        (own_genres, ["--model", "cnn"], "cnn"),
    ],
)
def test_a_model_that_does_not_serve_ends_the_command_with_one_line(
    module: ModuleType, more: list[str], what: str
) -> None:
    with pytest.raises(SystemExit, match=f"error: .*{what}"):
        module.main(more)
