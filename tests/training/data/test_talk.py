from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from training.data.acoustics import rms
from training.data.library import Recording
from training.data.talk import Talk, audible, read_voices, talked_over

if TYPE_CHECKING:
    from pathlib import Path

RATE_HZ = 16000
MUSIC = np.sin(2 * np.pi * 440 * np.arange(20 * RATE_HZ) / RATE_HZ).astype(np.float32)
VOICES = [
    0.01 * np.random.default_rng(seed).standard_normal(2 * RATE_HZ).astype(np.float32)
    for seed in (1, 2)
]


def test_a_voice_lies_as_far_below_the_music_as_it_should_and_is_heard_most_of_the_time() -> None:
    options = Talk(snr_db=(6.0, 6.0), pause_seconds=(0.5, 0.5))
    heard = talked_over(MUSIC, VOICES, RATE_HZ, np.random.default_rng(1), options)
    talk = heard - MUSIC
    spoken = np.abs(talk) > 1e-4
    assert 20 * np.log10(rms(MUSIC) / rms(talk[spoken])) == pytest.approx(6.0, abs=0.1)
    assert np.mean(spoken) == pytest.approx(0.8, abs=0.05)


def test_who_says_nothing_is_left_out() -> None:
    assert audible([VOICES[0], np.zeros(RATE_HZ, np.float32)]) == [VOICES[0]]


def test_the_same_chance_lets_the_same_people_talk_and_another_one_others() -> None:
    first, again, other = (
        talked_over(MUSIC, VOICES, RATE_HZ, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == MUSIC.shape
    assert not np.allclose(first, other)


def test_music_that_is_shorter_than_what_is_said_keeps_its_length() -> None:
    short = MUSIC[:RATE_HZ]
    assert talked_over(short, VOICES, RATE_HZ, np.random.default_rng(1)).shape == short.shape


def test_a_voice_that_cannot_be_read_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = [
        Recording(name, tmp_path / f"{name}.wav", genre="speech", artist=name)
        for name in ("well", "broken")
    ]
    soundfile.write(recordings[0].path, VOICES[0], RATE_HZ, subtype="FLOAT")
    recordings[1].path.write_text("no sound")
    (voice,) = read_voices(recordings, RATE_HZ)
    np.testing.assert_array_equal(voice, VOICES[0])
    assert "broken.wav" in capsys.readouterr().err
