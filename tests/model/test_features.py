import numpy as np
import pytest

from rtgenre.model.feature_params import (
    MUSICNN_FEATURES,
    TWO_EARS_FEATURES,
    YAMNET_FEATURES,
    FeatureParams,
)
from rtgenre.model.features import at_usual_level, log_mel_spectrogram, mel_power_spectrogram
from tests.signals import music, noise, tone

PARAMS = FeatureParams()

SIGNALS = {
    "noise": noise(),
    "tone": tone(),
    "music": music(),
    "quiet music": 1e-3 * music(),
    "click": np.eye(1, 88200, 30000, dtype=np.float32)[0],
}


@pytest.mark.parametrize("name", SIGNALS)
def test_features_equal_librosas_to_1e_4(name, librosa):
    waveform = SIGNALS[name]
    power = librosa.feature.melspectrogram(
        y=waveform, sr=22050, n_fft=2048, hop_length=914, n_mels=128, center=False
    )
    expected = librosa.power_to_db(power, ref=np.max, amin=1e-20, top_db=80).T
    features = log_mel_spectrogram(waveform, PARAMS)
    assert features.dtype == np.float32
    # Far below the loudest bin float32 rounding itself differs by more than 1e-4 dB.
    audible = expected > -70
    np.testing.assert_allclose(features[audible], expected[audible], atol=1e-4)
    np.testing.assert_allclose(features, expected, atol=0.05)


def test_shape_is_what_the_parameters_promise():
    assert log_mel_spectrogram(noise(4.0), PARAMS).shape == (PARAMS.n_frames, PARAMS.n_mels)
    assert PARAMS.n_frames == 95
    assert PARAMS.window_samples == 88200


@pytest.mark.parametrize("gain", [0.01, 0.1, 10])
def test_a_quiet_and_a_loud_recording_give_the_same_features(gain):
    waveform = music()
    expected = log_mel_spectrogram(waveform, PARAMS)
    changed = log_mel_spectrogram(np.float32(gain) * waveform, PARAMS)
    np.testing.assert_allclose(changed, expected, atol=0.05)


def test_features_stay_within_their_range():
    features = log_mel_spectrogram(music(), PARAMS)
    assert features.max() == 0
    assert features.min() >= -PARAMS.top_db


def test_digital_silence_is_finite():
    assert (log_mel_spectrogram(np.zeros(88200, dtype=np.float32), PARAMS) == 0).all()


def test_frames_do_not_depend_on_what_follows_them():
    waveform = music(8.0)
    whole = mel_power_spectrogram(waveform, PARAMS)
    part = mel_power_spectrogram(waveform[:88200], PARAMS)
    np.testing.assert_allclose(part, whole[: len(part)], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("shape", [(2047,), (2, 88200), (0,)])
def test_a_waveform_that_does_not_fit_is_refused_with_its_shape(shape):
    with pytest.raises(ValueError, match="shape"):
        log_mel_spectrogram(np.zeros(shape, dtype=np.float32), PARAMS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fmax_hz": 12000}, "half the sample rate, 11025 Hz"),
        ({"hop_length": 0}, "hop_length is 0"),
        ({"hop_length": 4096}, "hop_length is 4096"),
        ({"window_seconds": 0.05}, "one frame alone needs 2048"),
        ({"n_mels": 0}, "n_mels is 0"),
        ({"top_db": 0}, "top_db is 0"),
    ],
)
def test_impossible_parameters_are_refused_with_the_value(change, message):
    with pytest.raises(ValueError, match=message):
        FeatureParams(**change)


def test_yamnets_features_have_100_frames_a_second():
    assert (YAMNET_FEATURES.n_frames, YAMNET_FEATURES.n_mels) == (398, 64)
    heard = log_mel_spectrogram(noise()[: YAMNET_FEATURES.window_samples], YAMNET_FEATURES)
    assert heard.shape == (398, 64)
    assert heard.dtype == np.float32


@pytest.mark.parametrize("gain_db", [-30, 12])
def test_yamnets_features_of_a_quiet_and_a_loud_recording_are_the_same(gain_db):
    waveform = music()[:64000]
    expected = log_mel_spectrogram(waveform, YAMNET_FEATURES)
    found = log_mel_spectrogram(np.float32(10 ** (gain_db / 20)) * waveform, YAMNET_FEATURES)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_constant_in_quiet_music_is_not_taken_for_its_level():
    waveform = 0.01 * music(rate_hz=YAMNET_FEATURES.sample_rate_hz)
    expected = log_mel_spectrogram(waveform, TWO_EARS_FEATURES)
    found = log_mel_spectrogram(waveform + np.float32(0.03), TWO_EARS_FEATURES)
    assert np.abs(found - expected).mean() < 5e-3


def test_yamnets_features_of_digital_silence_are_finite_and_of_hiss_not_raised_to_music():
    silence = log_mel_spectrogram(np.zeros(64000, np.float32), YAMNET_FEATURES)
    np.testing.assert_allclose(silence, np.log(0.001), atol=1e-5)
    hiss = log_mel_spectrogram(1e-7 * noise()[:64000], YAMNET_FEATURES)
    assert hiss.max() < log_mel_spectrogram(noise()[:64000], YAMNET_FEATURES).mean()


@pytest.mark.parametrize("hz", [300.0, 1000.0, 4000.0])
def test_a_tone_is_loudest_in_the_band_where_yamnet_expects_it(hz):
    waveform = np.sin(2 * np.pi * hz * np.arange(16000) / 16000).astype(np.float32)
    heard = log_mel_spectrogram(waveform, YAMNET_FEATURES)
    edges = np.linspace(*1127 * np.log1p(np.array([125.0, 7500.0]) / 700), 66)
    expected = np.abs(edges[1:-1] - 1127 * np.log1p(hz / 700)).argmin()
    assert abs(int(heard.mean(axis=0).argmax()) - expected) <= 1


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ValueError, match="recipe is 'mfcc'; it must be one of librosa, yamnet"):
        FeatureParams(recipe="mfcc")


def test_musicnns_features_equal_librosas(librosa):
    waveform = music(rate_hz=16000)
    power = librosa.feature.melspectrogram(
        y=at_usual_level(waveform),
        sr=16000,
        n_fft=512,
        hop_length=256,
        n_mels=96,
        pad_mode="reflect",
    )
    found = log_mel_spectrogram(waveform, MUSICNN_FEATURES)
    assert found.shape == MUSICNN_FEATURES.shape == (251, 96)
    np.testing.assert_allclose(found, np.log10(1 + 10000 * power.T), atol=1e-3)


def test_two_ears_get_both_spectrograms_one_behind_the_other():
    waveform = music(rate_hz=16000)
    found = log_mel_spectrogram(waveform, TWO_EARS_FEATURES)
    assert found.shape == TWO_EARS_FEATURES.shape == (398 * 64 + 251 * 96,)
    first, second = found[: 398 * 64], found[398 * 64 :]
    np.testing.assert_array_equal(first, log_mel_spectrogram(waveform, YAMNET_FEATURES).ravel())
    np.testing.assert_array_equal(second, log_mel_spectrogram(waveform, MUSICNN_FEATURES).ravel())
