from __future__ import annotations

from dataclasses import replace
from typing import Any

from rtgenre.model.feature_params import TWO_EARS_FEATURES
from rtgenre.model.info import ModelInfo
from training.release.crnn_card import crnn_credits, recordings_card, recordings_summary

LIVE = {
    "right_share": 0.5,
    "minutes": 12.0,
    "settled_right_share": 0.75,
    "wrong_switches_per_minute": 0.25,
    "dropouts_per_minute": 0.125,
    "median_seconds_to_change": 7.0,
}


def known(accuracy: float) -> dict[str, Any]:
    return {
        "n_recordings": 40,
        "accuracy": accuracy,
        "accuracy_95": [0.5, 0.9],
        "mean_recall": 0.66,
        "first_two": 0.88,
        "accuracy_of_full_rate": None,
        "taken_for_unfamiliar": 0.05,
        "n_windows": 400,
        "window_accuracy": 0.61,
        "window_accuracy_95": [0.5, 0.7],
        "ece": 0.034,
        "music_rejected": 0.01,
        "per_genre": {
            "low": {"n": 20, "recall": 0.7, "recall_95": [0.5, 0.8], "precision": 0.6},
        },
    }


SCORES: dict[str, Any] = {
    "collections": {
        "world": {
            **known(0.77),
            "other_music": {
                "n_recordings": 9,
                "shown_as_a_genre": 0.2,
                "taken_for_unfamiliar": 0.4,
            },
        },
        "gtzan": known(0.81),
    },
    "live": {"world": LIVE, "gtzan": {}},
    "negatives": {"n_windows": 10, "shown_share": 0.02, "by_kind": {"speech": 0.03}},
    "export": {
        "float32_largest_difference": 1e-6,
        "float16_points_lost": 0.0,
        "mixed_points_lost": 1.2,
        "shipped": "float16",
        "tflite_bytes": 2_500_000,
    },
}
INFO = ModelInfo(
    "crnn",
    "7",
    ("high", "low"),
    TWO_EARS_FEATURES,
    has_music_output=True,
    has_familiar_output=True,
    data={"music": "tones"},
    scores=SCORES,
)


def test_the_card_says_what_goes_in_what_comes_out_and_how_good_it_is() -> None:
    card = recordings_card(INFO, "An ear.", crnn_credits())
    assert card.startswith("# crnn 7")
    assert "`(1, 49568)` float32, the spectrograms of YAMNet and of musicnn" in card
    assert "Out: `(1, 4)`, probabilities of high, low" in card
    assert "| recordings right | 77.0% of 40 (95 %: 50.0% to 90.0%) | 81.0% of 40" in card
    assert "| world | low | 70% of 20 | 50% to 80% | 60% |" in card
    assert "talk, noise and silence taken for music | 2.0%" in card
    assert "float16 ships, 2.5 MB" in card
    assert "![gtzan](confusion-gtzan.png)" in card
    assert "## By five folds" not in card


def test_a_collection_without_a_figure_leaves_its_cell_empty() -> None:
    card = recordings_card(INFO, "An ear.", ())
    assert "| other music shown as a genre with more than 0.5 | 20.0% of 9 |  |" in card
    assert "| of full sample rate |  |  |" in card
    assert "| live: wrong switches a minute | 0.25 |  |" in card


def test_cross_validation_stands_beside_its_yardstick() -> None:
    folds = {
        "temperature": 1.0,
        "world": known(0.72),
        "recurrent": {"world": known(0.71)},
        "yardstick": {"world": known(0.69)},
    }
    info = replace(INFO, scores={**SCORES, "training_cross_validation": folds})
    card = recordings_card(info, "An ear.", ())
    assert "| the model | world | 72.0% of 40" in card
    assert "| its recurrent part alone | world | 71.0% of 40" in card
    assert "| logistic regression | world | 69.0% of 40" in card


def test_the_summary_names_every_collection() -> None:
    lines = recordings_summary(SCORES).splitlines()
    assert any(line.startswith("world: recordings right") and "77.0%" in line for line in lines)
    assert any(line.startswith("gtzan: recordings right") and "81.0%" in line for line in lines)
    assert any(line.startswith("world: live: right genre shown") for line in lines)


def test_everything_that_went_in_has_a_licence() -> None:
    credits_ = "\n".join(crnn_credits())
    for word in ("Apache-2.0", "MIT", "ISC", "GTZAN"):
        assert word in credits_
