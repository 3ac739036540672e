import numpy as np
import pytest

from training.data.acoustics import SAMPLE_RATE_HZ, band_pass, coloured_noise, rms
from training.data.coding import through_mp3

NOISE = band_pass(coloured_noise(np.random.default_rng(1), 4 * SAMPLE_RATE_HZ, -3.0), 100.0, 3000.0)


def loss_db(kept: np.ndarray) -> float:
    return 20.0 * float(np.log10(rms(kept - NOISE) / rms(NOISE)))


@pytest.mark.parametrize("kbps", [32, 48, 56, 112])
def test_an_mp3_is_as_long_as_its_sound_and_not_late(kbps: int) -> None:
    kept = through_mp3(NOISE, kbps)
    assert kept.shape == NOISE.shape
    assert kept.dtype == np.float32
    assert loss_db(kept) < -6.0


def test_the_more_bits_an_mp3_has_the_less_it_loses() -> None:
    lost = [loss_db(through_mp3(NOISE, kbps)) for kbps in (32, 64, 112)]
    assert lost == sorted(lost, reverse=True)
