import numpy as np

from rtgenre.features import FeatureParams
from training.musicnn import N_MELS, interpolation, mel_map, resample_kernel


def test_a_resampled_kernel_gives_what_the_kernel_gives_on_interpolated_frames() -> None:
    rng = np.random.default_rng(1)
    rate = 0.386
    frames = rng.normal(size=40)
    kernel = rng.normal(size=7).astype(np.float32)
    taps, left = resample_kernel(kernel, 3, rate)
    centre = 20
    ours = taps @ frames[centre - left : centre - left + len(taps)]
    positions = centre + (np.arange(7) - 3) * rate
    theirs = kernel @ np.interp(positions, np.arange(40), frames)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_kernel_at_its_own_rate_is_left_as_it_is() -> None:
    kernel = np.arange(10, dtype=np.float32).reshape(5, 2)
    taps, left = resample_kernel(kernel, 2, 1.0)
    np.testing.assert_array_equal(taps, kernel)
    assert left == 2


def test_interpolation_keeps_first_and_last_frames_and_lines_straight() -> None:
    matrix = interpolation(95, 2.5)
    line = np.arange(95) @ matrix
    np.testing.assert_allclose(line, np.arange(matrix.shape[1]) / 2.5, atol=1e-4)
    assert matrix.shape[1] == 236


def test_the_mel_map_finds_a_tone_in_the_band_where_musicnn_expects_it() -> None:
    from librosa import mel_frequencies

    params = FeatureParams()
    matrix = mel_map(params)
    assert matrix.shape == (params.n_mels, N_MELS)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, atol=1e-5)
    ours = mel_frequencies(params.n_mels + 2, fmin=0, fmax=params.fmax_hz)[1:-1]
    theirs = mel_frequencies(N_MELS + 2, fmin=0, fmax=8000)[1:-1]
    np.testing.assert_allclose(ours @ matrix, theirs, rtol=0.01)
