import dataclasses
from itertools import groupby

import numpy as np
import pytest

from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.model.feature_params import YAMNET_FEATURES, FeatureParams
from rtgenre.model.info import ModelInfo
from rtgenre.service.pipeline import Pipeline
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Block, Prediction
from tests.signals import noise, tone

INFO = ModelInfo("test", "1", ("jazz", "rock"), FeatureParams(), has_music_output=False)
JAZZ = Prediction(np.array([0.9, 0.1], dtype=np.float32), 1.0)


def make_pipeline(channel="mix", hop_seconds=2.0):
    return Pipeline(
        node="kitchen",
        source="file: test.wav",
        channel=channel,
        hop_seconds=hop_seconds,
        info=INFO,
        tracker_params=TrackerParams(),
    )


def blocks_of(signal, rate_hz, size=4410, start=0.0):
    signal = signal if signal.ndim == 2 else signal[:, None]
    for first in range(0, len(signal), size):
        chunk = signal[first : first + size]
        yield Block(chunk, rate_hz, start + (first + len(chunk)) / rate_hz)


def push_all(pipeline, blocks):
    return [window for block in blocks for window in pipeline.push(block)] + pipeline.finish()


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 96000])
def test_a_tone_keeps_its_pitch_whatever_the_input_rate(rate_hz):
    windows = push_all(make_pipeline(), blocks_of(tone(440, 10, rate_hz), rate_hz))
    assert [window.end_sample for window in windows] == [88200, 132300, 176400, 220500]
    spectrum = np.abs(np.fft.rfft(windows[-1].samples))
    assert spectrum.argmax() * 22050 / 88200 == pytest.approx(440, abs=0.5)
    assert windows[-1].level_dbfs == pytest.approx(-9.03, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_a_window_is_as_old_as_its_last_sample_whatever_the_resampler_holds(rate_hz):
    pipeline = make_pipeline()
    signal = noise(6.5, rate_hz)
    windows = [
        window
        for block in blocks_of(signal, rate_hz, size=rate_hz // 50, start=5000.0)
        for window in pipeline.push(block)
    ]
    assert [w.captured_at - w.end_sample / 22050 for w in windows] == pytest.approx(
        [5000.0, 5000.0], abs=1e-4
    )


def test_eight_channels_can_be_mixed_or_picked():
    signal = np.zeros((5 * 22050, 8), dtype=np.float32)
    signal[:, 4] = tone(440, 5)
    for channel, level_dbfs in [("mix", -9.03 - 18.06), (5, -9.03), ("left", -120)]:
        (window,) = push_all(make_pipeline(channel), blocks_of(signal, 22050))
        assert window.level_dbfs == pytest.approx(level_dbfs, abs=0.1)


def test_a_channel_without_sound_is_digital_silence_whatever_is_in_the_others():
    one_side_alone = np.stack([noise(1), 0 * noise(1)], axis=1)
    for channel, silent in [("left", False), ("mix", False), ("right", True)]:
        pipeline = make_pipeline(channel)
        for _ in range(60):
            pipeline.push(Block(one_side_alone, 22050, 1000.0))
        assert pipeline.silence_watch.is_silent is silent


def test_a_gap_starts_new_windows_and_is_counted():
    pipeline = make_pipeline()
    push_all(pipeline, blocks_of(tone(440, 7), 22050))
    after = [Block(b.samples, 22050, b.captured_at) for b in blocks_of(noise(8), 22050)]
    after[0] = Block(after[0].samples, 22050, after[0].captured_at, gap=True)
    first, *_ = push_all(pipeline, after)
    assert pipeline.resets == 1
    assert first.start_sample == 7 * 22050
    assert abs(np.fft.rfft(first.samples)[4 * 440]) < 100  # nothing of the tone


def test_after_a_gap_columns_hold_nothing_of_what_came_before():
    pipeline = make_pipeline()
    pipeline.draws_columns = True
    push_all(pipeline, blocks_of(tone(440, 1, 44100), 44100))
    assert any(column.values.any() for column in pipeline.take_columns())
    pipeline.push(Block(np.zeros((44100, 1), np.float32), 44100, 3.0, gap=True))
    after = pipeline.take_columns()
    assert after
    assert not any(column.values.any() for column in after)


def test_music_from_before_a_gap_is_not_taught_though_it_is_judged_after_it():
    pipeline = make_pipeline()
    windows = push_all(pipeline, blocks_of(tone(440, 6), 22050))
    pipeline.push(Block(np.zeros((4410, 1), np.float32), 22050, 7.0, gap=True))
    pipeline.conclude(windows[-1], JAZZ, latency_seconds=0)
    assert pipeline.recent.now() == []


def test_an_outage_of_hours_is_one_in_the_last_ten_minutes_too():
    pipeline = make_pipeline()
    for start in (0.0, 7200.0):
        first, *rest = blocks_of(tone(440, 4), 22050, start=start)
        first = dataclasses.replace(first, gap=start > 0)
        for window in push_all(pipeline, [first, *rest]):
            pipeline.conclude(window, JAZZ, latency_seconds=0)
    heard = pipeline.last_minutes.windows()
    assert [(window.begins, window.gone) for window in heard] == [(True, False), (True, True)]


def test_a_device_that_changes_its_rate_is_followed():
    pipeline = make_pipeline()
    push_all(pipeline, blocks_of(tone(440, 6, 44100), 44100))
    windows = push_all(pipeline, blocks_of(tone(440, 6, 48000), 48000))
    assert pipeline.resets == 1
    spectrum = np.abs(np.fft.rfft(windows[-1].samples))
    assert spectrum.argmax() * 22050 / 88200 == pytest.approx(440, abs=0.5)


def test_broken_samples_never_reach_the_model_and_are_reported_once():
    pipeline = make_pipeline()
    signal = noise(4)
    signal[100], signal[200], signal[300] = np.nan, np.inf, 3.0
    (window,) = push_all(pipeline, blocks_of(signal, 22050))
    assert np.isfinite(window.samples).all()
    assert np.abs(window.samples).max() <= 1
    document = pipeline.conclude(window, JAZZ, latency_seconds=0)
    assert (document["invalid_samples"], document["clipped_samples"]) == (2, 1)
    document = pipeline.conclude(window, JAZZ, latency_seconds=0)
    assert (document["invalid_samples"], document["clipped_samples"]) == (0, 0)


def test_the_document_says_what_was_heard_and_when():
    pipeline = make_pipeline()
    pipeline.instance = "0123456789abcdef"
    windows = push_all(pipeline, blocks_of(noise(6), 22050, start=1.7e9))
    documents = [pipeline.conclude(w, JAZZ, latency_seconds=0.0123) for w in windows]
    last = documents[-1]
    assert last["schema"] == SCHEMA_VERSION
    assert (last["node"], last["source"], last["sequence"]) == ("kitchen", "file: test.wav", 1)
    assert last["instance"] == "0123456789abcdef"
    assert (last["state"], last["genre"]) == ("music", "jazz")
    assert last["time"] == "2023-11-14T22:13:26.000Z"
    assert last["since"] == "2023-11-14T22:13:24.000Z"
    assert (last["window_start_seconds"], last["window_end_seconds"]) == (2.0, 6.0)
    assert last["latency_ms"] == 12.3
    assert sum(last["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert last["raw_probabilities"] == {"jazz": 0.9, "rock": 0.1}


@pytest.mark.parametrize("music_seconds", [5.5, 9.0, 14.2])
@pytest.mark.parametrize("silence_seconds", [4.0, 7.3, 10.9])
def test_music_between_silences_shows_three_states_and_no_phantom(silence_seconds, music_seconds):
    silence = np.zeros(round(silence_seconds * 22050), dtype=np.float32)
    signal = np.concatenate([silence, noise(music_seconds), silence, silence])
    pipeline = make_pipeline()
    windows = push_all(pipeline, blocks_of(signal, 22050))
    documents = [pipeline.conclude(window, JAZZ, latency_seconds=0) for window in windows]
    shown = [document["genre"] or document["state"] for document in documents]
    assert [title for title, _ in groupby(shown)] == ["silence", "jazz", "silence"]
    first_judged = documents[shown.index("jazz")]
    assert first_judged["window_end_seconds"] <= silence_seconds + 4.5
    assert first_judged["confidence"] == pytest.approx(0.9, abs=1e-4)
    for document in documents:
        if document["state"] == "silence":
            assert document["confidence"] is None
            assert document["probabilities"] == {"jazz": 0.5, "rock": 0.5}
            assert document["music_probability"] == 0


def test_times_stay_in_order_when_capture_times_do_not():
    pipeline = make_pipeline()
    late, early = push_all(pipeline, blocks_of(noise(6), 22050, start=5000))
    late = dataclasses.replace(late, captured_at=5010.0)
    times = [pipeline.conclude(window, JAZZ, latency_seconds=0)["time"] for window in (late, early)]
    assert times == sorted(times)


def test_a_channel_that_is_not_there_is_an_error_with_the_count():
    with pytest.raises(ValueError, match="1 channel"):
        push_all(make_pipeline(3), blocks_of(noise(1), 22050))


def columns_of(info):
    pipeline = Pipeline(
        node="kitchen",
        source="file: test.wav",
        channel="mix",
        hop_seconds=2.0,
        info=info,
        tracker_params=TrackerParams(),
    )
    pipeline.draws_columns = True
    for block in blocks_of(tone(440, 6, 44100), 44100, start=1000.0):
        pipeline.push(block)
    return pipeline.take_columns()


def test_the_page_sees_the_same_columns_whatever_the_model_hears():
    other = dataclasses.replace(INFO, features=YAMNET_FEATURES)
    expected, found = columns_of(INFO), columns_of(other)
    assert len(expected) == len(found) > 100
    for one, same in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.values, same.values)
        assert same.captured_at == pytest.approx(one.captured_at, abs=1e-6)
        assert same.end_seconds == pytest.approx(one.end_seconds, abs=0.05)


def test_a_column_is_as_old_as_its_sound():
    for column in columns_of(dataclasses.replace(INFO, features=YAMNET_FEATURES)):
        assert column.captured_at - 1000.0 == pytest.approx(column.end_seconds, abs=1e-3)
