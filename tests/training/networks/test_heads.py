from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from rtgenre.model.classifier import LiteRtNetwork
from tests.training.libraries import quick_ear
from training.networks.fitting import Examples
from training.networks.heads import (
    build_embedding,
    build_heads,
    build_linear_head,
    chain,
    with_probabilities,
)
from training.networks.tempering import fit_tempering
from training.networks.voices import Voices
from training.release.tflite import convert, fast_network

if TYPE_CHECKING:
    from pathlib import Path

N_LABELS = 3
EMBEDDING_SIZE = 4
N_STEPS, N_VALUES = 12, 8 + 2
SECOND_SHAPE = (20, 6)


def whole_ear() -> keras.Model:
    """An ear that says something of the whole window alone."""
    window = keras.Input(SECOND_SHAPE)
    values = keras.layers.AveragePooling1D(10)(window)
    return keras.Model(window, keras.layers.Reshape((1, 2))(values[:, :, 0]))


def heard_by_both(windows: np.ndarray) -> np.ndarray:
    """What both ears hear of flat windows, worked out by hand."""
    first = np.asarray(quick_ear()(windows[:, : 398 * 64].reshape(-1, 398, 64)))
    second = np.asarray(whole_ear()(windows[:, 398 * 64 :].reshape(-1, *SECOND_SHAPE)))
    return np.concatenate([first, np.repeat(second, N_STEPS, axis=1)], axis=2)


@pytest.fixture(scope="module")
def heads() -> list[keras.Model]:
    return [build_heads(N_STEPS, N_VALUES, N_LABELS, dense_units=6, lstm_units=4) for _ in range(2)]


@pytest.fixture(scope="module")
def linear() -> keras.Model:
    head = build_linear_head(N_STEPS, N_VALUES, N_LABELS + 2)
    for layer in ("alone", "talked_over"):
        kernel, bias = head.get_layer(layer).get_weights()
        # All music is familiar: distance can only take from that.
        head.get_layer(layer).set_weights([kernel, bias + np.eye(N_LABELS + 2)[-1] * 9.0])
    return head


@pytest.fixture(scope="module")
def embedding() -> keras.Model:
    return build_embedding(N_STEPS, N_VALUES, EMBEDDING_SIZE)


@pytest.fixture(scope="module")
def tempering(embedding: keras.Model) -> keras.Model:
    steps = np.random.default_rng(4).normal(size=(40, N_STEPS, N_VALUES)).astype(np.float16)
    examples = Examples(
        copies=[steps],
        genres=np.arange(40) % N_LABELS,
        is_music=np.ones(40, np.float32),
        weights=np.ones(40, np.float32),
        recording_index=np.arange(40),
        n_labels=N_LABELS,
    )
    return fit_tempering(examples, embedding, N_LABELS + 2, weight=0.5, least=-3.0)


@pytest.fixture(scope="module")
def voices(
    heads: list[keras.Model],
    linear: keras.Model,
    embedding: keras.Model,
    tempering: keras.Model,
) -> Voices:
    return Voices(heads, linear, embedding, tempering)


@pytest.fixture(scope="module")
def model(voices: Voices) -> keras.Model:
    return chain([quick_ear(), whole_ear()], voices)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(2).uniform(-6, 2, (3, 398 * 64 + 20 * 6)).astype(np.float32)


def probabilities(
    model: keras.Model,
    windows: np.ndarray,
    temperature: float = 1.0,
    offsets: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    made = with_probabilities(model, N_LABELS, temperature=temperature, offsets=offsets)
    return np.asarray(made(windows))


def test_heads_give_a_logit_a_genre_and_two_further_ones(heads: list[keras.Model]) -> None:
    assert heads[0].output_shape == (None, N_LABELS + 2)


def test_the_order_of_the_steps_matters(heads: list[keras.Model]) -> None:
    steps = np.random.default_rng(3).normal(size=(1, N_STEPS, N_VALUES)).astype(np.float32)
    backwards = steps[:, ::-1].copy()
    assert not np.allclose(np.asarray(heads[0](steps)), np.asarray(heads[0](backwards)), atol=1e-5)


def test_values_are_standardised_by_the_moments_that_are_given() -> None:
    made = build_heads(N_STEPS, N_VALUES, N_LABELS, dense_units=6, lstm_units=4)
    steps = np.random.default_rng(3).normal(size=(1, N_STEPS, N_VALUES)).astype(np.float32)
    made.get_layer("standardise").set_weights([np.zeros(N_VALUES), np.ones(N_VALUES)])
    before = np.asarray(made(steps))
    made.get_layer("standardise").set_weights([np.full(N_VALUES, 5.0), np.full(N_VALUES, 4.0)])
    np.testing.assert_allclose(np.asarray(made(2 * steps + 5)), before, atol=2e-3)


def test_the_linear_head_weighs_four_times_as_much_as_all_recurrent_ones(
    model: keras.Model, heads: list[keras.Model], linear: keras.Model, windows: np.ndarray
) -> None:
    steps = heard_by_both(windows)
    recurrent = np.mean([np.asarray(one(steps)) for one in heads], axis=0)
    expected = recurrent / 5 + np.asarray(linear(steps)) * 4 / 5
    logits = np.asarray(model(windows))[:, : N_LABELS + 1]
    np.testing.assert_allclose(logits, expected[:, :-1], atol=1e-5)


def test_what_is_far_from_the_genres_is_less_familiar_in_the_network_as_in_trials(
    model: keras.Model, voices: Voices, linear: keras.Model, windows: np.ndarray
) -> None:
    steps = heard_by_both(windows)
    said = voices.say(steps)
    logits = np.asarray(model(windows))[:, : N_LABELS + 2]
    np.testing.assert_allclose(logits, said.together, atol=1e-4)
    assert (said.linear[:, -1] < np.asarray(linear(steps))[:, -1] - 0.1).any()


def test_the_embedding_comes_behind_and_depends_on_the_mean_over_time_alone(
    model: keras.Model, embedding: keras.Model, windows: np.ndarray
) -> None:
    steps = heard_by_both(windows)
    expected = np.asarray(embedding(steps))
    np.testing.assert_allclose(np.asarray(model(windows))[:, N_LABELS + 2 :], expected, atol=1e-5)
    np.testing.assert_allclose(np.asarray(embedding(steps[:, ::-1].copy())), expected, atol=1e-4)
    shipped = probabilities(model, windows, temperature=3.0, offsets=(-1.0, 1.0))
    np.testing.assert_allclose(shipped[:, N_LABELS + 2 :], expected, atol=1e-5)


@pytest.mark.parametrize(("talk_logit", "judged_by"), [(-50, "alone"), (50, "talked_over")])
def test_the_linear_head_is_a_verdict_on_mean_and_maximum_of_music_alone_or_under_talk(
    talk_logit: float, judged_by: str
) -> None:
    head = build_linear_head(N_STEPS, N_VALUES, 2)
    for layer in ("alone", "talked_over"):
        head.get_layer(layer).set_weights([np.full((2 * N_VALUES, 2), 3.0), np.zeros(2)])
    kernel = np.zeros((2 * N_VALUES, 2), np.float32)
    kernel[0, 0] = kernel[N_VALUES, 1] = 1.0
    head.get_layer(judged_by).set_weights([kernel, np.array([0, 5], np.float32)])
    head.get_layer("talk").set_weights([np.zeros((2 * N_VALUES, 1)), np.array([talk_logit])])
    steps = np.random.default_rng(3).normal(size=(4, N_STEPS, N_VALUES)).astype(np.float32)
    expected = np.stack([steps[:, :, 0].mean(axis=1), steps[:, :, 0].max(axis=1) + 5], axis=1)
    np.testing.assert_allclose(np.asarray(head(steps)), expected, rtol=1e-4, atol=1e-5)


def test_genres_sum_to_one_and_music_and_familiar_are_judged_apart(
    model: keras.Model, windows: np.ndarray
) -> None:
    outputs = probabilities(model, windows)
    assert outputs.shape == (3, N_LABELS + 2 + EMBEDDING_SIZE)
    np.testing.assert_allclose(outputs[:, :N_LABELS].sum(axis=1), 1.0, rtol=1e-5)
    further = slice(N_LABELS, N_LABELS + 2)
    logits = np.asarray(model(windows))[:, further]
    np.testing.assert_allclose(outputs[:, further], 1 / (1 + np.exp(-logits)), rtol=1e-4)


def test_a_higher_temperature_only_makes_the_genres_less_sure(
    model: keras.Model, windows: np.ndarray
) -> None:
    sure, unsure = (probabilities(model, windows, temperature) for temperature in (0.1, 10.0))
    np.testing.assert_array_equal(sure[:, :3].argmax(axis=1), unsure[:, :3].argmax(axis=1))
    assert (sure[:, :3].max(axis=1) > unsure[:, :3].max(axis=1)).all()
    np.testing.assert_allclose(sure[:, 3:], unsure[:, 3:], rtol=1e-4)


def test_other_odds_of_music_and_familiar_leave_the_genres(
    model: keras.Model, windows: np.ndarray
) -> None:
    plain = probabilities(model, windows)
    wary = probabilities(model, windows, offsets=(-np.log(4.0), np.log(2.0)))
    np.testing.assert_array_equal(plain[:, :3], wary[:, :3])
    odds, other_odds = (one[:, 3:5] / (1 - one[:, 3:5]) for one in (plain, wary))
    np.testing.assert_allclose(other_odds, odds * [0.25, 2.0], rtol=1e-3)


def test_tflite_gives_the_same_probabilities_as_keras_after_saving(
    model: keras.Model, windows: np.ndarray, tmp_path: Path
) -> None:
    shipped = with_probabilities(model, N_LABELS, temperature=1.5, offsets=(-1.0, 0.5))
    shipped.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    (tmp_path / "model.tflite").write_bytes(convert(loaded))
    found = LiteRtNetwork(tmp_path / "model.tflite", threads=1).run(windows)
    np.testing.assert_allclose(found, np.asarray(shipped(windows)), atol=1e-4)


def test_the_fast_network_gives_what_keras_gives_in_its_shape(windows: np.ndarray) -> None:
    ear = quick_ear()
    spectrograms = windows[:, : 398 * 64].reshape(-1, 398, 64)
    found = fast_network(ear)(spectrograms)
    assert found.shape == (3, N_STEPS, 8)
    np.testing.assert_allclose(found, np.asarray(ear(spectrograms)), atol=1e-4)
