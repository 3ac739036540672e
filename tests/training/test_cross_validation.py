from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from keras import layers

from tests.training.conftest import GENRE_HZ, make_track
from training.cross_validation import Recipe, cross_validate
from training.dataset import FEATURES, genre_indices, labels_of, stack_windows
from training.fitting import Examples

if TYPE_CHECKING:
    from training.dataset import Track

N_FOLDS = 2


def tell_the_genre(tracks: list[Track]) -> Examples:
    """Windows whose only step of features is their genre, and as many of no music."""
    windows = stack_windows(tracks)
    labels = labels_of(tracks)
    genres = genre_indices(tracks, labels)[windows.track_index]
    features = 5.0 * np.eye(len(labels) + 1)[genres][:, None]
    none = np.full(len(genres), -1)
    return Examples(
        [np.concatenate([features, 0 * features]).astype(np.float16)],
        (len(labels) + 1,),
        np.concatenate([genres, none]),
        np.concatenate([windows.track_index, none]),
        len(labels),
    )


def say_what_the_features_tell(n_outputs: int) -> keras.Model:
    """Heads that hand their features on as logits."""
    steps = keras.Input((1, n_outputs))
    return keras.Model(steps, layers.Reshape((1, n_outputs))(steps))


def always_say_the_first(n_outputs: int) -> keras.Model:
    """A network that calls every spectrogram music of the first genre."""
    window = keras.Input((FEATURES.n_frames, FEATURES.n_mels))
    flat = layers.Rescaling(0.0)(layers.GlobalAveragePooling1D()(window))
    genres = layers.Dense(n_outputs, bias_initializer="zeros", activation="sigmoid")
    outputs = genres(flat)
    genres.set_weights(
        [genres.get_weights()[0], np.array([9.0, *[-9.0] * (n_outputs - 2), 9.0], np.float32)]
    )
    return keras.Model(window, outputs)


@pytest.fixture
def tracks() -> list[Track]:
    return [
        make_track(genre, number, seconds=20.0, artist=f"{genre} {number // 2}")
        for genre in GENRE_HZ
        for number in range(4)
    ]


def test_every_track_is_judged_by_a_network_that_did_not_hear_its_artist(
    tracks: list[Track],
) -> None:
    heard: dict[str, set[str | None]] = {}
    finished: list[float] = []

    def fit_heads(examples: Examples, fold: str) -> keras.Model:
        music = examples.track_index[examples.track_index >= 0]
        assert (examples.genres < 0).any(), "negatives must be among the examples"
        heard[fold] = {tracks[index].artist for index in music}
        return say_what_the_features_tell(len(GENRE_HZ) + 1)

    def finish(_heads: keras.Model, temperature: float) -> keras.Model:
        finished.append(temperature)
        return always_say_the_first(len(GENRE_HZ) + 1)

    judged = cross_validate(
        Recipe(fit_heads, finish), tell_the_genre(tracks), tracks, N_FOLDS, seed=1
    )

    assert heard["fold0"] | heard["fold1"] == {track.artist for track in tracks}
    assert not heard["fold0"] & heard["fold1"]
    assert judged["n_tracks"] == len(tracks)
    assert judged["window_accuracy"] == judged["track_accuracy"] == 1.0
    assert finished == [judged["temperature"]] * N_FOLDS
    live = judged["live, mean of the folds"]
    assert 0.2 < live["right_share"] < 0.4  # the first of three genres
