from __future__ import annotations

import shutil
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.conftest import tone, write_wav
from training import negatives
from training.data.acoustics import rms
from training.data.dataset import load_tracks
from training.data.noises import NOISES, dither
from training.data.recordings import SOURCES, Voice, find_voices, string_together
from training.negatives import SHARES, ClipMaker, make_split

if TYPE_CHECKING:
    from pathlib import Path

N_SAMPLES = 3 * 22050

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="needs espeak-ng, which makes the speech"
)
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="needs ffmpeg, which reads the recordings"
)


@pytest.mark.parametrize("name", list(NOISES))
def test_every_noise_can_be_heard_and_is_the_seeds_own(name: str) -> None:
    first, again, other = (
        NOISES[name](np.random.default_rng(seed), N_SAMPLES) for seed in (1, 1, 2)
    )

    assert first.shape == (N_SAMPLES,)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert rms(first) > 1e-4
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_dither_stays_in_the_last_bits_of_a_converter() -> None:
    noise = dither(np.random.default_rng(1), N_SAMPLES)

    assert np.abs(noise).max() < 2.0**-9
    np.testing.assert_array_equal(noise * 32768, np.rint(noise * 32768))


def test_no_recorded_voice_serves_both_training_and_judging() -> None:
    sides = defaultdict(set)
    for source in SOURCES:
        sides[source.package, source.files].add(source.split)

    assert all(len(splits) == 1 for splits in sides.values())


def test_no_synthetic_voice_or_language_serves_both() -> None:
    for names in (negatives._LANGUAGES, negatives._VARIANTS):
        assert not set(names["train"].split()) & set(names["valid"].split())


def test_training_and_judging_read_different_texts() -> None:
    train, valid = ClipMaker("train", None), ClipMaker("valid", None)

    assert train.texts
    assert valid.texts
    assert not set(train.texts) & set(valid.texts)


def test_recordings_are_found_by_kind_and_split_without_silent_prompts(tmp_path: Path) -> None:
    sounds = tmp_path / "asterisk-core-sounds-en-g722" / "usr/share/asterisk/sounds/en"
    for name in ("hello.wav", "digits/1.wav", "silence/1.wav", "readme.txt"):
        (sounds / name).parent.mkdir(parents=True, exist_ok=True)
        (sounds / name).touch()

    voices = find_voices(tmp_path, "speech", "train")

    assert {path.name for voice in voices for path in voice.paths} == {"hello.wav"}
    assert find_voices(tmp_path, "speech", "valid") == []
    assert find_voices(tmp_path, "noise", "train") == []


@needs_ffmpeg
def test_damaged_recordings_are_passed_over(tmp_path: Path) -> None:
    good = write_wav(tmp_path / "good.wav", tone(440.0, 0.5))
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"nonsense")

    waveform = string_together(
        Voice("package", "folder", (good, bad)), np.random.default_rng(1), N_SAMPLES
    )

    assert waveform.shape == (N_SAMPLES,)
    assert rms(waveform) > 0.01


@needs_espeak
def test_speech_noise_and_silence_are_made_where_no_recordings_are_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negatives, "CLIP_SECONDS", 5.0)

    rows = make_split(tmp_path, "valid", 12, None, seed=1)

    tracks = load_tracks(tmp_path, "negatives_valid")
    assert {track.genre for track in tracks} <= {"speech", "noise", "silence"}
    assert len({track.genre for track in tracks}) >= 2
    assert sorted(row[0] for row in rows) == [f"valid.{track.name}" for track in tracks]
    assert {path.stem for path in (tmp_path / "audio").iterdir()} == {row[0] for row in rows}
    assert sum(SHARES.values()) == pytest.approx(1.0)


@needs_espeak
def test_clips_that_are_there_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negatives, "CLIP_SECONDS", 5.0)
    first = make_split(tmp_path, "valid", 3, None, seed=1)
    monkeypatch.setattr(ClipMaker, "make", None)

    assert make_split(tmp_path, "valid", 3, None, seed=1) == first


@needs_espeak
@needs_ffmpeg
def test_clips_made_without_recordings_are_not_taken_for_such_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negatives, "CLIP_SECONDS", 4.0)
    monkeypatch.setattr(negatives, "N_CLIPS", {"train": 1, "valid": 1})
    monkeypatch.setattr(negatives, "fetch_sources", lambda *_arguments: None)
    folder = str(tmp_path / "negatives")
    negatives.main([folder])
    monkeypatch.setattr(ClipMaker, "make", None)
    negatives.main([folder])
    with pytest.raises(SystemExit, match=r"of another run \(recordings is False, not True\)"):
        negatives.main([folder, "--recordings", str(tmp_path / "packages")])
    with pytest.raises(SystemExit, match=r"of another run \(seed is 1, not 2\)"):
        negatives.main([folder, "--seed", "2"])


@needs_espeak
def test_without_ffmpeg_nothing_is_begun_that_it_would_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "espeak-ng").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="ffmpeg is needed to read recordings"):
        negatives.main([str(tmp_path / "negatives"), "--recordings", str(tmp_path / "packages")])


@needs_espeak
def test_a_synthetic_voice_speaks() -> None:
    clip = ClipMaker("train", None).make("synthetic speech", np.random.default_rng(1))

    assert clip.source.startswith("espeak-ng ")
    assert rms(clip.waveform) > 1e-3
