import numpy as np
import pytest

from rtgenre.model.feature_params import MUSICNN_FEATURES, YAMNET_FEATURES, FeatureParams
from rtgenre.model.filter_banks import (
    Bands,
    htk_bands,
    htk_filter_bank,
    mel_bands,
    mel_filter_bank,
)
from tests.helper_threads import helpers_are_idle

PARAMS = FeatureParams()

SETUP = """
import numpy as np
from rtgenre.model.feature_params import TWO_EARS_FEATURES, FeatureParams
from rtgenre.model.features import log_mel_spectrogram
params = {params}
waveform = np.ones(params.window_samples, dtype=np.float32)
"""


def test_filter_bank_equals_librosas(librosa):
    for params in [PARAMS, FeatureParams(16000, 512, 256, 96, 20, 8000)]:
        expected = librosa.filters.mel(
            sr=params.sample_rate_hz,
            n_fft=params.frame_length,
            n_mels=params.n_mels,
            fmin=params.fmin_hz,
            fmax=params.fmax_hz,
        )
        np.testing.assert_allclose(mel_filter_bank(params), expected, atol=1e-8)


def test_yamnets_filters_are_triangles_of_height_one_without_the_constant():
    filters = htk_filter_bank(YAMNET_FEATURES)
    assert filters.shape == (257, 64)
    assert not filters[0].any()
    assert 0 <= filters.min() < filters.max() <= 1


@pytest.mark.parametrize(
    ("bands", "filters"),
    [
        (mel_bands(PARAMS), mel_filter_bank(PARAMS).T),
        (mel_bands(MUSICNN_FEATURES), mel_filter_bank(MUSICNN_FEATURES).T),
        (htk_bands(YAMNET_FEATURES), htk_filter_bank(YAMNET_FEATURES)),
    ],
    ids=["librosa", "musicnn", "yamnet"],
)
def test_groups_of_bands_sum_up_what_the_whole_filter_bank_does(bands, filters):
    spectra = np.random.default_rng(0).random((32, len(filters)), dtype=np.float32)
    summed = np.empty((32, filters.shape[1]), dtype=np.float32)
    bands.sum(spectra, summed)
    np.testing.assert_allclose(summed, spectra @ filters, rtol=1e-6)


def test_bands_too_narrow_for_any_bin_are_nought():
    summed = np.ones((2, 20), dtype=np.float32)
    Bands.of(np.zeros((5, 20), dtype=np.float32)).sum(np.ones((2, 5), dtype=np.float32), summed)
    assert not summed.any()


@pytest.mark.parametrize("params", ["TWO_EARS_FEATURES", "FeatureParams()"])
def test_features_wake_no_helper_threads_in_a_program_of_somebody_elses(params):
    assert helpers_are_idle(SETUP.format(params=params), "log_mel_spectrogram(waveform, params)")
