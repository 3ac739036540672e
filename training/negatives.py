"""Make what is not music: speech, noise and near-silence, all from free sources.

``python -m training.negatives OUT`` writes ``mel_negatives_train.npz`` and
``mel_negatives_valid.npz`` (the layout of ``training.data.dataset``; the genre is ``speech``,
``noise`` or ``silence``), their sound in ``audio`` and ``tracks.csv``, which says where each came
from. Train and valid share no voice, language, text or recording. The same command goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import csv
import io
import pydoc_data.topics
import shutil
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from rtgenre.model.features import log_mel_spectrogram
from training.data.acoustics import (
    SAMPLE_RATE_HZ,
    add_at_snr,
    as_float32,
    band_pass,
    random_equaliser,
    reverberate,
    rms,
)
from training.data.dataset import (
    FEATURES,
    TRACKS_FILE,
    DatasetError,
    FloatArray,
    Track,
    from_decibels,
    save_tracks,
)
from training.data.noises import NOISES, dither
from training.data.recordings import Voice, fetch_sources, find_voices, string_together
from training.data.whole_file import written_whole
from training.release.runs import claim_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIP_SECONDS = 12.0
AUDIO_FOLDER = "audio"
"""In the folder of a dataset: its recordings."""
N_CLIPS = {"train": 1500, "valid": 400}
SHARES = {"synthetic speech": 0.25, "recorded speech": 0.3, "noise": 0.35, "silence": 0.1}
"""Of all clips; without recordings their share is spoken by the synthesiser too."""
RECORDED_NOISE_SHARE = 0.2

# What espeak-ng speaks with: languages and voice variants, by its own names.
_LANGUAGES = {
    "train": "en-us en-gb de fr-fr es it nl sv pl ru cs pt-br hu ro tr hi cmn sw id vi el ko",
    "valid": "en-gb-scotland en-029 da fi pt ca nb hr ja ar uk et",
}
_VARIANTS = {
    "train": "m1 m2 m4 m5 m7 f1 f2 f4 klatt klatt3 croak Andy Annie Lee max linda steph",
    "valid": "m3 m6 m8 f3 f5 klatt2 Alicia Mike paul whisper",
}


@dataclass(frozen=True, slots=True)
class Clip:
    """Something that is not music."""

    waveform: FloatArray
    """``(n_samples,)`` at the features' rate."""
    source: str
    """What made it, for ``tracks.csv``."""


class ClipMaker:
    """Makes the clips of one split, each from its own generator."""

    def __init__(self, split: str, recordings: Path | None) -> None:
        self.split = split
        self.n_samples = round(CLIP_SECONDS * SAMPLE_RATE_HZ)
        # Recorded speakers and effects of this split; empty without recordings.
        self.speakers = find_voices(recordings, "speech", split) if recordings else []
        self.effects = find_voices(recordings, "noise", split) if recordings else []
        # What the synthesiser reads: Python's own manual, every other topic to each split.
        topics = sorted(pydoc_data.topics.topics.items())
        self.texts = [text for _, text in topics[split == "valid" :: 2] if len(text) > 1000]

    def make(self, what: str, rng: np.random.Generator) -> Clip:
        """Make one clip of ``what``, one of the keys of ``SHARES``."""
        if what == "silence":
            return self._silence(rng)
        if what == "noise":
            clip = self._noise(rng)
        elif what == "recorded speech" and self.speakers:
            clip = self._string(self.speakers, rng)
        else:
            clip = self._speak(rng)
        clip = self._with_babble(clip, rng) if what != "noise" and rng.random() < 0.15 else clip
        return Clip(in_some_room(clip.waveform, rng), clip.source)

    def _speak(self, rng: np.random.Generator) -> Clip:
        """Read a passage aloud in some language, voice, pitch and speed."""
        language = rng.choice(_LANGUAGES[self.split].split())
        voice = f"{language}+{rng.choice(_VARIANTS[self.split].split())}"
        text = self.texts[rng.integers(len(self.texts))]
        start = rng.integers(len(text) - 600)
        speed, pitch = rng.integers(110, 260), rng.integers(5, 95)
        command = ["espeak-ng", "--stdin", "--stdout", "-v", voice]
        passage = text[start : start + 600].encode()
        command += ["-s", str(speed), "-p", str(pitch)]
        spoken = subprocess.run(command, input=passage, check=False, capture_output=True)
        if spoken.returncode:  # a few combinations of voice and text crash espeak-ng
            return self._speak(rng)
        waveform = _fit(_read_wav(spoken.stdout), self.n_samples)
        return Clip(waveform, f"espeak-ng {voice}")

    def _string(self, voices: list[Voice], rng: np.random.Generator) -> Clip:
        # A package, then a voice: one with many folders must not drown the others.
        package = rng.choice(sorted({voice.package for voice in voices}))
        choices = [voice for voice in voices if voice.package == package]
        voice = choices[rng.integers(len(choices))]
        return Clip(string_together(voice, rng, self.n_samples), f"{voice.package} {voice.folder}")

    def _noise(self, rng: np.random.Generator) -> Clip:
        if self.effects and rng.random() < RECORDED_NOISE_SHARE:
            return self._string(self.effects, rng)
        name = str(rng.choice(list(NOISES)))
        return Clip(NOISES[name](rng, self.n_samples), f"generated {name}")

    def _silence(self, rng: np.random.Generator) -> Clip:
        """An input with nothing on it: digital zero, dither, or a converter's noise and hum."""
        kind = rng.choice(["zero", "dither", "dither", "hum"])
        if kind == "zero":
            return Clip(np.zeros(self.n_samples, dtype=np.float32), "digital silence")
        waveform = dither(rng, self.n_samples)
        if kind == "hum":
            hum = NOISES["mains_hum"](rng, self.n_samples)
            waveform = waveform + as_float32(10.0 ** rng.uniform(-4.5, -3.0) / rms(hum) * hum)
        return Clip(waveform, f"generated {kind}")

    def _with_babble(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Let one to six others talk in the background."""
        others = sum(self._speak(rng).waveform for _ in range(rng.integers(1, 7)))
        mixed = add_at_snr(clip.waveform, as_float32(np.asarray(others)), rng.uniform(0.0, 15.0))
        return Clip(mixed, f"{clip.source} and babble")


def in_some_room(waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add what rooms and devices do, each or not: echo, colour, a narrow band, background."""
    if rng.random() < 0.6:
        waveform = reverberate(waveform, rng, rng.uniform(0.1, 0.9), rng.uniform(-6.0, 12.0))
    if rng.random() < 0.5:
        waveform = random_equaliser(waveform, rng, range_db=8.0)
    if rng.random() < 0.08:
        waveform = band_pass(waveform, 300.0, 3400.0)
    if rng.random() < 0.7:
        background = NOISES[str(rng.choice(list(NOISES)))](rng, len(waveform))
        waveform = add_at_snr(waveform, background, rng.uniform(5.0, 40.0))
    return waveform


def make_split(
    folder: Path, split: str, n_clips: int, recordings: Path | None, seed: int
) -> list[tuple[str, str, str, str]]:
    """Make and write one split.

    Returns:
        A row ``(track, genre, split, source)`` per clip.
    """
    maker = ClipMaker(split, recordings)
    tracks, rows = [], []
    audio = folder / AUDIO_FOLDER
    audio.mkdir(parents=True, exist_ok=True)
    for index in range(n_clips):
        rng = np.random.default_rng((seed, split == "valid", index))
        what = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        kind = what.rsplit(maxsplit=1)[-1]
        name = f"{kind}.{index:05d}"
        path = audio / f"{split}.{name}.flac"
        if not path.exists():
            _write_audio(path, maker.make(what, rng))
        clip = _read_audio(path)
        columns = from_decibels(log_mel_spectrogram(clip.waveform, FEATURES))
        tracks.append(Track(name, kind, None, columns))
        rows.append((path.stem, kind, split, clip.source))
        print(f"\r{split}: {index + 1}/{n_clips}", end="", flush=True)
    print()
    save_tracks(folder, f"negatives_{split}", tracks)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="training.negatives", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the spectrograms go")
    parser.add_argument(
        "--recordings", type=Path, help="unpacked Debian packages; fetched there where missing"
    )
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is needed to make speech and was not found; install it")
    if args.recordings and shutil.which("ffmpeg") is None:
        raise SystemExit("ffmpeg is needed to read recordings and was not found; install it")
    try:
        recipe = {"seed": args.seed, "recordings": args.recordings is not None}
        claim_folder(args.folder, recipe, f"{AUDIO_FOLDER}/*.flac")
        if args.recordings:
            fetch_sources(args.recordings, "speech", "noise")
        rows = [
            row
            for split, n_clips in N_CLIPS.items()
            for row in make_split(args.folder, split, n_clips, args.recordings, args.seed)
        ]
        with (
            written_whole(args.folder / TRACKS_FILE) as part,
            part.open("w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows([("track", "genre", "split", "source"), *rows])
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


def _read_wav(data: bytes) -> FloatArray:
    """Read espeak-ng's output: 16-bit mono at 22,050 Hz, its length field not filled in."""
    with wave.open(io.BytesIO(data)) as file:
        frames = file.readframes(len(data))
    return as_float32(np.frombuffer(frames, dtype="<i2") / 32768.0)


def _write_audio(path: Path, clip: Clip) -> None:
    """Write 24 bits a sample, so that the hiss of an empty input survives."""
    waveform = clip.waveform / max(1.0, float(np.abs(clip.waveform).max()))
    with (
        written_whole(path) as part,
        soundfile.SoundFile(part, "w", SAMPLE_RATE_HZ, 1, "PCM_24", format="FLAC") as file,
    ):
        file.comment = clip.source
        file.write(waveform)


def _read_audio(path: Path) -> Clip:
    with soundfile.SoundFile(path) as file:
        return Clip(file.read(dtype="float32"), file.comment)


def _fit(waveform: FloatArray, n_samples: int) -> FloatArray:
    """Repeat or cut a waveform to so many samples."""
    return np.resize(waveform, n_samples)


if __name__ == "__main__":
    main()
