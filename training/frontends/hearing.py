"""What an ear hears of every window of a library, worked out once and kept on disk.

Windows are made in blocks of recordings, one file a block, so that a run that was cut off goes on.
Copy 0 is of the recordings as they are, copy 1 goes through ``training.data.rooms``, copy 2
through ``training.data.disturbance``, and over copy 3 people talk (``training.data.talk``).
A folder is of one ear: it notes which, so that no other takes over what that one heard.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import keras
import numpy as np
from numpy.typing import NDArray

from rtgenre.model.feature_params import MUSICNN_FEATURES, YAMNET_FEATURES, FeatureParams
from rtgenre.model.features import log_mel_spectrogram
from training.data.acoustics import SAMPLE_RATE_HZ
from training.data.dataset import DatasetError, IntArray
from training.data.disturbance import Disturbance, disturb
from training.data.library import (
    cut_windows,
    read_or_leave_out,
    recordings_fingerprint,
    resample,
    sound_digest,
)
from training.data.rooms import RoomParams, Rooms, Scale, musicnn_scale, yamnet_scale
from training.data.talk import Talk, read_voices, talked_over
from training.data.whole_file import written_whole
from training.release.tflite import fast_network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from training.data.dataset import FloatArray
    from training.data.library import Recording

HalfArray = NDArray[np.float16]
_BLOCK = 100
AS_IT_IS, ROOMS, DISTURBED, TALK = range(4)
"""What the copies are."""
_WHOSE = "ear.txt"
"""In a folder of blocks: fingerprint of the ear's weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Windows of many recordings, one after another."""

    copies: list[HalfArray]
    """Each ``(n_windows, n_steps, n_values)``; the first is of the windows as they are."""
    recording_index: IntArray
    """``(n_windows,)``, which of the recordings each window is of."""

    def select(self, rows: IntArray) -> Heard:
        """Take some windows."""
        return Heard([copy[rows] for copy in self.copies], self.recording_index[rows])


@dataclass(frozen=True, slots=True)
class Ear:
    """A network that hears, and what it takes."""

    name: str
    network: keras.Model
    """``(batch, n_frames, n_mels)`` to ``(batch, n_steps, n_values)``."""
    features: FeatureParams
    scale: Scale


def two_ears(ear: keras.Model, second: keras.Model) -> tuple[Ear, Ear]:
    """Say what each of the two takes."""
    return (
        Ear("ear", ear, YAMNET_FEATURES, yamnet_scale()),
        Ear("second_ear", second, MUSICNN_FEATURES, musicnn_scale()),
    )


def hear(
    ears: Sequence[Ear],
    recordings: Sequence[Recording],
    folder: Path,
    *,
    n_copies: int,
    seed: int,
    voices: Sequence[Recording] = (),
) -> Heard:
    """Let ears hear recordings; what one says of a whole window stands in every step.

    Recordings that cannot be decoded are named on standard error and have no windows.

    Args:
        ears: the first one sets the steps.
        recordings: of any length.
        folder: keeps what was heard.
        n_copies: of every window; the first as it is, the others disturbed; see above.
        seed: of all that is drawn.
        voices: who talks over copy 3; it is disturbed like copy 2 where there are none.
    """
    heard = [
        EarCache(ear, folder / ear.name, n_copies=n_copies, seed=seed, voices=voices).hear(
            recordings
        )
        for ear in ears
    ]
    n_steps = heard[0].copies[0].shape[1]
    copies = []
    for copy in range(n_copies):
        values = [one.copies[copy] for one in heard]
        spread = [np.broadcast_to(v, (len(v), n_steps, v.shape[2])) for v in values]
        copies.append(np.concatenate(spread, axis=2))
    return Heard(copies, heard[0].recording_index)


class EarCache:
    """Lets an ear hear recordings, and keeps in a folder what it heard."""

    def __init__(
        self,
        ear: Ear,
        folder: Path,
        *,
        n_copies: int,
        seed: int,
        voices: Sequence[Recording] = (),
    ) -> None:
        self._ear = ear
        self._folder = folder
        self._n_copies = n_copies
        self._seed = seed
        self._voices = voices

    @cached_property
    def _network(self) -> Callable[[FloatArray], FloatArray]:
        """Convert it, which takes a while, where something is to be heard at all."""
        return fast_network(self._ear.network)

    @cached_property
    def _speech(self) -> list[FloatArray]:
        return read_voices(self._voices, self._ear.features.sample_rate_hz)

    @cached_property
    def _talk_fingerprint(self) -> bytes:
        return f"{Talk()}{recordings_fingerprint(self._voices)}".encode()

    def hear(self, recordings: Sequence[Recording]) -> Heard:
        """Hear recordings, or read what was heard of them before.

        Raises:
            DatasetError: none can be heard, or another ear has heard what is in the folder.
        """
        self._claim_folder()
        parts = []
        for start in range(0, len(recordings), _BLOCK):
            parts.append(self._block(recordings[start : start + _BLOCK], start))
            done = min(start + _BLOCK, len(recordings))
            print(
                f"\r{self._ear.name}: {done}/{len(recordings)} recordings", end="", file=sys.stderr
            )
        print(file=sys.stderr)
        if not sum(len(index) for _, index in parts):
            raise DatasetError(f"none of {len(recordings)} recordings can be heard")
        copies = [
            np.concatenate([steps[copy] for steps, _ in parts]) for copy in range(self._n_copies)
        ]
        return Heard(copies, np.concatenate([index for _, index in parts]))

    def _block(
        self, recordings: Sequence[Recording], first_index: int
    ) -> tuple[HalfArray, IntArray]:
        path = self._folder / f"{self._key(recordings)}.npz"
        steps, index = self._read(path)
        if len(steps) < self._n_copies:
            copies = [self._hear(recordings, copy) for copy in range(len(steps), self._n_copies)]
            steps = [*steps, *(heard for heard, _ in copies)]
            index = copies[0][1]
            with written_whole(path) as part:
                np.savez(part, allow_pickle=False, steps=np.stack(steps), index=index)
        return np.stack(steps), index + first_index

    def _key(self, recordings: Sequence[Recording]) -> str:
        """Name a block by the sound in it, wherever that lies, and by what that goes through."""
        digest = hashlib.sha256(repr((self._seed, RoomParams(), Disturbance())).encode())
        if self._voices:
            digest.update(self._talk_fingerprint)
        for one in recordings:
            digest.update(sound_digest(one.path))
        return digest.hexdigest()[:16]

    def _read(self, path: Path) -> tuple[list[HalfArray], IntArray]:
        """Read the copies of a block that were heard before, at most as many as are wanted."""
        if not path.exists():
            return [], np.zeros(0, np.int64)
        with np.load(path, allow_pickle=False) as kept:
            return list(kept["steps"][: self._n_copies]), kept["index"]

    def _claim_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path, mine = self._folder / _WHOSE, _fingerprint(self._ear.network)
        if not path.exists():
            with written_whole(path) as part:
                part.write_text(f"{mine}\n", encoding="utf-8")
        whose = path.read_text(encoding="utf-8").strip()
        if whose != mine:
            raise DatasetError(
                f"{self._folder} holds what another ear heard ({whose}, not {mine}); name another "
                "folder with --heard, or remove this one"
            )

    def _hear(self, recordings: Sequence[Recording], copy: int) -> tuple[HalfArray, IntArray]:
        change = partial(self._changed, copy) if copy >= DISTURBED else None
        windows, index = windows_of(recordings, self._ear.features, change)
        if not len(windows):
            return np.zeros((0, *self._ear.network.output_shape[1:]), np.float16), index
        if copy == ROOMS:
            rooms = Rooms(seed=self._seed + copy, scale=self._ear.scale)
            blocks = [windows[start : start + 64] for start in range(0, len(windows), 64)]
            windows = np.concatenate(
                [keras.ops.convert_to_numpy(rooms(block, training=True)) for block in blocks]
            )
        return self._network(windows).astype(np.float16), index

    def _changed(self, copy: int, name: str, sound: FloatArray) -> FloatArray:
        """Change a recording; every ear hears the same."""
        chance = np.random.default_rng([self._seed + copy, *name.encode()])
        rate_hz = self._ear.features.sample_rate_hz
        if copy == TALK and self._speech:
            return talked_over(sound, self._speech, rate_hz, chance)
        return changed_sound(sound, rate_hz, lambda heard: disturb(heard, chance))


def windows_of(
    recordings: Sequence[Recording],
    params: FeatureParams,
    change: Callable[[str, FloatArray], FloatArray] | None = None,
) -> tuple[FloatArray, IntArray]:
    """Cut recordings into windows, as the live service does.

    Args:
        recordings: of any length.
        params: what is heard of a window.
        change: takes a recording's name and sound, and keeps its length; None leaves it as it is.

    Returns:
        ``(n_windows, *params.shape)``, and which recording each is of.
    """
    windows, index = [], []
    for number, one in enumerate(recordings):
        sound = read_or_leave_out(one.path, params.sample_rate_hz)
        if sound is None:
            continue
        heard = sound if change is None else change(one.name, sound)
        cut = cut_windows(heard, params.sample_rate_hz)
        windows += [log_mel_spectrogram(window, params) for window in cut]
        index += [number] * len(cut)
    stacked = np.asarray(windows, np.float32).reshape(-1, *params.shape)
    return stacked, np.array(index, dtype=np.int64)


def changed_sound(
    sound: FloatArray, rate_hz: int, change: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Change a whole recording at the rate that ``training.data.acoustics`` works at.

    Args:
        sound: ``(n_samples,)``; so is what is returned.
        rate_hz: of the sound.
        change: keeps the length.
    """
    heard = change(resample(sound, rate_hz, SAMPLE_RATE_HZ))
    back = resample(heard, SAMPLE_RATE_HZ, rate_hz)[: len(sound)]
    return np.pad(back, (0, len(sound) - len(back)))


def _fingerprint(network: keras.Model) -> str:
    digest = hashlib.sha256()
    for one in network.get_weights():
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()[:16]
