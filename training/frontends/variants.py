"""Windows as they are, and what MP3, and noise, rooms and small loudspeakers make of them.

Windows are made in blocks of recordings, one file a block, so that a run that was cut off goes on.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.features import FeatureParams, log_mel_spectrogram
from training.data.coding import through_mp3
from training.data.dataset import DatasetError
from training.data.disturbance import disturb
from training.data.library import cut_windows, read_sound
from training.frontends.hearing import HalfArray, changed_sound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.data.library import Recording

N_VARIANTS = 4
"""As it is, through MP3, disturbed, disturbed in another way."""
_KBPS = (32.0, 112.0)
_BLOCK = 100


def make_variants(
    recordings: Sequence[Recording], params: FeatureParams, folder: Path, seed: int
) -> HalfArray:
    """Make all variants of the windows of recordings, or read those that were made before.

    Recordings that cannot be decoded are named on standard error and have no windows.

    Args:
        recordings: of any length.
        params: what is heard of a window.
        folder: keeps the blocks.
        seed: of chance.

    Returns:
        ``(N_VARIANTS, n_windows, *params.shape)``.

    Raises:
        DatasetError: none can be decoded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blocks = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(recordings), _BLOCK):
            path = folder / f"windows_{start:05}.npy"
            if not path.exists():
                some = recordings[start : start + _BLOCK]
                made = pool.map(lambda one: _variants(one, params, seed), some)
                part = path.with_suffix(".part.npy")
                np.save(part, np.concatenate(list(made), axis=1))
                part.rename(path)
            blocks.append(np.load(path, allow_pickle=False))
            done = min(start + _BLOCK, len(recordings))
            print(f"\rwindows: {done}/{len(recordings)} recordings", end="", file=sys.stderr)
    print(file=sys.stderr)
    variants: HalfArray = np.concatenate(blocks, axis=1)
    if not variants.shape[1]:
        raise DatasetError(f"none of {len(recordings)} recordings can be decoded")
    return variants


def _variants(recording: Recording, params: FeatureParams, seed: int) -> HalfArray:
    rate_hz = params.sample_rate_hz
    try:
        sound = read_sound(recording.path, rate_hz)
    except DatasetError as error:
        print(f"left out: {error}", file=sys.stderr)
        return np.zeros((N_VARIANTS, 0, *params.shape), np.float16)
    rng = np.random.default_rng([seed, *recording.name.encode()])
    heard = [
        sound,
        changed_sound(sound, rate_hz, lambda one: through_mp3(one, rng.uniform(*_KBPS))),
        changed_sound(sound, rate_hz, lambda one: disturb(one, rng)),
        changed_sound(sound, rate_hz, lambda one: disturb(one, rng)),
    ]
    return np.stack(
        [
            np.stack([log_mel_spectrogram(window, params) for window in cut_windows(one, rate_hz)])
            for one in heard
        ]
    ).astype(np.float16)
