import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.audio.windows import SILENCE_DBFS, WindowSlicer, rms_dbfs

RATE_HZ = 100


def slice_all(signal, sizes, window=40, hop=20):
    slicer = WindowSlicer(window, hop, RATE_HZ)
    windows, taken = [], 0
    for size in [*sizes, len(signal)]:
        chunk = signal[taken : taken + size]
        taken += len(chunk)
        windows += slicer.push(chunk, captured_at=1000 + taken / RATE_HZ)
    return windows


@given(sizes=st.lists(st.integers(0, 130), max_size=30), hop=st.integers(1, 40))
def test_any_block_sizes_give_the_same_windows(sizes, hop):
    signal = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    windows = slice_all(signal, sizes, hop=hop)
    assert [w.end_sample for w in windows] == list(range(40, 501, hop))
    for window in windows:
        np.testing.assert_array_equal(
            window.samples, signal[window.start_sample : window.end_sample]
        )
        assert window.end_sample - window.start_sample == 40
        assert window.captured_at == pytest.approx(1000 + window.end_sample / RATE_HZ)


def test_windows_of_another_phase_come_later_by_it_at_the_start_and_after_a_gap():
    slicer = WindowSlicer(40, 20, RATE_HZ, phase_samples=7)
    windows = slicer.push(np.zeros(70, dtype=np.float32), 0.0)
    assert [w.end_sample for w in windows] == [47, 67]
    assert [w.start_sample for w in windows] == [7, 27]
    slicer.reset()
    assert slicer.next_end_sample == 117
    windows = slicer.push(np.ones(100, dtype=np.float32), 0.0)
    assert [w.end_sample for w in windows] == [117, 137, 157]
    assert all((w.samples == 1).all() for w in windows)


def test_no_window_reaches_across_a_gap():
    slicer = WindowSlicer(40, 20, RATE_HZ)
    slicer.push(np.zeros(70, dtype=np.float32), 0.0)
    slicer.reset()
    windows = slicer.push(np.ones(100, dtype=np.float32), 0.0)
    assert [w.start_sample for w in windows] == [70, 90, 110, 130]
    assert all((w.samples == 1).all() for w in windows)


def test_hop_longer_than_the_window_is_refused():
    with pytest.raises(ValueError, match="a hop of 41 samples"):
        WindowSlicer(40, 41, RATE_HZ)


def test_level_is_that_of_the_newest_hop():
    signal = np.concatenate([np.zeros(30), np.resize([1, -1], 10)]).astype(np.float32)
    (window,) = slice_all(signal, [], window=40, hop=10)
    assert window.level_dbfs == pytest.approx(0.0)


def test_the_levels_of_quarter_seconds_tell_where_in_a_window_there_is_sound():
    sound = np.resize([1, -1], 50)
    signal = np.concatenate([np.zeros(30), sound, np.zeros(25)]).astype(np.float32)
    (window,) = slice_all(signal, [], window=105, hop=40)
    assert window.levels_dbfs == pytest.approx([-120, 0, 0, -120], abs=0.01)
    (short,) = slice_all(signal[:20], [], window=20, hop=20)
    assert short.levels_dbfs == pytest.approx([-120])


def test_levels_are_dbfs_of_the_root_mean_square():
    assert rms_dbfs(np.resize([0.1, -0.1], 10).astype(np.float32)) == pytest.approx(-20, abs=1e-3)
    sine = np.sin(np.linspace(0, 200 * np.pi, 44100, endpoint=False)).astype(np.float32)
    assert rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert rms_dbfs(np.zeros(10, dtype=np.float32)) == SILENCE_DBFS
    assert rms_dbfs(np.zeros(0, dtype=np.float32)) == SILENCE_DBFS


def test_the_constant_that_a_cheap_converter_adds_is_no_sound():
    quiet = np.resize([0.0005, -0.0005], 100).astype(np.float32)
    (window,) = slice_all(quiet + np.float32(0.3), [], window=100, hop=50)
    assert window.level_dbfs == pytest.approx(-66, abs=0.1)
    assert window.levels_dbfs == pytest.approx([-66] * 4, abs=0.1)
    both = np.stack([quiet + np.float32(0.3), quiet - np.float32(0.1)], axis=1)
    assert rms_dbfs(both) == pytest.approx(-66, abs=0.1)
