from __future__ import annotations

import numpy as np
import pytest

from training.scoring.metrics import (
    bootstrap_interval,
    confusion_matrix,
    expected_calibration_error,
    genre_scores,
    reliability_bins,
    wilson_interval,
)


def test_confusion_counts_truth_in_rows_and_predictions_in_columns() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)

    assert confusion.tolist() == [[1, 1], [0, 1]]


def test_what_was_recognised_as_no_genre_counts_against_recall() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1]), 2)

    assert confusion.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert genre_scores(confusion)[0].recall == 0.5


def test_precision_recall_and_f1_have_their_textbook_values() -> None:
    first, second, never = genre_scores(np.array([[8, 2, 0], [4, 6, 0], [0, 1, 0]]))

    assert (first.precision, first.recall, first.n) == (pytest.approx(8 / 12), 0.8, 10)
    assert first.f1 == pytest.approx(2 * (8 / 12) * 0.8 / (8 / 12 + 0.8))
    assert second.precision == pytest.approx(6 / 9)
    assert (never.precision, never.recall, never.f1) == (0.0, 0.0, 0.0)


def test_calibration_error_is_zero_when_confidence_is_accuracy() -> None:
    probabilities = np.tile([0.75, 0.25], (4, 1)).astype(np.float32)
    truth = np.array([0, 0, 0, 1])

    assert expected_calibration_error(reliability_bins(probabilities, truth)) == pytest.approx(0.0)


def test_calibration_error_of_overconfidence_is_the_weighted_gap() -> None:
    # Three quarters with confidence 1 and accuracy 2/3, a quarter with 0.6 and 1.
    probabilities = np.array([[1.0, 0.0]] * 3 + [[0.6, 0.4]], dtype=np.float32)
    truth = np.array([0, 0, 1, 0])

    ece = expected_calibration_error(reliability_bins(probabilities, truth))

    assert ece == pytest.approx(0.75 * (1 / 3) + 0.25 * 0.4, abs=1e-6)


def test_wilson_interval_matches_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert wilson_interval(81, 263) == (
        pytest.approx(0.2553, abs=1e-4),
        pytest.approx(0.3662, abs=1e-4),
    )
    assert wilson_interval(0, 20) == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.1611, abs=1e-4))


def test_bootstrap_takes_a_tracks_windows_as_one_draw() -> None:
    # Ten windows of each track agree, so a hundred windows tell no more than ten tracks.
    right = np.repeat([True, False] * 5, 10)
    tracks = np.repeat(np.arange(10), 10)

    low, high = bootstrap_interval(right, tracks)
    low_if_independent, high_if_independent = bootstrap_interval(right, np.arange(100))

    assert low < 0.25
    assert high > 0.75
    assert high - low > 2 * (high_if_independent - low_if_independent)


def test_bootstrap_of_a_perfect_model_is_certain() -> None:
    assert bootstrap_interval(np.ones(20, dtype=bool), np.arange(20)) == (1.0, 1.0)
