from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtgenre.types import Prediction
from training.data.library import OTHER, Recording
from training.scoring.outcome import Outcome, judge, judge_collection, verdicts

LABELS = ("high", "low", "middle")


def recording(name: str, collection: str = "world", *, dull: bool = False) -> Recording:
    genre = name.split(".", maxsplit=1)[0]
    return Recording(name, Path(name), genre, name, dull=dull, collection=collection)


def says(genre: str, sure: float = 0.9, *, music: float = 1.0, familiar: float = 1.0) -> Prediction:
    rest = (1 - sure) / 2
    probabilities = [sure if label == genre else rest for label in LABELS]
    return Prediction(np.array(probabilities, np.float32), music, familiar)


def outcome(*pairs: tuple[Recording, list[Prediction]]) -> Outcome:
    return Outcome(
        LABELS,
        [one for one, _ in pairs],
        [prediction for _, found in pairs for prediction in found],
        np.repeat(np.arange(len(pairs)), [len(found) for _, found in pairs]),
    )


def test_figures_of_known_predictions_are_known() -> None:
    figures = judge_collection(
        outcome(
            (recording("low.1"), [says("low"), says("low"), says("high", 0.5)]),
            (recording("low.2", dull=True), [says("high"), says("high")]),
            (recording("high.1"), [says("high", music=0.0), says("high")]),
        )
    )

    assert figures["n_recordings"] == 3
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["mean_recall"] == pytest.approx((1 / 2 + 1) / 2)  # of genres that occur
    assert figures["accuracy_of_full_rate"] == 1.0
    assert (figures["n_windows"], figures["window_accuracy"]) == (7, pytest.approx(4 / 7))
    assert figures["music_rejected"] == pytest.approx(1 / 7)
    assert figures["per_genre"]["low"]["recall"] == 0.5
    assert figures["per_genre"]["high"]["precision"] == 0.5
    assert "middle" not in figures["per_genre"]
    assert figures["confusion"][LABELS.index("low")][LABELS.index("high")] == 1
    assert figures["accuracy_95"][0] < 2 / 3 < figures["accuracy_95"][1]


def test_the_second_guess_counts_among_the_first_two() -> None:
    second = Prediction(np.array([0.6, 0.3, 0.1], np.float32), 1.0)
    third = Prediction(np.array([0.6, 0.1, 0.3], np.float32), 1.0)
    figures = judge_collection(
        outcome((recording("low.1"), [second]), (recording("low.2"), [third]))
    )
    assert (figures["accuracy"], figures["first_two"]) == (0.0, 0.5)


def test_confidence_that_is_right_as_often_as_it_says_has_no_calibration_error() -> None:
    pairs = [(recording(f"low.{n}"), [says("low" if n < 8 else "high", 0.8)]) for n in range(10)]
    assert judge_collection(outcome(*pairs))["ece"] == pytest.approx(0.0, abs=1e-6)


def test_other_music_is_judged_by_what_a_listener_would_be_shown() -> None:
    other = [recording(f"{OTHER}.{n}") for n in range(4)]
    figures = judge_collection(
        outcome(
            (other[0], [says("low")]),
            (other[1], [says("low", familiar=0.0)]),
            (other[2], [says("low", 0.45)]),
            (other[3], [says("low", music=0.0)]),
        )
    )
    assert figures == {
        "other_music": {
            "n_recordings": 4,
            "shown_as_a_genre": 0.25,
            "taken_for_unfamiliar": 0.25,
        }
    }


def test_collections_are_judged_by_themselves() -> None:
    figures = judge(
        outcome(
            (recording("low.1", "world"), [says("low")]),
            (recording("low.1", "gtzan"), [says("high")]),
            (recording(f"{OTHER}.1", "world"), [says("high")]),
        )
    )
    assert figures["world"]["accuracy"] == 1.0
    assert figures["gtzan"]["accuracy"] == 0.0
    assert "other_music" not in figures["gtzan"]
    assert figures["world"]["other_music"]["shown_as_a_genre"] == 1.0


def test_recordings_that_could_not_be_heard_do_not_count() -> None:
    figures = judge_collection(
        outcome((recording("low.1"), [says("low")]), (recording("low.2"), []))
    )
    assert (figures["n_recordings"], figures["accuracy"]) == (1, 1.0)


def test_windows_go_with_their_recordings_when_some_are_chosen() -> None:
    chosen = outcome(
        (recording("low.1"), [says("low")]),
        (recording("high.1"), [says("high")] * 2),
        (recording("middle.1"), [says("middle")]),
    ).of([2, 1])
    assert [one.genre for one in chosen.recordings] == ["middle", "high"]
    assert [LABELS[one.probabilities.argmax()] for one in verdicts(chosen)] == ["middle", "high"]
