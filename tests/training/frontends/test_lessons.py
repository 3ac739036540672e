from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.features import YAMNET_FEATURES, log_mel_spectrogram
from tests.training.conftest import tone, write_wav
from training.frontends.lessons import Lessons, Plan, make_lessons

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Plan(changed_share=0.0, mixed_share=0.0, coded_share=0.0)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [write_wav(tmp_path / f"{hz}.wav", tone(hz, 8.0)) for hz in (500.0, 2000.0)]


def pitch_of(sounds: np.ndarray, rate_hz: int) -> np.ndarray:
    return np.abs(np.fft.rfft(sounds)).argmax(axis=1) * rate_hz / sounds.shape[1]


def say_pitches(at_16k: np.ndarray, at_32k: np.ndarray) -> np.ndarray:
    """Teachers who say how high each heard the sound, and how loud."""
    return np.stack(
        [pitch_of(at_16k, 16000), pitch_of(at_32k, 32000), np.sqrt(np.square(at_16k).mean(axis=1))],
        axis=1,
    )


def lessons(paths: list[Path], plan: Plan = PLAIN, seed: int = 1) -> Lessons:
    return make_lessons(paths, range(len(paths)), say_pitches, plan, seed, threads=2)


def test_an_excerpt_a_second_is_drawn_and_teachers_hear_it_at_their_own_rates(
    paths: list[Path],
) -> None:
    found = lessons(paths)
    assert found.heard.shape == (16, 398, 64)
    np.testing.assert_allclose(found.said[:8, :2], 500, rtol=0.01)
    np.testing.assert_allclose(found.said[8:, :2], 2000, rtol=0.01)
    np.testing.assert_allclose(found.said[:, 2], 0.1, rtol=0.02)


def test_the_pupil_hears_the_same_excerpt_as_its_teachers(paths: list[Path]) -> None:
    given: list[np.ndarray] = []

    def listen(at_16k: np.ndarray, at_32k: np.ndarray) -> np.ndarray:
        given.extend(at_16k)
        assert at_32k.shape == (len(at_16k), 128000)
        return np.zeros((len(at_16k), 1))

    found = make_lessons(paths, range(1), listen, PLAIN, 1, threads=1)
    expected = [log_mel_spectrogram(one, YAMNET_FEATURES) for one in given]
    np.testing.assert_allclose(found.heard, expected, atol=1e-2)


def test_a_change_of_speed_changes_the_pitch_for_everyone_alike(paths: list[Path]) -> None:
    found = lessons(paths[:1], replace(PLAIN, changed_share=1.0, max_speed_change=0.1))
    pitches = found.said[:, 0].astype(float)
    assert 450 <= pitches.min() < 490
    assert 510 < pitches.max() <= 556
    np.testing.assert_allclose(found.said[:, 1], pitches, rtol=0.01)


def test_another_recording_sounds_in_mixed_excerpts(paths: list[Path]) -> None:
    plain = lessons(paths)
    mixed = lessons(paths, replace(PLAIN, mixed_share=1.0, mixed_db=(0.0, 0.0)))
    assert mixed.heard.astype(float).std(axis=(1, 2)).max() > 0
    assert not np.allclose(mixed.heard.mean(axis=(0, 1)), plain.heard.mean(axis=(0, 1)), atol=0.01)


def test_the_pupil_hears_through_mp3_what_its_teachers_hear_as_it_is(paths: list[Path]) -> None:
    plain = lessons(paths)
    coded = lessons(paths, replace(PLAIN, coded_share=1.0, coded_kbps=(32.0, 32.0)))
    np.testing.assert_array_equal(coded.said[0], plain.said[0])
    apart = np.abs(coded.heard[0].astype(float) - plain.heard[0])
    # The tone stays; what the encoder adds far below it, where there was nothing, does not.
    assert apart.max() > 1.0
    assert np.median(apart[:, plain.heard[0].mean(axis=0).argmax()]) < 0.1


def test_the_seed_decides_the_lessons_and_neither_threads_nor_parts_do(
    paths: list[Path], tmp_path: Path
) -> None:
    whole = lessons(paths, Plan())
    parts = []
    for number in range(len(paths)):
        part = make_lessons(
            paths, range(number, number + 1), say_pitches, Plan(), seed=1, threads=1
        )
        part.write(tmp_path / f"{number}.npz")
        parts.append(Lessons.read(tmp_path / f"{number}.npz"))
    together = Lessons.joined(parts)
    np.testing.assert_array_equal(whole.heard, together.heard)
    np.testing.assert_array_equal(whole.said, together.said)
