"""Songs of genres that are clusters, as an embedding shows them."""

import numpy as np

from rtgenre.learning.examples import OTHER, Examples
from rtgenre.learning.lesson import Song
from rtgenre.types import Prediction

SIZE = 16
LABELS = ("blues", "jazz", "rock")
N_OTHER = 6


def centre(genre):
    """Give where a genre is: everywhere far from the others."""
    return 3.0 * np.random.default_rng(abs(hash_of(genre))).normal(size=SIZE)


def hash_of(text):
    return int.from_bytes(text.encode()[:6], "big")


def windows(genre, seed, n=4):
    """Make windows of one song."""
    rng = np.random.default_rng([hash_of(genre), seed])
    middle = centre(genre) + rng.normal(size=SIZE)
    return (middle + rng.normal(size=(n, SIZE))).astype(np.float32)


def examples(n_songs=12):
    """Make what a model was taught: genres, and other music."""
    kinds = [(label, number) for number, label in enumerate(LABELS)]
    kinds += [(f"{number} other", OTHER) for number in range(N_OTHER)]
    found, labels, recordings = [], [], []
    for name, label in kinds:
        for song in range(n_songs):
            found.append(windows(name, song))
            labels += [label] * len(found[-1])
            recordings += [len(found)] * len(found[-1])
    return Examples(
        np.concatenate(found),
        np.array(labels, np.int64),
        np.array(recordings, np.int64),
        np.array(recordings, np.int64),
    )


def prediction(embedding, genre=None):
    """Say of a window what a network says that knows three genres, and is sure of one or none."""
    sure = np.full(len(LABELS), 0.02, np.float32)
    if genre in LABELS:
        sure[LABELS.index(genre)] = 0.96
    return Prediction(
        sure / sure.sum(), 1.0, 0.9 if genre in LABELS else 0.4, np.asarray(embedding, np.float32)
    )


def song(genre, seed, *, sounds_like=None, artist=None, name=None):
    sound = sounds_like or genre
    return Song(
        name=name or f"{genre}/{seed}.flac",
        genre=genre,
        artist=artist or f"{genre} artist {seed}",
        predictions=tuple(prediction(one, sound) for one in windows(sound, 1000 + seed)),
    )
