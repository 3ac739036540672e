"""What pupils hear and teachers say: excerpts of recordings, some changed in speed, some mixed.

No label is used. An excerpt is a window of sound; teachers hear it at the rates they were trained
on, and the pupil as the live service will hear it.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rtgenre.model.features import YAMNET_FEATURES, at_usual_level, log_mel_spectrogram
from training.data.coding import through_mp3
from training.data.library import WINDOW_SECONDS, read_sound, resample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from training.data.dataset import FloatArray

HalfArray = NDArray[np.float16]
RATE_HZ = 22050
"""Of recordings as they are read; excerpts are resampled from it."""
_SILENT_BELOW = 1e-3
_BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """One window of sound, as each listener takes it."""

    at_16k: FloatArray
    at_32k: FloatArray
    log_mel: FloatArray
    """``(398, 64)``, what the pupil hears: of some excerpts what an MP3 kept of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What was heard, and what was said of it."""

    heard: HalfArray
    """``(n, 398, 64)``."""
    said: HalfArray
    """``(n, n_taught)``, the values of all teachers side by side."""

    @classmethod
    def joined(cls, parts: Sequence[Lessons]) -> Lessons:
        """Put some behind each other."""
        return cls(
            np.concatenate([part.heard for part in parts]),
            np.concatenate([part.said for part in parts]),
        )

    @classmethod
    def read(cls, path: Path) -> Lessons:
        """Read what ``write`` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(kept["heard"], kept["said"])

    def write(self, path: Path) -> None:
        """Write an ``.npz`` file, all of it or none."""
        part = path.with_suffix(".part.npz")
        np.savez(part, allow_pickle=False, heard=self.heard, said=self.said)
        part.rename(path)


@dataclass(frozen=True, slots=True)
class Plan:
    """How excerpts are drawn from a recording."""

    per_minute: float = 60.0
    most: int = 28
    """From one recording."""
    changed_share: float = 0.5
    """Of the excerpts: played faster or slower."""
    max_speed_change: float = 0.1
    mixed_share: float = 0.25
    """Of the excerpts: another recording sounds too."""
    mixed_db: tuple[float, float] = (-6.0, 12.0)
    """How far below the excerpt the other one is."""
    coded_share: float = 0.25
    """Of the excerpts: the pupil hears them through MP3, the teachers as they are."""
    coded_kbps: tuple[float, float] = (32.0, 112.0)


def make_lessons(
    paths: Sequence[Path],
    chosen: range,
    teach: Callable[[FloatArray, FloatArray], FloatArray],
    plan: Plan,
    seed: int,
    *,
    threads: int,
) -> Lessons:
    """Play excerpts of recordings to the teachers.

    Args:
        paths: of the recordings; each is drawn from with a generator of its own.
        chosen: of the recordings, those that are played; any may sound beside them.
        teach: sound at 16 kHz and at 32 kHz, ``(n, n_samples)`` each, to ``(n, n_taught)``.
        plan: how excerpts are drawn.
        seed: of chance.
        threads: that read and resample.
    """
    heard, said = [], []
    waiting: list[Excerpt] = []

    def flush(least: int) -> None:
        while len(waiting) >= least and waiting:
            block, waiting[:] = waiting[:_BLOCK], waiting[_BLOCK:]
            values = teach(np.stack([e.at_16k for e in block]), np.stack([e.at_32k for e in block]))
            said.append(values.astype(np.float16))
            heard.append(np.stack([e.log_mel for e in block]).astype(np.float16))

    def excerpts(index: int) -> list[Excerpt]:
        return list(_excerpts(index, paths, plan, seed))

    with ThreadPoolExecutor(threads) as pool:
        for index, found in zip(chosen, pool.map(excerpts, chosen), strict=True):
            waiting += found
            flush(_BLOCK)
            print(f"\rlessons: {index + 1}/{len(paths)} recordings", end="", file=sys.stderr)
    flush(1)
    print(file=sys.stderr)
    return Lessons(np.concatenate(heard), np.concatenate(said))


def _excerpts(index: int, paths: Sequence[Path], plan: Plan, seed: int) -> Iterator[Excerpt]:
    rng = np.random.default_rng((seed, index))
    waveform = read_sound(paths[index], RATE_HZ)
    other = read_sound(paths[int(rng.integers(len(paths)))], RATE_HZ)
    n_excerpts = round(len(waveform) / RATE_HZ / 60 * plan.per_minute)
    for _ in range(int(np.clip(n_excerpts, 1, plan.most))):
        speed = 1.0
        if rng.random() < plan.changed_share:
            speed += rng.uniform(-plan.max_speed_change, plan.max_speed_change)
        excerpt = _cut(waveform, speed, rng)
        if rng.random() < plan.mixed_share:
            level = 10.0 ** (-rng.uniform(*plan.mixed_db) / 20.0)
            excerpt = at_usual_level(excerpt) + level * at_usual_level(_cut(other, speed, rng))
        if np.abs(excerpt).max() > _SILENT_BELOW:
            excerpt = at_usual_level(excerpt)
            is_coded = rng.random() < plan.coded_share
            coded = through_mp3(excerpt, rng.uniform(*plan.coded_kbps)) if is_coded else None
            yield _heard(excerpt, coded, speed)


def _cut(waveform: FloatArray, speed: float, rng: np.random.Generator) -> FloatArray:
    length = int((WINDOW_SECONDS + 0.01) * speed * RATE_HZ)
    if len(waveform) < length:
        waveform = np.resize(waveform, length)
    start = rng.integers(0, len(waveform) - length + 1)
    return waveform[start : start + length]


def _heard(excerpt: FloatArray, coded: FloatArray | None, speed: float) -> Excerpt:
    """Give each listener its sound: the pupil what was coded, where it was."""
    at_16k, at_32k = (_at(excerpt, speed, rate_hz) for rate_hz in (16000, 32000))
    pupils = at_16k if coded is None else _at(coded, speed, 16000)
    return Excerpt(at_16k, at_32k, log_mel_spectrogram(pupils, YAMNET_FEATURES))


def _at(sound: FloatArray, speed: float, rate_hz: int) -> FloatArray:
    return resample(sound, RATE_HZ * speed, rate_hz)[: round(WINDOW_SECONDS * rate_hz)]
