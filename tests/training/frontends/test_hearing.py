from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.model.features import log_mel_spectrogram
from tests.training.libraries import quick_ear, write_library
from training.data.dataset import DatasetError
from training.data.library import read_library, read_sound
from training.data.rooms import yamnet_scale
from training.frontends import hearing
from training.frontends.hearing import Ear, EarCache, hear, windows_of

if TYPE_CHECKING:
    from pathlib import Path

    from training.data.library import Recording


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    return read_library(write_library(tmp_path / "world", n_artists=2, genres=("low", "high")))


@pytest.fixture(autouse=True)
def no_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras runs these ears: converting each takes longer than what is tested."""
    monkeypatch.setattr(hearing, "fast_network", lambda ear: lambda x: np.asarray(ear(x)))


def named(network: keras.Model) -> Ear:
    return Ear("ear", network, YAMNET_FEATURES, yamnet_scale())


def refuse_to_read(*_arguments: object) -> None:
    raise AssertionError("what was heard before must not be heard again")


def test_windows_are_cut_and_heard_as_the_service_does(recordings: list[Recording]) -> None:
    windows, index = windows_of(recordings, YAMNET_FEATURES)
    assert index.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    sound = read_sound(recordings[1].path, 16000)[32000:96000]
    np.testing.assert_array_equal(windows[4], log_mel_spectrogram(sound, YAMNET_FEATURES))


def test_the_first_copy_is_as_it_is_and_another_one_through_rooms(
    recordings: list[Recording], tmp_path: Path
) -> None:
    ear = quick_ear()
    heard = EarCache(named(ear), tmp_path / "heard", n_copies=2, seed=1).hear(recordings)
    expected = np.asarray(ear(windows_of(recordings, YAMNET_FEATURES)[0]))
    np.testing.assert_allclose(heard.copies[0], expected, atol=2e-2)
    assert heard.copies[1].shape == heard.copies[0].shape == (12, 12, 8)
    assert not np.allclose(heard.copies[1], heard.copies[0], atol=0.1)


def test_a_third_copy_is_of_disturbed_sound_the_same_for_every_ear(
    recordings: list[Recording], tmp_path: Path
) -> None:
    ears = [named(quick_ear()), replace(named(quick_ear()), name="other")]
    heard = hear(ears, recordings, tmp_path, n_copies=3, seed=1)
    clean, _, disturbed = heard.copies
    assert disturbed.shape == clean.shape
    assert not np.allclose(disturbed, clean, atol=0.1)
    np.testing.assert_array_equal(disturbed[:, :, :8], disturbed[:, :, 8:])


def test_over_a_fourth_copy_people_talk_where_somebody_is_named(
    recordings: list[Recording], tmp_path: Path
) -> None:
    music, voices = recordings[:2], recordings[2:]
    ear = named(quick_ear())
    alone = hear([ear], music, tmp_path / "alone", n_copies=4, seed=1)
    with_talk = hear([ear], music, tmp_path / "talk", n_copies=4, seed=1, voices=voices)
    for copy in range(3):
        np.testing.assert_array_equal(with_talk.copies[copy], alone.copies[copy])
    assert not np.allclose(with_talk.copies[3], alone.copies[3], atol=0.1)
    others = hear([ear], music, tmp_path / "talk", n_copies=4, seed=1, voices=voices[:1])
    assert not np.array_equal(others.copies[3], with_talk.copies[3])


def test_what_was_heard_is_not_heard_again(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "_BLOCK", 3)
    first = EarCache(named(quick_ear()), tmp_path, n_copies=2, seed=1).hear(recordings)
    monkeypatch.setattr(hearing, "read_or_leave_out", refuse_to_read)
    monkeypatch.setattr(hearing, "fast_network", refuse_to_read)

    again = EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1).hear(recordings)

    assert len(again.copies) == 1
    np.testing.assert_array_equal(again.copies[0], first.copies[0])
    np.testing.assert_array_equal(again.recording_index, np.repeat(range(4), 3))


def test_an_ear_does_not_take_over_what_another_one_heard(
    recordings: list[Recording], tmp_path: Path
) -> None:
    EarCache(named(quick_ear(1)), tmp_path, n_copies=1, seed=1).hear(recordings)
    with pytest.raises(DatasetError, match=r"holds what another ear heard .* with --heard"):
        EarCache(named(quick_ear(2)), tmp_path, n_copies=1, seed=1).hear(recordings)


def test_what_an_ear_says_of_a_whole_window_stands_in_every_step_of_the_first_one(
    recordings: list[Recording], tmp_path: Path
) -> None:
    steps = quick_ear()
    whole = keras.Model(
        steps.input, keras.layers.GlobalAveragePooling1D(keepdims=True)(steps.output)
    )
    ears = [named(steps), replace(named(whole), name="whole")]
    heard = hear(ears, recordings, tmp_path, n_copies=2, seed=1)
    for copy in heard.copies:
        assert copy.shape == (12, 12, 16)
        expected = copy[:, :, :8].mean(axis=1, keepdims=True, dtype=np.float32)
        np.testing.assert_allclose(
            copy[:, :, 8:], np.broadcast_to(expected, (12, 12, 8)), atol=0.02
        )
    chosen = heard.select(np.array([3, 0]))
    assert chosen.recording_index.tolist() == [1, 0]
    np.testing.assert_array_equal(chosen.copies[1][1], heard.copies[1][0])


def test_other_recordings_are_heard_anew_and_more_copies_too(
    recordings: list[Recording], tmp_path: Path
) -> None:
    cache = EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1)
    everything = cache.hear(recordings).copies[0]
    np.testing.assert_array_equal(cache.hear(recordings[1:3]).copies[0], everything[3:9])
    more = EarCache(named(quick_ear()), tmp_path, n_copies=2, seed=1).hear(recordings)
    assert [len(copy) for copy in more.copies] == [12, 12]


def test_a_recording_that_changed_is_heard_again_and_one_that_only_moved_is_not(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EarCache(named(quick_ear()), tmp_path / "heard", n_copies=1, seed=1)
    before = cache.hear(recordings).copies[0]

    recordings[1].path.write_bytes(recordings[3].path.read_bytes())
    changed = cache.hear(recordings).copies[0]
    np.testing.assert_array_equal(changed[3:6], before[9:])

    moved = recordings[1].path.rename(tmp_path / "moved.wav")
    recordings[1] = replace(recordings[1], path=moved)
    monkeypatch.setattr(hearing, "read_or_leave_out", refuse_to_read)
    np.testing.assert_array_equal(cache.hear(recordings).copies[0], changed)


def test_rooms_of_another_seed_are_heard_anew(recordings: list[Recording], tmp_path: Path) -> None:
    first, second = (
        EarCache(named(quick_ear()), tmp_path, n_copies=2, seed=seed).hear(recordings)
        for seed in (1, 2)
    )
    np.testing.assert_array_equal(first.copies[0], second.copies[0])
    assert not np.array_equal(first.copies[1], second.copies[1])


def test_a_damaged_recording_is_named_and_has_no_windows(
    recordings: list[Recording], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings[1].path.write_bytes(b"nonsense")
    heard = EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1).hear(recordings)
    assert set(heard.recording_index.tolist()) == {0, 2, 3}
    assert f"left out: {recordings[1].path}" in capsys.readouterr().err


def test_a_recording_that_is_gone_is_named_too_and_heard_once_it_is_back(
    recordings: list[Recording], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = recordings[1].path.rename(tmp_path / "away.wav")
    cache = EarCache(named(quick_ear()), tmp_path / "heard", n_copies=1, seed=1)
    assert set(cache.hear(recordings).recording_index.tolist()) == {0, 2, 3}
    assert f"left out: {recordings[1].path}" in capsys.readouterr().err
    away.rename(recordings[1].path)
    assert set(cache.hear(recordings).recording_index.tolist()) == {0, 1, 2, 3}


def test_whose_a_folder_is_is_noted_once_so_that_a_full_disk_does_not_take_it_away(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1).hear(recordings)
    noted = (tmp_path / "ear.txt").read_text(encoding="utf-8")

    def fill(path: Path, *_arguments: object, **_options: object) -> None:
        path.open("w").close()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(type(tmp_path), "write_text", fill)
        EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1).hear(recordings)
    assert (tmp_path / "ear.txt").read_text(encoding="utf-8") == noted
    again = EarCache(named(quick_ear()), tmp_path, n_copies=1, seed=1).hear(recordings)
    np.testing.assert_array_equal(again.copies[0], before.copies[0])


@pytest.mark.parametrize("n_recordings", [0, 1])
def test_nothing_to_hear_is_one_clear_error(
    recordings: list[Recording], tmp_path: Path, n_recordings: int
) -> None:
    recordings[0].path.write_bytes(b"nonsense")
    cache = EarCache(named(quick_ear()), tmp_path, n_copies=2, seed=1)
    with pytest.raises(DatasetError, match=f"none of {n_recordings} recordings can be heard"):
        cache.hear(recordings[:n_recordings])
