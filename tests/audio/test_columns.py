import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgenre.audio.columns import FLOOR_DB, ColumnMaker
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.features import log_mel_spectrogram
from tests.signals import music, noise, tone

PARAMS = FeatureParams()
STEP_DB = -FLOOR_DB / 255


def push(maker, samples):
    return maker.push(samples, end_seconds=10.0, captured_at=1000.0)


def columns(samples, *, block=1000):
    maker = ColumnMaker(PARAMS)
    made = []
    for start in range(0, len(samples), block):
        made += push(maker, samples[start : start + block])
    return np.array([column.values for column in made])


def decibels(values):
    return FLOOR_DB + STEP_DB * values.astype(float)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=12))
def test_columns_do_not_depend_on_how_the_samples_arrive(lengths):
    samples = noise(seconds=1.0)
    maker = ColumnMaker(PARAMS)
    made = []
    taken = 0
    for length in [*lengths, len(samples)]:
        made += push(maker, samples[taken : taken + length])
        taken += length
    assert np.array_equal([column.values for column in made], columns(samples))


def test_about_24_columns_come_each_second():
    assert PARAMS.frames_per_second - 1 <= len(columns(noise(seconds=10.0))) / 10 <= 24.2


def test_a_column_shows_what_the_model_sees():
    samples = music()
    seen = log_mel_spectrogram(samples, PARAMS)
    shown = decibels(columns(samples))
    shown -= shown.max()
    loud = seen > -60
    assert np.abs(shown - seen)[loud].max() < 1.01 * STEP_DB


def test_a_full_scale_tone_nearly_reaches_the_top_and_20_db_less_shows_as_20_db_less():
    loud = decibels(columns(tone(200, amplitude=1.0))).max(axis=1)
    quiet = decibels(columns(tone(200, amplitude=0.1))).max(axis=1)
    assert (loud > -6).all()
    assert np.allclose(loud - quiet, 20, atol=1.01 * STEP_DB)


def test_silence_is_dark_and_the_lowest_band_comes_first():
    assert columns(np.zeros(22050, dtype=np.float32)).max() == 0
    assert columns(tone(100)).mean(axis=0).argmax() < columns(tone(5000)).mean(axis=0).argmax()


def test_a_column_knows_when_it_ended():
    (first,) = push(ColumnMaker(PARAMS), noise(seconds=1.0)[: PARAMS.frame_length + 100])
    assert round((10.0 - first.end_seconds) * PARAMS.sample_rate_hz) == 100
    assert round((1000.0 - first.captured_at) * PARAMS.sample_rate_hz) == 100


def test_after_a_reset_no_column_holds_older_samples():
    maker = ColumnMaker(PARAMS)
    push(maker, noise(seconds=1.0, amplitude=1.0))
    maker.reset()
    made = push(maker, np.zeros(22050, dtype=np.float32))
    assert max(column.values.max() for column in made) == 0
