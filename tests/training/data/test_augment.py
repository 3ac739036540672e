import numpy as np
import pytest

from training.data.augment import Augmentation, augment

NOTHING = Augmentation(tempo_pitch=0, reverb=0, noise=0, equaliser=0, band_limit=0, mask=0)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    levels = np.random.default_rng(1).uniform(-60, -10, (20, 95, 128)).astype(np.float32)
    levels[:, 40, 30] = 0.0
    return levels


@pytest.mark.parametrize("seed", range(5))
def test_augmented_windows_look_like_the_live_front_ends(windows: np.ndarray, seed: int) -> None:
    options = Augmentation(mask=0)
    changed = augment(windows, np.random.default_rng(seed), options, babble=windows)
    assert changed.shape == windows.shape
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed.max(axis=(1, 2)), 0.0, atol=1e-5)
    assert changed.min() >= -80.0
    assert not np.allclose(changed, windows)


def test_with_every_chance_at_nought_nothing_changes(windows: np.ndarray) -> None:
    changed = augment(windows, np.random.default_rng(1), NOTHING)
    np.testing.assert_allclose(changed, windows, atol=1e-3)


def test_reverberation_only_adds_after_a_sound() -> None:
    click = np.full((1, 95, 128), -80.0, np.float32)
    click[:, 40] = 0.0
    rooms = Augmentation(tempo_pitch=0, reverb=1, noise=0, equaliser=0, band_limit=0, mask=0)
    wet = augment(click, np.random.default_rng(1), rooms)[0]
    assert (wet[:40] <= -79.0).all()
    assert (wet[41] > -40.0).all()
    assert (np.diff(wet[41:, 0]) <= 0).all()


def test_noise_fills_quiet_stretches_and_leaves_loud_ones() -> None:
    half = np.full((1, 95, 128), -80.0, np.float32)
    half[:, :50] = 0.0
    noisy = Augmentation(
        tempo_pitch=0, reverb=0, noise=1, snr_db=(20, 20), equaliser=0, band_limit=0, mask=0
    )
    changed = augment(half, np.random.default_rng(1), noisy)[0]
    assert (changed[60:] > -80.0).mean() > 0.9
    assert np.median(changed[:50]) > -15.0


def test_the_windows_given_are_left_alone(windows: np.ndarray) -> None:
    before = windows.copy()
    augment(windows, np.random.default_rng(3), Augmentation())
    np.testing.assert_array_equal(windows, before)
