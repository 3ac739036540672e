from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.feature_params import YAMNET_FEATURES
from rtgenre.model.features import at_usual_level, log_mel_spectrogram
from tests.training.conftest import tone, write_wav
from training.data.dataset import DatasetError
from training.frontends.lessons import (
    AS_IT_IS,
    Excerpts,
    Lessons,
    Plan,
    by_length,
    read_sounds,
)

if TYPE_CHECKING:
    from pathlib import Path

    from training.frontends.lessons import Sound


@pytest.fixture
def sounds(tmp_path: Path) -> list[Sound]:
    paths = [write_wav(tmp_path / f"{hz}.wav", tone(hz, 8.0)) for hz in (500.0, 2000.0)]
    return read_sounds(paths)


def excerpts(sounds: list[Sound], plan: Plan = AS_IT_IS, **options: int) -> Excerpts:
    chosen = {"batch_size": 6, "n_batches": 2, "seed": 1} | options
    return Excerpts(sounds, by_length(sounds), plan, **chosen)


def heard(some: Excerpts, index: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sound at 16 kHz and at 32 kHz, and the pupils'."""
    return *some.for_teachers(index), some.for_pupils(index, hearing=0)


def levelled(sounds: np.ndarray) -> np.ndarray:
    return np.array([at_usual_level(one) for one in sounds])


def pitch_of(sounds: np.ndarray, rate_hz: int) -> np.ndarray:
    return np.abs(np.fft.rfft(sounds)).argmax(axis=1) * rate_hz / sounds.shape[1]


def test_teachers_hear_one_excerpt_at_their_own_rates_and_at_the_usual_level(
    sounds: list[Sound],
) -> None:
    at_16k, at_32k, _ = heard(excerpts(sounds))
    pitches = pitch_of(at_16k, 16000)
    assert set(np.round(pitches, -2)) == {500.0, 2000.0}
    np.testing.assert_allclose(pitch_of(at_32k, 32000), pitches, rtol=0.01)
    np.testing.assert_allclose(np.sqrt(np.square(at_16k).mean(axis=1)), 0.1, rtol=0.02)


def test_pupils_hear_the_same_excerpt_as_their_teachers(sounds: list[Sound]) -> None:
    at_16k, _, pupils = heard(excerpts(sounds))
    np.testing.assert_allclose(pupils, levelled(at_16k), atol=1e-6)


def test_a_change_of_speed_changes_the_pitch_for_everyone_alike(sounds: list[Sound]) -> None:
    plan = replace(AS_IT_IS, changed_share=1.0, max_speed_change=0.1)
    at_16k, at_32k, pupils = heard(excerpts(sounds[:1], plan, batch_size=20))
    pitches = pitch_of(at_16k, 16000)
    assert 450 <= pitches.min() < 490
    assert 510 < pitches.max() <= 556
    np.testing.assert_allclose(pitch_of(at_32k, 32000), pitches, rtol=0.01)
    np.testing.assert_allclose(pupils, levelled(at_16k), atol=1e-6)


def test_another_recording_sounds_in_mixed_excerpts(sounds: list[Sound]) -> None:
    plan = replace(AS_IT_IS, mixed_share=1.0, mixed_db=(0.0, 0.0))
    at_16k, *_ = heard(excerpts(sounds, plan, batch_size=12))
    spectra = np.abs(np.fft.rfft(at_16k))
    low, high = spectra[:, 500 * 4], spectra[:, 2000 * 4]
    both = np.minimum(low, high) > 0.5 * np.maximum(low, high)
    assert 2 <= both.sum() <= 10, "of two recordings, half of the pairs are of one and the other"


def test_an_equaliser_colours_what_everyone_hears(sounds: list[Sound]) -> None:
    both = [np.round(sounds[0] / 2 + sounds[1] / 2).astype(np.int16)]
    plan = replace(AS_IT_IS, coloured_share=1.0)
    at_16k, at_32k, pupils = heard(excerpts(both, plan, batch_size=12))
    for sound, bin_hz in ((at_16k, 0.25), (at_32k, 0.25)):
        spectra = np.abs(np.fft.rfft(sound))
        ratios = spectra[:, round(2000 / bin_hz)] / spectra[:, round(500 / bin_hz)]
        assert ratios.max() > 1.3 * ratios.min()
    np.testing.assert_allclose(pupils, levelled(at_16k), atol=1e-6)


@pytest.mark.parametrize(
    ("plan", "median"),
    [
        (replace(AS_IT_IS, coded_share=1.0, coded_kbps=(32.0, 32.0)), 0.1),
        (replace(AS_IT_IS, disturbed_share=1.0), 2.0),
    ],
    ids=["mp3", "disturbed"],
)
def test_pupils_alone_hear_what_mp3_and_rooms_make_of_it(
    sounds: list[Sound], plan: Plan, median: float
) -> None:
    at_16k, _, pupils = heard(excerpts(sounds, plan))
    np.testing.assert_allclose(np.sqrt(np.square(at_16k).mean(axis=1)), 0.1, rtol=0.02)
    clean, changed = (
        np.array([log_mel_spectrogram(one, YAMNET_FEATURES) for one in some])
        for some in (at_16k, pupils)
    )
    apart = np.abs(changed - clean)
    assert apart.max() > 1.0
    # The tone stays; what lies far below it, where there was nothing, does not.
    loudest = clean.mean(axis=1).argmax(axis=1)
    assert np.median(apart[np.arange(len(clean)), :, loudest]) < median


def test_another_batch_draws_others_and_the_same_one_the_same(sounds: list[Sound]) -> None:
    some = excerpts(sounds, Plan())
    first = heard(some)
    for again, before in zip(heard(excerpts(sounds, Plan())), first, strict=True):
        np.testing.assert_array_equal(again, before)
    assert not np.array_equal(heard(some, 1)[0], first[0])


def test_pupils_hear_an_excerpt_changed_otherwise_each_time(sounds: list[Sound]) -> None:
    plan = replace(AS_IT_IS, disturbed_share=1.0)
    some = excerpts(sounds, plan)
    first, second = (some.for_pupils(1, hearing) for hearing in (0, 1))
    np.testing.assert_array_equal(pitch_of(second, 16000), pitch_of(first, 16000))
    assert not np.allclose(second, first, atol=1e-3)


def test_all_excerpts_are_heard_before_any_is_heard_again_in_another_order(
    sounds: list[Sound],
) -> None:
    some = excerpts(sounds, batch_size=1, n_batches=6)
    said = np.arange(6, dtype=np.float16)[:, None]
    lessons, epochs = Lessons(some, said, epoch_batches=3), []
    for _ in range(6):
        heard_now = [lessons[index] for index in range(len(lessons))]
        for sound, answer in heard_now:
            np.testing.assert_array_equal(sound, some.for_pupils(int(answer[0, 0]), 0))
        epochs.append([int(answer[0, 0]) for _, answer in heard_now])
        lessons.on_epoch_end()
    passes = [first + second for first, second in zip(epochs[::2], epochs[1::2], strict=True)]
    assert [sorted(one) for one in passes] == [list(range(6))] * 3
    assert passes[0] == list(range(6))
    assert len({tuple(one) for one in passes}) == 3
    going_on = Lessons(some, said, epoch_batches=3, epoch=5)
    assert [int(going_on[index][1][0, 0]) for index in range(3)] == epochs[5]


def test_recordings_are_drawn_by_their_shares(sounds: list[Sound]) -> None:
    some = replace(excerpts(sounds, batch_size=200), shares=np.array([0.2, 0.8]))
    pitches = np.round(pitch_of(some.for_teachers(0)[0], 16000), -2)
    assert 20 <= (pitches == 500.0).sum() <= 65
    np.testing.assert_allclose(by_length([*sounds, sounds[0][:-88200]]), [0.4, 0.4, 0.2])


def test_a_recording_that_is_shorter_than_a_window_is_repeated(tmp_path: Path) -> None:
    short = read_sounds([write_wav(tmp_path / "short.wav", tone(500.0, 1.0))])
    at_16k, *_ = heard(excerpts(short))
    assert at_16k.shape == (6, 64000)
    assert np.abs(at_16k[:, -1000:]).max() > 0.05


def test_nobody_hears_silence(sounds: list[Sound]) -> None:
    hiss = np.random.default_rng(1).integers(-2, 3, 20 * 22050).astype(np.int16)
    mostly = np.concatenate([hiss, sounds[0][: 5 * 22050]])  # some excerpts end as it begins
    some = excerpts([mostly, hiss], batch_size=20)
    np.testing.assert_array_equal(some.shares, [1.0, 0.0])
    at_16k, *_ = heard(some)
    spectra = np.square(np.abs(np.fft.rfft(at_16k)))
    assert (spectra[:, 1900:2100].sum(axis=1) / spectra.sum(axis=1)).min() > 0.5
    quiet = np.abs(at_16k).reshape(20, 40, -1).max(axis=2) < 1e-3
    assert quiet.mean(axis=1).max() < 0.6


def test_recordings_that_are_all_silent_are_one_clear_error() -> None:
    with pytest.raises(DatasetError, match="all of 2 recordings are silent"):
        by_length([np.zeros(9, np.int16)] * 2)


def test_what_cannot_be_decoded_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    with pytest.raises(DatasetError, match=r"broken\.wav cannot be decoded"):
        read_sounds([tmp_path / "broken.wav"])
