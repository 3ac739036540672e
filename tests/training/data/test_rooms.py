from __future__ import annotations

import numpy as np
import pytest

from rtgenre.model.feature_params import MUSICNN_FEATURES, YAMNET_FEATURES
from rtgenre.model.features import YAMNET_LOG_OFFSET, log_mel_spectrogram
from tests.signals import music
from training.data.rooms import RoomParams, Rooms, musicnn_scale

NOTHING = RoomParams(equaliser_db=0, dull=0, thin=0, noise=0, reverb=0, mask=0)
FLOOR = np.log(YAMNET_LOG_OFFSET)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    one = log_mel_spectrogram(music(rate_hz=16000), YAMNET_FEATURES)
    return np.stack([one] * 16)


def through(rooms: Rooms, windows: np.ndarray) -> np.ndarray:
    return np.asarray(rooms(windows, training=True))


def level(windows: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(np.exp(windows)).mean(axis=(1, 2)))


def test_nothing_changes_when_the_ear_is_not_being_taught(windows: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(Rooms()(windows, training=False)), windows)


def test_every_window_of_a_batch_goes_through_a_room_of_its_own(windows: np.ndarray) -> None:
    changed = through(Rooms(seed=1), windows)
    assert changed.shape == windows.shape
    assert np.isfinite(changed).all()
    assert not np.allclose(changed[0], windows[0], atol=0.1)
    assert not np.allclose(changed[0], changed[1], atol=0.1)


def test_the_seed_decides_the_rooms(windows: np.ndarray) -> None:
    first, again, other = (through(Rooms(seed=seed), windows[:2]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_rooms_keep_the_level_as_the_live_features_do(windows: np.ndarray) -> None:
    changed = through(Rooms(RoomParams(mask=0)), windows)
    np.testing.assert_allclose(level(changed), level(windows), rtol=0.02)


def test_with_every_change_at_nought_nothing_changes(windows: np.ndarray) -> None:
    np.testing.assert_allclose(through(Rooms(NOTHING), windows), windows, atol=1e-3)


def test_reverberation_only_adds_after_a_sound() -> None:
    click = np.full((1, 398, 64), FLOOR, np.float32)
    click[:, 100] = 2.0
    params = RoomParams(equaliser_db=0, dull=0, thin=0, noise=0, reverb=1, mask=0)
    wet = through(Rooms(params), click)[0]
    assert wet[101:110].min() > wet[:100].max() + 1.0
    assert (np.diff(wet[101:160, 0]) <= 1e-4).all()


def test_a_mask_silences_whole_bands_and_frames_and_nothing_else(windows: np.ndarray) -> None:
    params = RoomParams(equaliser_db=0, dull=0, thin=0, noise=0, reverb=0, mask=1)
    changed = through(Rooms(params), windows)
    silenced = np.isclose(changed, FLOOR, atol=1e-3) & (windows > FLOOR + 0.1)
    np.testing.assert_allclose(changed[~silenced], windows[~silenced], atol=0.11)
    assert 0 < silenced.mean() < 0.3


def test_both_ears_hear_the_same_room(windows: np.ndarray) -> None:
    scale = musicnn_scale()
    params = RoomParams(dull=0.5, thin=0.5)
    expected = np.asarray(Rooms(params, seed=3)._curve_db(windows))[:, 0]
    found = np.asarray(Rooms(params, seed=3, scale=scale)._curve_db(windows))[:, 0]
    assert found.shape == (16, 96)
    for mine, theirs in zip(found, expected, strict=True):
        at_my_bands = np.interp(scale.positions, np.arange(64), theirs)
        np.testing.assert_allclose(mine, at_my_bands, atol=2.5)  # between bands they may bend


def test_musicnns_spectrograms_come_back_where_nothing_is_changed() -> None:
    one = log_mel_spectrogram(music(rate_hz=16000), MUSICNN_FEATURES)[None]
    found = through(Rooms(NOTHING, scale=musicnn_scale()), one)
    np.testing.assert_allclose(found, one, atol=2e-3)
