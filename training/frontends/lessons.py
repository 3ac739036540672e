"""What pupils hear, and what teachers said of the same excerpts.

No label is used. Some excerpts are changed for all who listen: played faster or slower, with
another recording beside them, through an equaliser. Teachers hear each once, pupils several times,
some of them changed for the pupils alone, by MP3, noise, a room or a small loudspeaker, so that
they learn to hear through those.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
from numpy.typing import NDArray

from rtgenre.model.features import at_usual_level
from training.data.acoustics import SAMPLE_RATE_HZ, random_equaliser
from training.data.coding import through_mp3
from training.data.dataset import DatasetError
from training.data.disturbance import disturb
from training.data.library import WINDOW_SECONDS, read_sound, resample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.data.dataset import FloatArray

Sound = NDArray[np.int16]
"""Of a recording, ``(n_samples,)`` at ``SAMPLE_RATE_HZ``; half as large as in single precision."""
_FULL_SCALE = 32767.0
_SILENT_BELOW = 33
"""-60 dBFS."""
_SOME = 16
"""Every such sample tells how loud an excerpt is."""
_QUICK_LENGTH = 4096
"""Excerpts are multiples of it: a transform of a length that is nearly prime takes far longer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How excerpts are drawn; shares are of all of them."""

    changed_share: float = 0.5
    """Played faster or slower."""
    max_speed_change: float = 0.1
    mixed_share: float = 0.35
    """Another recording sounds too."""
    mixed_db: tuple[float, float] = (-6.0, 12.0)
    """How far below the excerpt the other one is."""
    coloured_share: float = 0.3
    """All hear it through an equaliser."""
    coded_share: float = 0.25
    """Pupils hear it through MP3."""
    coded_kbps: tuple[float, float] = (32.0, 112.0)
    disturbed_share: float = 0.4
    """Pupils hear it through noise, a room or a small loudspeaker."""


AS_IT_IS = Plan(
    changed_share=0.0, mixed_share=0.0, coloured_share=0.0, coded_share=0.0, disturbed_share=0.0
)


def read_sounds(paths: Sequence[Path]) -> list[Sound]:
    """Read recordings.

    Raises:
        DatasetError: one cannot be decoded.
    """

    def read(path: Path) -> Sound:
        waveform = read_sound(path, SAMPLE_RATE_HZ)
        return np.round(np.clip(waveform, -1.0, 1.0) * _FULL_SCALE).astype(np.int16)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(read, paths))


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Batches of excerpts, drawn by a seed: the same each time that they are asked for."""

    sounds: Sequence[Sound]
    """Of the recordings."""
    shares: NDArray[np.float64]
    """Of the excerpts, how many are drawn from each; together one."""
    plan: Plan
    batch_size: int
    n_batches: int
    seed: int

    def for_teachers(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Give ``(batch_size, 64000)`` at 16 kHz and ``(batch_size, 128000)`` at 32 kHz."""
        drawn = self._drawn(index)
        at_16k, at_32k = (
            np.stack([_at(excerpt, speed, rate_hz) for excerpt, speed in drawn])
            for rate_hz in (16000, 32000)
        )
        return at_16k, at_32k

    def for_pupils(self, index: int, hearing: int) -> FloatArray:
        """Give ``(batch_size, 64000)`` at 16 kHz and a usual level; in each hearing otherwise."""
        rng = np.random.default_rng([self.seed, index, hearing])
        changed = [
            (_changed(excerpt, self.plan, rng), speed) for excerpt, speed in self._drawn(index)
        ]
        return np.stack([at_usual_level(_at(excerpt, speed, 16000)) for excerpt, speed in changed])

    def _drawn(self, index: int) -> list[tuple[FloatArray, float]]:
        """Draw what all hear, at ``SAMPLE_RATE_HZ``, and how fast it is to be played."""
        rng = np.random.default_rng([self.seed, index])
        rows = rng.choice(len(self.sounds), (self.batch_size, 2), p=self.shares)
        return [self._excerpt(self.sounds[one], self.sounds[other], rng) for one, other in rows]

    def _excerpt(
        self, sound: Sound, other: Sound, rng: np.random.Generator
    ) -> tuple[FloatArray, float]:
        plan, speed = self.plan, 1.0
        if rng.random() < plan.changed_share:
            speed += rng.uniform(-plan.max_speed_change, plan.max_speed_change)
        excerpt = at_usual_level(_cut(sound, speed, rng))
        if rng.random() < plan.mixed_share:
            level = np.float32(10.0 ** (-rng.uniform(*plan.mixed_db) / 20.0))
            excerpt = excerpt + level * at_usual_level(_cut(other, speed, rng))
        if rng.random() < plan.coloured_share:
            excerpt = random_equaliser(excerpt, rng)
        return at_usual_level(excerpt), speed


def by_length(sounds: Sequence[Sound]) -> NDArray[np.float64]:
    """Let recordings be drawn from as often as they are long, and silent ones never.

    Returns:
        ``(n,)``, summing to one.

    Raises:
        DatasetError: all of them are silent.
    """
    lengths = np.array([len(one) * (_levels(one).max() >= _SILENT_BELOW) for one in sounds], float)
    if not lengths.any():
        raise DatasetError(f"all of {len(sounds)} recordings are silent")
    return np.asarray(lengths / lengths.sum())


class Lessons(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """What pupils hear and what teachers said of it, batch by batch.

    All of it is heard before any of it is heard again, changed otherwise and in another order: what
    comes again soon is learnt by heart.
    """

    def __init__(
        self,
        excerpts: Excerpts,
        said: NDArray[np.float16],
        *,
        epoch_batches: int | None = None,
        epoch: int = 0,
    ) -> None:
        """Begin.

        Args:
            excerpts: what is heard.
            said: ``(n, n_taught)``, what teachers said of it.
            epoch_batches: how many of its batches are an epoch; all of them by default.
            epoch: how many epochs went before.
        """
        super().__init__(workers=os.cpu_count() or 1)
        self._excerpts, self._said, self._epoch = excerpts, said, epoch
        self._epoch_batches = epoch_batches or excerpts.n_batches

    def __len__(self) -> int:
        return self._epoch_batches

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Give ``(batch_size, 64000)`` and ``(batch_size, n_taught)``."""
        excerpts = self._excerpts
        hearing, place = divmod(self._epoch * self._epoch_batches + index, excerpts.n_batches)
        batch, size = self._order(hearing)[place], excerpts.batch_size
        said = self._said[batch * size : (batch + 1) * size].astype(np.float32)
        return excerpts.for_pupils(batch, hearing), said

    def on_epoch_end(self) -> None:
        """Go on with the next ones."""
        self._epoch += 1

    def _order(self, hearing: int) -> Sequence[int]:
        batches = range(self._excerpts.n_batches)
        if hearing == 0:  # as they were drawn
            return batches
        rng = np.random.default_rng([self._excerpts.seed, hearing])
        return [int(one) for one in rng.permutation(batches)]


def _cut(sound: Sound, speed: float, rng: np.random.Generator) -> FloatArray:
    length = int((WINDOW_SECONDS + 0.01) * speed * SAMPLE_RATE_HZ)
    length = -(-length // _QUICK_LENGTH) * _QUICK_LENGTH
    if len(sound) < length:
        sound = np.resize(sound, length)
    start = int(rng.integers(0, len(sound) - length + 1))
    # Of silence, and of a few notes in it, teachers say what is far from all else.
    if np.median(_levels(sound[start : start + length : _SOME])) < _SILENT_BELOW:
        start = min(int(_levels(sound).argmax()), len(sound) - length)
    return sound[start : start + length].astype(np.float32) / np.float32(_FULL_SCALE)


def _levels(sound: Sound) -> NDArray[np.int32]:
    return np.abs(sound.astype(np.int32))


def _changed(excerpt: FloatArray, plan: Plan, rng: np.random.Generator) -> FloatArray:
    """Change an excerpt for the pupils alone, or not."""
    kind = rng.random()
    if kind < plan.coded_share:
        return through_mp3(excerpt, rng.uniform(*plan.coded_kbps))
    if kind < plan.coded_share + plan.disturbed_share:
        return disturb(excerpt, rng)
    return excerpt


def _at(sound: FloatArray, speed: float, rate_hz: int) -> FloatArray:
    return resample(sound, SAMPLE_RATE_HZ * speed, rate_hz)[: round(WINDOW_SECONDS * rate_hz)]
