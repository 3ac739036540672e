from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.model.features import at_usual_level, hann_window, log_mel_spectrogram
from rtgenre.model.filter_banks import htk_filter_bank
from tests.signals import music, noise
from training.frontends.spectra import (
    centred_hann,
    power_spectrogram,
    yamnet_log_mel,
)

SIGNALS = {"music": music(rate_hz=16000), "noise": noise(rate_hz=16000)}


def tensorflows_log_mel(waveform: np.ndarray) -> np.ndarray:
    """Hear as YAMNet's own ``features.py`` does."""
    spectrum = tf.signal.stft(
        at_usual_level(waveform), frame_length=400, frame_step=160, fft_length=512
    )
    filters = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0)
    return np.asarray(tf.math.log(tf.matmul(tf.abs(spectrum), filters) + 0.001))


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    """Allow more where next to nothing sounds: there both transforms' rounding shows."""
    heard = expected > np.log(0.01)
    np.testing.assert_allclose(found[heard], expected[heard], atol=1e-4)
    np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.mark.parametrize("name", SIGNALS)
def test_yamnets_features_equal_tensorflows(name: str) -> None:
    found = log_mel_spectrogram(SIGNALS[name], YAMNET_FEATURES)
    expected = tensorflows_log_mel(SIGNALS[name])
    assert_close(found, expected)


def test_yamnets_filters_equal_tensorflows() -> None:
    expected = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0)
    np.testing.assert_allclose(htk_filter_bank(YAMNET_FEATURES), np.asarray(expected), atol=1e-5)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_teacher_hears_what_the_service_hears(name: str) -> None:
    waveform = at_usual_level(SIGNALS[name])
    found = keras.ops.convert_to_numpy(yamnet_log_mel(waveform[None]))[0]
    assert_close(found, log_mel_spectrogram(waveform, YAMNET_FEATURES))


def test_a_centred_spectrogram_has_its_first_frame_around_the_beginning() -> None:
    click = np.zeros((1, 2048), np.float32)
    click[0, 0] = 1.0
    power = keras.ops.convert_to_numpy(
        power_spectrogram(click, hann_window(512), 256, 512, centred=True)
    )
    assert power.shape == (1, 9, 257)
    assert power[0].sum(axis=1).argmax() == 0


def test_a_centred_window_is_symmetric_with_zeros_on_both_sides() -> None:
    window = centred_hann(800, 1024)
    assert len(window) == 1024
    np.testing.assert_allclose(window, window[::-1], atol=1e-6)
    assert not window[:112].any()
