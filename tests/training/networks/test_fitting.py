from __future__ import annotations

import numpy as np
import pytest

from training.networks.fitting import (
    NO_GENRE,
    Batches,
    BatchOptions,
    Examples,
    balanced_weights,
    fit_temperature,
    log_probabilities,
    optimiser,
    squared_errors,
    three_part_loss,
)

N_WINDOWS, N_STEPS = 64, 24
PLAIN = BatchOptions(size=64, epoch_windows=640, clean_share=1.0, mixup_alpha=0.0, splice_share=0.0)


def examples(n_copies: int = 1) -> Examples:
    """Windows whose every value is their own number, and of copy ``k`` that plus ``1000 k``."""
    numbers = np.arange(N_WINDOWS, dtype=np.float16)
    steps = np.tile(numbers[:, None, None], (1, N_STEPS, 3))
    genres = np.arange(N_WINDOWS) % 4
    genres[::8] = NO_GENRE
    is_music = np.ones(N_WINDOWS, np.float32)
    is_music[::16] = 0.0
    return Examples(
        copies=[steps + np.float16(100 * copy) for copy in range(n_copies)],
        genres=genres,
        is_music=is_music,
        weights=np.ones(N_WINDOWS, np.float32),
        recording_index=np.arange(N_WINDOWS) // 2,
        n_labels=4,
    )


def batches(found: Examples, **changes: float) -> Batches:
    from dataclasses import replace

    return Batches(found, replace(PLAIN, **changes), seed=1)


def test_targets_say_the_genre_whether_it_is_music_and_whether_it_is_of_a_genre() -> None:
    targets = examples().targets()
    np.testing.assert_array_equal(targets[1], [0, 1, 0, 0, 1, 1])
    np.testing.assert_array_equal(targets[8], [0, 0, 0, 0, 1, 0])  # other music
    np.testing.assert_array_equal(targets[0], [0, 0, 0, 0, 0, 0])  # no music


def test_windows_that_are_selected_keep_what_belongs_to_them() -> None:
    rows = np.array([9, 3])
    chosen = examples(2).select(rows)
    np.testing.assert_array_equal(chosen.copies[1][:, 0, 0], [109, 103])
    np.testing.assert_array_equal(chosen.targets(), examples().targets()[rows])
    np.testing.assert_array_equal(chosen.recording_index, [4, 1])


def test_moments_are_of_music_alone() -> None:
    found = examples()
    music = np.arange(N_WINDOWS)[found.is_music > 0]
    mean, variance = found.moments()
    np.testing.assert_allclose(mean, music.mean(), rtol=1e-3)
    np.testing.assert_allclose(variance, music.var(), rtol=1e-3)


def test_windows_stay_whole_and_keep_their_targets_where_nothing_is_mixed() -> None:
    steps, targets = batches(examples())[0]
    assert (steps == steps[:, :1]).all()
    np.testing.assert_array_equal(targets, examples().targets()[steps[:, 0, 0].astype(int)])


def test_windows_are_drawn_as_often_as_their_weights_say() -> None:
    from dataclasses import replace

    weights = np.ones(N_WINDOWS, np.float32)
    weights[:32] = 3.0
    made = Batches(replace(examples(), weights=weights), PLAIN, seed=1)
    assert (made.order < 32).mean() == pytest.approx(0.75, abs=0.06)
    before = made.order
    made.on_epoch_end()
    assert not np.array_equal(made.order, before)


def test_some_windows_are_heard_through_rooms() -> None:
    steps, _ = batches(examples(3), clean_share=0.25)[0]
    copies = (steps[:, 0, 0] // 100).astype(int)
    assert set(copies) == {0, 1, 2}
    assert (copies == 0).mean() == pytest.approx(0.25, abs=0.15)


def test_spliced_windows_end_with_the_window_whose_genre_is_asked_for() -> None:
    found = examples()
    steps, targets = batches(found, splice_share=1.0)[0]
    ends = steps[:, -1, 0].astype(int)
    np.testing.assert_array_equal(targets, found.targets()[ends])
    n_new = (steps[:, :, 0] == steps[:, -1:, 0]).sum(axis=1)
    assert n_new.min() >= N_STEPS // 4
    assert (n_new < N_STEPS).sum() > N_WINDOWS / 2


def test_music_is_blended_with_music_only_and_targets_alike() -> None:
    steps, targets = batches(examples(), mixup_alpha=1.0)[0]
    numbers = steps[:, 0, 0]
    no_music = targets[:, -2] == 0
    assert no_music.any()
    assert (numbers[no_music] % 16 == 0).all()
    assert set(np.unique(targets[:, -2])) == {0.0, 1.0}
    assert ((targets[:, :4] > 0).sum(axis=1) == 2).any()
    np.testing.assert_allclose(targets[:, :4].sum(axis=1), targets[:, -1], atol=1e-5)


def loss(target: list[float], logits: list[float]) -> float:
    found = three_part_loss(0.0, 0.5, 0.25)(np.array([target], "f"), np.array([logits], "f"))
    return float(np.asarray(found)[0])


def test_the_loss_of_music_of_a_genre_has_three_parts() -> None:
    expected = np.log(3) + 0.5 * np.log(1 + np.e**-2) + 0.25 * np.log(1 + np.e**-1)
    assert loss([1, 0, 0, 1, 1], [0, 0, 0, 2, 1]) == pytest.approx(expected, rel=1e-4)


def test_other_music_has_no_genre_to_be_wrong_about() -> None:
    expected = 0.5 * np.log(1 + np.e**-2) + 0.25 * np.log(1 + np.e)
    assert loss([0, 0, 0, 1, 0], [9, 0, 0, 2, 1]) == pytest.approx(expected, rel=1e-4)


def test_what_is_not_music_is_neither_familiar_nor_not() -> None:
    expected = 0.5 * np.log(1 + np.e**2)
    for familiar in (-5, 5):
        assert loss([0, 0, 0, 0, 0], [9, 0, 0, 2, familiar]) == pytest.approx(expected, rel=1e-4)


def test_the_temperature_that_made_logits_too_sure_is_found() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20000, 4)).astype(np.float32)
    honest = np.exp(log_probabilities(logits, 1.0))
    truth = (honest.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert fit_temperature(2 * logits, np.minimum(truth, 3)) == pytest.approx(2.0, abs=0.1)


def test_probabilities_of_large_logits_stay_finite() -> None:
    logits = np.array([[1000.0, 0.0]], np.float32)
    np.testing.assert_allclose(np.exp(log_probabilities(logits, 0.5)), [[1, 0]], atol=1e-6)


def test_rare_genres_and_sure_labels_are_drawn_more_often() -> None:
    genres = ["low", "low", "low", "low", "high"]
    index = np.array([0, 0, 1, 2, 3, 4, 4, 4])
    weights = balanced_weights(genres, index, [True, True, True, False, True], balance=1, doubt=0.5)
    of_recording = np.bincount(index, weights)
    np.testing.assert_allclose(of_recording, [0.25, 0.25, 0.25, 0.125, 1.0], rtol=1e-5)


def test_the_learning_rate_warms_up_for_an_epoch_and_then_falls() -> None:
    rate = optimiser(1e-2, 0.0, epochs=4, steps_per_epoch=10)._learning_rate
    rates = [float(rate(step)) for step in (0, 10, 25, 40)]
    assert rates[0] < rates[1] == pytest.approx(1e-2)
    assert rates[1] > rates[2] > rates[3]


def test_always_giving_the_mean_costs_one() -> None:
    said = np.random.default_rng(1).normal(3.0, [1.0, 5.0], size=(5000, 2)).astype(np.float32)
    loss = squared_errors(np.array([0.3, 0.7], np.float32), said.std(axis=0))
    found = np.asarray(loss(said, np.tile(said.mean(axis=0), (5000, 1))))
    assert found.mean() == pytest.approx(1.0, abs=1e-3)
