"""The benchmark of corrections counts what it says."""

import numpy as np
import pytest

from rtgenre.learning.examples import Examples
from rtgenre.learning.fitting import lay_ground
from rtgenre.types import Prediction
from tests.training.libraries import write_library
from training import taught
from training.taught import Brought, Song, correct

SIZE = 256
DIRECTIONS = np.random.default_rng(3).normal(size=(6, SIZE)).astype(np.float32)


def song(label, said, direction, artist, seed, *, sure=0.6):
    """A song of some windows around a direction, that a network calls ``said``."""
    generator = np.random.default_rng(seed)

    def windows():
        shares = np.full(2, 1 - sure, np.float32)
        shares[said] = sure
        noise = generator.normal(0, 0.3, (4, SIZE)).astype(np.float32)
        return tuple(Prediction(shares, 1.0, 1.0, DIRECTIONS[direction] + one) for one in noise)

    return Song(label, artist, windows(), windows())


def test_corrections_are_counted_by_song_artist_and_what_they_cost():
    kinds = np.array([0, 1] * 30)
    noise = np.random.default_rng(1).normal(0, 0.5, (60, SIZE))
    index = np.arange(60)
    embeddings = (DIRECTIONS[kinds] + noise).astype(np.float32)
    embeddings -= embeddings.mean(axis=0)
    ground = lay_ground(Examples(embeddings, kinds, index, index), 2)
    songs = [
        song(0, 1, 2, "a", 1),
        song(0, 1, 2, "a", 2),
        # Wrong, too, but by nobody that is known.
        song(0, 1, 3, "", 3),
        song(1, 1, 1, "b", 4, sure=0.99),
        # Right, but it sounds just like what is corrected.
        song(1, 1, 2, "c", 5, sure=0.95),
    ]
    brought = Brought()
    for one in correct(songs, ground, ("jazz", "rock")):
        brought.add(one)
    assert brought == Brought(
        corrections=3,
        windows_again=12,
        windows_again_right=12,
        wrong_by_artist=2,
        made_right=2,
        right=6,
        made_wrong=2,
    )
    assert "made right   100.00 % of 2" in brought.lines()


def test_what_cannot_be_judged_ends_the_command_with_one_line(tmp_path):
    library = write_library(tmp_path / "polka", n_artists=1, seconds=0.5, genres=("polka",))
    command = ["--data", str(library), "--split", "all"]
    with pytest.raises(SystemExit, match="error: no model"):
        taught.main([*command, "--model", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match=r"error: crnn knows none of the genres \(1 of polka\)"):
        taught.main(command)
