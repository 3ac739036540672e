"""What a pupil hears while its teachers hear the same sound: excerpts, drawn anew each time.

No label is used. Some excerpts are changed for all who listen: played faster or slower, with
another recording beside them, through an equaliser. Some are changed for the pupil alone, by MP3,
noise, a room or a small loudspeaker, so that it learns to hear through those.
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
from training.data.disturbance import disturb
from training.data.library import WINDOW_SECONDS, read_sound, resample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.data.dataset import FloatArray

Sound = NDArray[np.int16]
"""Of a recording, ``(n_samples,)`` at ``SAMPLE_RATE_HZ``; half as large as in single precision."""
_FULL_SCALE = 32767.0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One window of sound, as each listener takes it."""

    at_16k: FloatArray
    at_32k: FloatArray
    pupils: FloatArray
    """At 16 kHz, what the pupil hears, at a usual level."""


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
    """The pupil hears it through MP3."""
    coded_kbps: tuple[float, float] = (32.0, 112.0)
    disturbed_share: float = 0.4
    """The pupil hears it through noise, a room or a small loudspeaker."""


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


class Lessons(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """Batches of excerpts; in each epoch others, and each batch by a generator of its own."""

    def __init__(
        self,
        sounds: Sequence[Sound],
        plan: Plan,
        *,
        batch_size: int,
        n_batches: int,
        seed: int,
        first_epoch: int = 0,
        repeats: bool = False,
    ) -> None:
        """Begin.

        Args:
            sounds: of the recordings; each is drawn from as often as it is long.
            plan: how excerpts are drawn.
            batch_size: excerpts in a batch.
            n_batches: in an epoch.
            seed: of chance.
            first_epoch: how many epochs there were before.
            repeats: whether all epochs are alike, as for judging.
        """
        super().__init__(workers=os.cpu_count() or 1)
        self._sounds, self._plan = sounds, plan
        self._batch_size, self._n_batches, self._seed = batch_size, n_batches, seed
        self._epoch, self._repeats = first_epoch, repeats
        lengths = np.array([len(one) for one in sounds], float)
        self._shares = lengths / lengths.sum()

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, index: int) -> tuple[tuple[FloatArray, ...], FloatArray]:
        """Give ``(n, 64000)``, ``(n, 128000)`` and ``(n, 64000)``, and noughts to compare with.

        What the pupil is compared with is what teachers say, which the network asks them itself.
        """
        rng = np.random.default_rng([self._seed, self._epoch, index])
        drawn = [self._excerpt(rng) for _ in range(self._batch_size)]
        heard = [np.stack(part) for part in zip(*map(_parts, drawn), strict=True)]
        return tuple(heard), np.zeros((self._batch_size, 1), np.float32)

    def on_epoch_end(self) -> None:
        """Go on with other excerpts."""
        self._epoch += not self._repeats

    def _excerpt(self, rng: np.random.Generator) -> Excerpt:
        plan = self._plan
        speed = 1.0
        if rng.random() < plan.changed_share:
            speed += rng.uniform(-plan.max_speed_change, plan.max_speed_change)
        excerpt = at_usual_level(self._cut(speed, rng))
        if rng.random() < plan.mixed_share:
            level = np.float32(10.0 ** (-rng.uniform(*plan.mixed_db) / 20.0))
            excerpt = excerpt + level * at_usual_level(self._cut(speed, rng))
        if rng.random() < plan.coloured_share:
            excerpt = random_equaliser(excerpt, rng)
        excerpt = at_usual_level(excerpt)
        at_16k, at_32k = (_at(excerpt, speed, rate_hz) for rate_hz in (16000, 32000))
        changed = _changed(excerpt, plan, rng)
        pupils = at_16k if changed is None else _at(changed, speed, 16000)
        return Excerpt(at_16k, at_32k, at_usual_level(pupils))

    def _cut(self, speed: float, rng: np.random.Generator) -> FloatArray:
        sound = self._sounds[rng.choice(len(self._sounds), p=self._shares)]
        length = int((WINDOW_SECONDS + 0.01) * speed * SAMPLE_RATE_HZ)
        if len(sound) < length:
            sound = np.resize(sound, length)
        start = rng.integers(0, len(sound) - length + 1)
        return sound[start : start + length].astype(np.float32) / np.float32(_FULL_SCALE)


def _parts(excerpt: Excerpt) -> tuple[FloatArray, FloatArray, FloatArray]:
    return excerpt.at_16k, excerpt.at_32k, excerpt.pupils


def _changed(excerpt: FloatArray, plan: Plan, rng: np.random.Generator) -> FloatArray | None:
    """Change an excerpt for the pupil alone, or not."""
    kind = rng.random()
    if kind < plan.coded_share:
        return through_mp3(excerpt, rng.uniform(*plan.coded_kbps))
    if kind < plan.coded_share + plan.disturbed_share:
        return disturb(excerpt, rng)
    return None


def _at(sound: FloatArray, speed: float, rate_hz: int) -> FloatArray:
    return resample(sound, SAMPLE_RATE_HZ * speed, rate_hz)[: round(WINDOW_SECONDS * rate_hz)]
