import librosa
import numpy as np
import pytest

from rtgenre.features import (
    FeatureParams,
    log_mel_spectrogram,
    mel_filter_bank,
    mel_power_spectrogram,
)
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
def test_features_equal_librosas_to_1e_4(name):
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


def test_filter_bank_equals_librosas():
    for params in [PARAMS, FeatureParams(16000, 512, 256, 96, 20, 8000)]:
        expected = librosa.filters.mel(
            sr=params.sample_rate_hz,
            n_fft=params.frame_length,
            n_mels=params.n_mels,
            fmin=params.fmin_hz,
            fmax=params.fmax_hz,
        )
        np.testing.assert_allclose(mel_filter_bank(params), expected, atol=1e-8)


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
