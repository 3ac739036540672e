"""Synthetic audio for the tests."""

import functools

import numpy as np


def tone(frequency_hz=440.0, seconds=4.0, rate_hz=22050, amplitude=0.5):
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def noise(seconds=4.0, rate_hz=22050, amplitude=0.1, seed=0):
    generator = np.random.default_rng(seed)
    return (amplitude * generator.standard_normal(round(seconds * rate_hz))).astype(np.float32)


@functools.cache
def music(seconds=4.0, rate_hz=22050, seed=0):
    """Chords with harmonics and decaying notes: broadband, with attacks, like an instrument.

    Whoever asks again gets the same array, which nobody may write to: it takes a second to make.
    """
    generator = np.random.default_rng(seed)
    signal = np.zeros(round(seconds * rate_hz), dtype=np.float32)
    for start in np.arange(0, seconds, 0.25):
        offset = round(start * rate_hz)
        time = np.arange(len(signal) - offset) / rate_hz
        decay = np.exp(-4 * time)
        root_hz = 110 * 2 ** (generator.integers(0, 24) / 12)
        for interval in (0, 4, 7):
            for harmonic in range(1, 6):
                frequency_hz = harmonic * root_hz * 2 ** (interval / 12)
                note = np.sin(2 * np.pi * frequency_hz * time) * decay / harmonic
                signal[offset:] += 0.03 * note.astype(np.float32)
    signal.flags.writeable = False
    return signal
