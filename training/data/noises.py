"""Sounds of a home that are not music, made from random numbers; pure.

Each maker takes a generator and a number of samples at the features' rate and returns a float32
waveform; its level means nothing. ``NOISES`` lists them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from training.data.acoustics import SAMPLE_RATE_HZ, as_float32, band_pass, coloured_noise, convolve
from training.data.dataset import FloatArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

Maker = Callable[[np.random.Generator, int], FloatArray]


def steady_noise(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """White, pink, brown, and everything between: hiss, air, a far road."""
    return coloured_noise(rng, n_samples, rng.uniform(-9.0, 3.0))


def band_noise(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Noise of one band: steam, a badly tuned radio, air from a duct."""
    low_hz = 10.0 ** rng.uniform(1.5, 3.5)
    high_hz = min(low_hz * 2.0 ** rng.uniform(0.5, 4.0), 10000.0)
    return band_pass(coloured_noise(rng, n_samples, rng.uniform(-3.0, 0.0)), low_hz, high_hz)


def mains_hum(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """50 or 60 Hz with harmonics that fall off, over a hiss."""
    mains_hz = rng.choice([50.0, 60.0])
    orders = np.arange(1, rng.integers(3, 40))
    levels = rng.uniform(0.05, 1.0, len(orders)) * orders ** -rng.uniform(0.3, 1.5)
    tones = _harmonics(rng, np.full(n_samples, mains_hz), orders, levels)
    return as_float32(tones + 10.0 ** rng.uniform(-3.0, -0.5) * coloured_noise(rng, n_samples, -3))


def fan(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Rushing air with a blade tone: fans, extractor hoods, vacuum cleaners, hair dryers."""
    blade_hz = 10.0 ** rng.uniform(1.5, 3.0) * (1.0 + 0.01 * _wander(rng, n_samples, 0.3))
    orders = np.arange(1, 8)
    tones = _harmonics(rng, blade_hz, orders, orders ** -rng.uniform(0.5, 2.0))
    air = coloured_noise(rng, n_samples, rng.uniform(-6.0, 0.0))
    return as_float32(
        (1.0 + 0.1 * _wander(rng, n_samples, 2.0)) * air + rng.uniform(0, 0.7) * tones
    )


def traffic(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Rumble with cars that come, pass and go, and an engine's tone."""
    road = coloured_noise(rng, n_samples, rng.uniform(-7.0, -3.0))
    swells = np.full(n_samples, 0.1)
    times = _seconds(n_samples)
    for _ in range(rng.integers(1, 6)):
        centre, width = rng.uniform(0, times[-1]), rng.uniform(0.5, 3.0)
        swells += rng.uniform(0.3, 1.0) * np.exp(-0.5 * ((times - centre) / width) ** 2)
    engine_hz = rng.uniform(25.0, 120.0) * (1.0 + 0.2 * _wander(rng, n_samples, 0.2))
    orders = np.arange(1, 12)
    engine = _harmonics(rng, engine_hz, orders, rng.uniform(0.1, 1.0, len(orders)) / orders)
    return as_float32(swells * (road + rng.uniform(0.0, 1.0) * engine))


def wind(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Gusts: low noise whose level and brightness swell together."""
    gusts = np.clip(0.5 + 0.5 * _wander(rng, n_samples, rng.uniform(0.2, 1.0)), 0.02, None)
    low = coloured_noise(rng, n_samples, -9.0)
    whistle_hz = rng.uniform(200.0, 900.0)
    whistle = band_pass(coloured_noise(rng, n_samples, 0.0), whistle_hz, 1.3 * whistle_hz)
    return as_float32(gusts * low + rng.uniform(0.0, 0.5) * gusts**2 * whistle)


def rain(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """A hiss of far drops and the patter of near ones; frying sounds much the same."""
    drops = _impulses(rng, n_samples, per_second=10.0 ** rng.uniform(1.0, 3.0))
    near = _ring(drops, rng.uniform(1500.0, 6000.0), decay_seconds=rng.uniform(0.001, 0.006))
    hiss = band_pass(coloured_noise(rng, n_samples, 0.0), rng.uniform(500.0, 2000.0), 10000.0)
    return as_float32(near / _peak(near) + rng.uniform(0.02, 0.3) * hiss)


def water(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """A tap or a brook: bubbles, each a short tone of its own, over a hiss."""
    hiss = coloured_noise(rng, n_samples, rng.uniform(-4.0, 0.0))
    mix = as_float32(rng.uniform(0.02, 0.2) * hiss)
    for _ in range(12):
        bubbles = _impulses(rng, n_samples, per_second=rng.uniform(1.0, 12.0))
        ringing = _ring(bubbles, rng.uniform(400.0, 4000.0), rng.uniform(0.004, 0.03))
        mix += as_float32(rng.uniform(0.2, 1.0) * ringing / _peak(ringing))
    return mix


def applause(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Many hands, from a few people to a hall, swelling and fading."""
    mix = np.zeros(n_samples, dtype=np.float32)
    for _ in range(5):
        claps = _impulses(rng, n_samples, per_second=10.0 ** rng.uniform(0.5, 2.3))
        noise = coloured_noise(rng, n_samples, 0.0) * _smear(claps, rng.uniform(0.003, 0.012))
        centre_hz = rng.uniform(800.0, 2500.0)
        mix += band_pass(as_float32(noise), centre_hz / 1.6, centre_hz * 1.6)
    return as_float32(mix * np.clip(0.7 + 0.3 * _wander(rng, n_samples, 0.3), 0.05, None))


def knocks(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Steps, doors, dishes, tools: sparse, irregular strikes on things that ring."""
    mix = np.zeros(n_samples, dtype=np.float32)
    per_second = rng.uniform(0.3, 3.0)
    for _ in range(4):
        hits = _impulses(rng, n_samples, per_second)
        hz = 10.0 ** rng.uniform(1.8, 3.7)
        ringing = _ring(hits, hz, decay_seconds=10.0 ** rng.uniform(-2.3, -0.7))
        mix += as_float32(rng.uniform(0.2, 1.0) * ringing / _peak(ringing))
    room = coloured_noise(rng, n_samples, -3.0)
    return as_float32(mix + 10.0 ** rng.uniform(-3.5, -2.0) * room)


def keyboard(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Typing: bursts of keys, each down and up, over the noise of a room."""
    typing = _wander(rng, n_samples, 0.5) > -0.3
    keys = _impulses(rng, n_samples, per_second=rng.uniform(3.0, 9.0)) * typing
    up = np.roll(keys, round(rng.uniform(0.06, 0.12) * SAMPLE_RATE_HZ)) * 0.4
    bursts = _smear(as_float32(keys + up), rng.uniform(0.002, 0.006))
    clicks = band_pass(
        as_float32(coloured_noise(rng, n_samples, 0.0) * bursts), rng.uniform(300.0, 1500.0), 8000.0
    )
    room = coloured_noise(rng, n_samples, -4.0)
    return as_float32(clicks / _peak(clicks) + 10.0 ** rng.uniform(-3.0, -2.0) * room)


def alarm(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Beeps and sirens: one tone, on and off or sweeping, again and again."""
    times = _seconds(n_samples)
    period_seconds = rng.uniform(0.25, 2.5)
    phase = (times / period_seconds) % 1.0
    base_hz = rng.uniform(400.0, 3500.0)
    sweep = rng.choice([0.0, 0.0, rng.uniform(0.1, 0.6)])
    hz = base_hz * (1.0 + sweep * np.abs(2.0 * phase - 1.0))
    on = phase < rng.uniform(0.1, 0.6) if sweep == 0.0 else np.ones(n_samples)
    orders = np.arange(1, rng.integers(2, 6))
    tone = _harmonics(rng, hz, orders, 1.0 / orders ** rng.uniform(0.5, 2.0))
    hiss = steady_noise(rng, n_samples)
    return as_float32(tone * on + 10.0 ** rng.uniform(-3.0, -1.0) * hiss)


def room_tone(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """A quiet room as a microphone hears it: its own hiss, some hum, now and then a rustle."""
    hiss = coloured_noise(rng, n_samples, rng.uniform(-5.0, -1.0))
    hum = rng.uniform(0.0, 1.0) * mains_hum(rng, n_samples)
    rustle = rng.choice([0.0, 1.0]) * rng.uniform(0.5, 5.0) * knocks(rng, n_samples)
    return as_float32(hiss + hum + rustle)


def dither(rng: np.random.Generator, n_samples: int) -> FloatArray:
    """An open input with nothing on it: the last bits of a converter, 16-bit full scale ±1."""
    level = 2.0 ** -rng.uniform(13.0, 16.0)
    noise = level * coloured_noise(rng, n_samples, rng.uniform(-2.0, 0.0))
    return as_float32(np.rint(noise * 32768.0) / 32768.0)


NOISES: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        steady_noise,
        band_noise,
        mains_hum,
        fan,
        traffic,
        wind,
        rain,
        water,
        applause,
        knocks,
        keyboard,
        alarm,
        room_tone,
    )
}


def _seconds(n_samples: int) -> NDArray[np.float64]:
    return np.arange(n_samples) / SAMPLE_RATE_HZ


def _peak(waveform: FloatArray) -> float:
    return max(float(np.abs(waveform).max()), 1e-9)


def _wander(rng: np.random.Generator, n_samples: int, per_second: float) -> NDArray[np.float64]:
    """A slow random walk around 0, about ±1, with so many bends a second."""
    n_points = 3 + int(n_samples / SAMPLE_RATE_HZ * per_second)
    points = rng.standard_normal(n_points)
    return np.asarray(
        np.interp(np.linspace(0, n_points - 1, n_samples), np.arange(n_points), points)
    )


def _impulses(rng: np.random.Generator, n_samples: int, per_second: float) -> FloatArray:
    """Random instants of random strength, on average so many a second, at least one."""
    count = max(1, rng.poisson(per_second * n_samples / SAMPLE_RATE_HZ))
    train = np.zeros(n_samples, dtype=np.float32)
    np.add.at(train, rng.integers(0, n_samples, count), rng.uniform(0.1, 1.0, count) ** 2)
    return train


def _ring(impulses: FloatArray, hz: float, decay_seconds: float) -> FloatArray:
    """Let every impulse strike something that rings at ``hz`` and dies away."""
    times = _seconds(max(2, int(8 * decay_seconds * SAMPLE_RATE_HZ)))
    return convolve(impulses, np.sin(2 * np.pi * hz * times) * np.exp(-times / decay_seconds))


def _smear(impulses: FloatArray, decay_seconds: float) -> FloatArray:
    times = _seconds(max(2, int(8 * decay_seconds * SAMPLE_RATE_HZ)))
    return convolve(impulses, np.exp(-times / decay_seconds))


def _harmonics(
    rng: np.random.Generator,
    hz: NDArray[np.float64],
    orders: NDArray[np.int64],
    levels: NDArray[np.floating],
) -> FloatArray:
    """Sum sines at multiples of a moving frequency, those below 10 kHz."""
    phase = 2.0 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
    tones = np.zeros(len(hz))
    for order, level in zip(orders, levels, strict=True):
        audible = order * hz < 10000.0
        tones += level * audible * np.sin(order * phase + rng.uniform(0.0, 2.0 * np.pi))
    return as_float32(tones)
