import numpy as np

from rtgenre.features import FeatureParams, log_mel_spectrogram
from tests.training.conftest import tone
from training.yamnet import N_MELS, SAMPLE_RATE_HZ, amplitude_map, frame_centres_seconds, log_mel

PARAMS = FeatureParams()


def test_a_tone_is_loudest_in_the_band_where_yamnet_expects_it() -> None:
    times = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for hz in (300.0, 1000.0, 4000.0):
        heard = log_mel(np.sin(2 * np.pi * hz * times).astype(np.float32))
        edges = np.linspace(*1127 * np.log1p(np.array([125.0, 7500.0]) / 700), N_MELS + 2)
        expected = np.abs(edges[1:-1] - 1127 * np.log1p(hz / 700)).argmin()
        assert heard.shape == (98, N_MELS)
        assert abs(int(heard.mean(axis=0).argmax()) - expected) <= 1


def test_our_spectrogram_of_noise_is_mapped_to_what_yamnet_hears_of_it() -> None:
    rng = np.random.default_rng(1)
    noise = 0.1 * rng.standard_normal(PARAMS.window_samples).astype(np.float32)
    decibels = log_mel_spectrogram(noise, PARAMS)
    # One value of the spectrogram fixes the level, which the window has lost.
    theirs = log_mel(np.interp(np.arange(0, 4, 1 / 16000), np.arange(len(noise)) / 22050, noise))
    ours = np.log(10 ** (decibels / 20) @ amplitude_map(PARAMS))
    difference = theirs.mean(axis=0) - ours.mean(axis=0)
    middle = slice(4, 40)  # above, interpolating the samples has dulled the noise
    assert np.ptp(difference[middle]) < 0.7


def test_frames_are_a_hundredth_of_a_second_apart_from_the_middle_of_the_first() -> None:
    np.testing.assert_allclose(frame_centres_seconds(3), [0.0125, 0.0225, 0.0325])


def test_a_louder_sound_is_heard_louder_by_the_same_amount_in_every_band() -> None:
    sound = tone(900.0, 1.0)[:16000]
    difference = log_mel(10 * sound) - log_mel(sound)
    loud = log_mel(sound) > np.log(0.05)
    np.testing.assert_allclose(difference[loud], np.log(10), atol=0.05)
