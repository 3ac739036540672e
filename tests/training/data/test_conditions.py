from __future__ import annotations

import numpy as np
import pytest

from tests.training.conftest import tone
from training.data.acoustics import (
    SAMPLE_RATE_HZ,
    add_at_snr,
    band_pass,
    coloured_noise,
    random_equaliser,
    reverberate,
    rms,
)
from training.data.conditions import CONDITIONS

RNG_SEED = 5


def level_db(waveform: np.ndarray) -> float:
    return float(20 * np.log10(rms(waveform)))


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_no_condition_changes_length_or_breaks_samples(name: str) -> None:
    waveform = tone(440.0, 5.0)

    changed = CONDITIONS[name](waveform, np.random.default_rng(RNG_SEED))

    assert changed.shape == waveform.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()


@pytest.mark.parametrize("name", ["pink_noise_10db", "white_noise_10db"])
def test_noise_lies_ten_decibels_below_the_music(name: str) -> None:
    waveform = tone(440.0, 5.0)

    noise = CONDITIONS[name](waveform, np.random.default_rng(RNG_SEED)) - waveform

    assert level_db(waveform) - level_db(noise) == pytest.approx(10.0, abs=0.01)


def test_the_quiet_condition_is_thirty_decibels_down() -> None:
    waveform = tone(440.0, 5.0)

    quiet = CONDITIONS["gain_minus_30db"](waveform, np.random.default_rng(RNG_SEED))

    assert level_db(waveform) - level_db(quiet) == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize(("hz", "passes"), [(100.0, False), (1000.0, True), (8000.0, False)])
def test_the_phone_passes_the_middle_only(hz: float, passes: bool) -> None:
    times = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sine = np.sin(2 * np.pi * hz * times).astype(np.float32)

    loss_db = level_db(sine) - level_db(
        CONDITIONS["phone_band"](sine, np.random.default_rng(RNG_SEED))
    )

    assert loss_db < 0.5 if passes else loss_db > 20.0


def test_mp3_keeps_the_music_and_loses_something() -> None:
    waveform = tone(440.0, 5.0)

    decoded = CONDITIONS["mp3_64kbps"](waveform, np.random.default_rng(RNG_SEED))

    error = decoded - waveform
    assert np.abs(error).max() > 0.0
    assert level_db(waveform) - level_db(error) > 10.0


def test_coloured_noise_has_the_slope_that_it_is_asked_for() -> None:
    noise = coloured_noise(np.random.default_rng(RNG_SEED), 10 * SAMPLE_RATE_HZ, -3.0)

    octaves = [level_db(band_pass(noise, low, 2 * low)) for low in (200.0, 400.0, 800.0, 1600.0)]

    # Pink noise has the same power in every octave.
    np.testing.assert_allclose(octaves, octaves[0], atol=0.5)
    assert rms(noise) == pytest.approx(1.0, abs=1e-3)


def test_a_rooms_tail_sounds_on_after_the_sound_and_dies_away() -> None:
    click = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
    click[0] = 1.0

    wet = reverberate(click, np.random.default_rng(RNG_SEED), 0.5, direct_db=0.0)

    early, late = wet[100:2000], wet[8000:10000]
    assert level_db(early) - level_db(late) == pytest.approx(
        60 * (8000 - 50) / (SAMPLE_RATE_HZ / 2), abs=3
    )
    assert np.abs(wet[SAMPLE_RATE_HZ // 2 + 1 :]).max() < 1e-6


def test_an_equaliser_stays_within_its_range() -> None:
    noise = coloured_noise(np.random.default_rng(RNG_SEED), 5 * SAMPLE_RATE_HZ, 0.0)

    coloured = random_equaliser(noise, np.random.default_rng(1), range_db=6.0)

    assert abs(level_db(coloured) - level_db(noise)) < 6.0
    assert not np.allclose(coloured, noise, atol=0.01)


def test_a_lower_snr_adds_more_noise() -> None:
    waveform = tone(440.0, 1.0)
    noise = coloured_noise(np.random.default_rng(RNG_SEED), len(waveform), 0.0)

    added = [rms(add_at_snr(waveform, noise, snr_db) - waveform) for snr_db in (0.0, 20.0)]

    assert added[0] / added[1] == pytest.approx(10.0, rel=1e-3)
