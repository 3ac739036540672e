from __future__ import annotations

import numpy as np
import pytest

from training.data.acoustics import SAMPLE_RATE_HZ, rms
from training.data.disturbance import Disturbance, disturb

TONE = np.sin(2 * np.pi * 1000 * np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
NOTHING = {"noise": 0.0, "narrow": 0.0, "room": 0.0}


def share_above(waveform: np.ndarray, hz: float) -> float:
    power = np.abs(np.fft.rfft(waveform)) ** 2
    above = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE_HZ) > hz
    return float(power[above].sum() / power.sum())


def test_noise_lies_as_far_below_the_sound_as_it_should() -> None:
    options = Disturbance(**{**NOTHING, "noise": 1.0}, snr_db=(10.0, 10.0))
    plain = disturb(TONE, np.random.default_rng(1), Disturbance(**NOTHING))
    noisy = disturb(TONE, np.random.default_rng(1), options)
    assert 20 * np.log10(rms(plain) / rms(noisy - plain)) == pytest.approx(10.0, abs=0.3)


def test_a_small_loudspeaker_has_no_treble() -> None:
    noise = np.random.default_rng(2).standard_normal(len(TONE)).astype(np.float32)
    options = Disturbance(**{**NOTHING, "narrow": 1.0}, high_hz=(3000.0, 3000.0))
    heard = disturb(noise, np.random.default_rng(1), options)
    assert share_above(noise, 6000) > 0.4
    assert share_above(heard, 6000) < 0.02


def test_the_same_chance_gives_the_same_sound_and_another_one_another() -> None:
    first, again, other = (disturb(TONE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == TONE.shape
    assert not np.allclose(first, other)
