import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rtgenre.audio.samples import DigitalSilenceWatch, Resampler, sanitise, select_channel


def _channels(n_channels: int, n_samples: int = 5) -> np.ndarray:
    samples = np.arange(n_samples * n_channels, dtype=np.float32)
    return samples.reshape(n_samples, n_channels) / samples.size


@pytest.mark.parametrize(
    ("channel", "n_channels", "column"),
    [("left", 2, 0), ("right", 2, 1), ("left", 1, 0), (1, 1, 0), (8, 8, 7), ("right", 8, 1)],
)
def test_the_chosen_channel_is_heard_and_no_other(channel, n_channels, column):
    samples = _channels(n_channels)
    np.testing.assert_array_equal(select_channel(samples, channel), samples[:, column])


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.floats(-1, 1, width=32),
    )
)
def test_mix_is_the_mean_of_all_channels(samples):
    mixed = select_channel(samples, "mix")
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, samples.astype(np.float64).mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(("channel", "n_channels"), [("right", 1), (3, 2), (0, 2), (-1, 2)])
def test_a_channel_that_is_not_there_is_an_error_that_says_how_many_are(channel, n_channels):
    with pytest.raises(ValueError, match=rf"{channel}.* has {n_channels} channel"):
        select_channel(_channels(n_channels), channel)


def test_clean_audio_passes_unchanged_and_uncopied():
    samples = _channels(2) * np.float32(0.9)
    cleaned, n_invalid, n_clipped = sanitise(samples)
    assert cleaned is samples
    assert (n_invalid, n_clipped) == (0, 0)


def test_broken_samples_are_replaced_and_counted():
    samples = np.array([[np.nan, 0.5], [np.inf, -np.inf], [1.5, -3.0], [1.0, 0.2]], np.float32)
    before = samples.copy()
    cleaned, n_invalid, n_clipped = sanitise(samples)
    np.testing.assert_array_equal(
        cleaned, np.array([[0, 0.5], [0, 0], [1, -1], [1, 0.2]], np.float32)
    )
    assert (n_invalid, n_clipped) == (3, 3)
    np.testing.assert_array_equal(samples, before)


@given(hnp.arrays(np.float32, st.integers(0, 50)))
def test_nothing_but_finite_samples_within_full_scale_ever_gets_through(samples):
    cleaned, n_invalid, _ = sanitise(samples)
    assert cleaned.shape == samples.shape
    assert cleaned.dtype == np.float32
    assert np.all(np.abs(cleaned) <= 1.0)
    assert n_invalid == np.count_nonzero(~np.isfinite(samples))


_NOISE = np.random.default_rng(7).standard_normal(9000).astype(np.float32) * np.float32(0.1)


def _resampled(block_sizes: list[int], input_rate_hz: int, *, prompt: bool) -> np.ndarray:
    resampler = Resampler(input_rate_hz, 22050, prompt=prompt)
    output = []
    start = 0
    for size in [*block_sizes, len(_NOISE)]:
        output.append(resampler.push(_NOISE[start : start + size]))
        start += size
    return np.concatenate([*output, resampler.flush()])


@given(
    st.lists(st.integers(0, 3000), max_size=20),
    st.sampled_from([8000, 11025, 22050, 44100, 48000, 96000, 192000]),
    st.booleans(),
)
@settings(deadline=None)
def test_any_block_sizes_resample_to_the_same_samples(block_sizes, input_rate_hz, prompt):
    whole = _resampled([len(_NOISE)], input_rate_hz, prompt=prompt)
    resampled = _resampled(block_sizes, input_rate_hz, prompt=prompt)
    np.testing.assert_array_equal(resampled, whole)
    assert len(whole) == pytest.approx(len(_NOISE) * 22050 / input_rate_hz, abs=1)


@pytest.mark.parametrize("input_rate_hz", [11025, 44100, 48000, 96000])
def test_what_need_not_be_prompt_is_what_training_hears(input_rate_hz):
    training = soxr.resample(_NOISE, input_rate_hz, 22050, "HQ")
    resampled = _resampled([100, 2000, 441], input_rate_hz, prompt=False)
    assert len(resampled) == len(training)
    np.testing.assert_allclose(resampled, training, atol=1e-6)


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("input_rate_hz", [8000, 16000, 44100, 48000, 96000, 192000])
def test_a_tone_keeps_its_pitch_and_level_through_the_resampler(input_rate_hz, prompt):
    seconds = np.arange(input_rate_hz) / input_rate_hz
    tone = (0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
    resampler = Resampler(input_rate_hz, 22050, prompt=prompt)
    output = np.concatenate([resampler.push(tone), resampler.flush()])
    spectrum = np.abs(np.fft.rfft(output * np.hanning(len(output))))
    assert np.argmax(spectrum) * 22050 / len(output) == pytest.approx(440, abs=1)
    assert np.max(np.abs(output[2000:-2000])) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("input_rate_hz", [16000, 44100, 48000, 96000, 192000])
def test_resampled_audio_comes_as_steadily_as_it_is_captured(input_rate_hz):
    resampler = Resampler(input_rate_hz, 22050, prompt=True)
    block = np.zeros(input_rate_hz // 50, dtype=np.float32)  # 20 ms
    n_output = np.cumsum([len(resampler.push(block)) for _ in range(100)])
    lag_seconds = (1 + np.arange(100)) * 0.02 - n_output / 22050
    assert np.max(lag_seconds) < 0.02
    assert np.ptp(lag_seconds[10:]) < 0.001


@pytest.mark.parametrize(
    ("input_rate_hz", "held_ms"), [(22050, 0), (44100, 5), (48000, 12), (8000, 30)]
)
def test_the_resampler_tells_how_much_it_holds(input_rate_hz, held_ms):
    resampler = Resampler(input_rate_hz, 22050, prompt=True)
    held = []
    for _ in range(100):
        output = resampler.push(np.zeros(input_rate_hz // 50, dtype=np.float32))
        held.append(1000 * resampler.held_seconds)
    assert len(output)
    assert held[50:] == pytest.approx([held_ms] * 50, abs=1.0)
    resampler.flush()
    assert resampler.held_seconds == 0


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("input_rate_hz", [44100, 48000, 96000])
def test_what_is_above_the_new_rate_does_not_come_back_as_another_tone(input_rate_hz, prompt):
    seconds = np.arange(input_rate_hz) / input_rate_hz
    tone = np.sin(2 * np.pi * 11_500 * seconds).astype(np.float32)
    resampler = Resampler(input_rate_hz, 22050, prompt=prompt)
    output = np.concatenate([resampler.push(tone), resampler.flush()])
    assert np.max(np.abs(output[2000:-2000])) < 1e-4


def test_after_a_reset_nothing_old_is_heard():
    resampler = Resampler(44100, 22050)
    resampler.push(np.full(1000, 0.9, dtype=np.float32))
    resampler.reset()
    zeros = np.zeros(1000, dtype=np.float32)
    output = np.concatenate([resampler.push(zeros), resampler.flush()])
    np.testing.assert_array_equal(output, np.zeros(500, dtype=np.float32))


def test_a_minute_of_zeros_is_called_silent_and_one_sound_ends_it():
    watch = DigitalSilenceWatch(after_seconds=60)
    second = np.zeros((8000, 2), dtype=np.float32)
    assert [watch.push(second, 8000) for _ in range(60)] == [False] * 59 + [True]
    assert watch.is_silent
    faint = second.copy()
    faint[-1, 1] = 1e-7
    assert not watch.push(faint, 8000)
    assert not watch.push(second, 8000)
