"""Find tracker settings: ``python -m training.tune --data DATASET`` tries a grid of them.

Predicts a session of tracks once, shows it with every setting, and prints the settings that show
the right genre for longest, among those calm and quick enough. Recordings are spliced, or as
``--joined`` says.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.info import ModelError
from rtgenre.tracking.smoothing import TrackerParams
from training.data.dataset import FEATURES, DatasetError
from training.data.library import read_library, read_sound
from training.evaluate import Material, load_classifier, load_split, predictor, recordings_of
from training.scoring import live
from training.scoring.listening import (
    LIVE_SEED,
    LIVE_SHORTEST_SECONDS,
    MOST_VOICES,
    live_sounds,
)
from training.scoring.playlist import faded, with_talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rtgenre.model.classifier import Classifier
    from training.data.dataset import FloatArray
    from training.scoring.playlist import Piece

JOINED = ("spliced", "faded", "talk")
GRID = {
    "time_constant_seconds": (6.0, 10.0, 20.0, 40.0),
    "switch_margin": (0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    "switch_hold_seconds": (0.0, 2.0),
    "unknown_below": (0.1, 0.15, 0.2, 0.3),
}


def settings() -> Iterator[TrackerParams]:
    """Yield every setting of the grid; what it does not name keeps its default."""
    for values in product(*GRID.values()):
        yield replace(TrackerParams(), **dict(zip(GRID, values, strict=True)))


def session_of(classifier: Classifier, material: Material, joined: str) -> live.Session:
    """Play the material once, in random order.

    Args:
        classifier: the model.
        material: what is played; its ``negatives`` hold the talk.
        joined: one of ``JOINED``; spectrograms can only be spliced.

    Raises:
        DatasetError: it cannot be read, or joined as it is to be.
    """
    params = classifier.info.features
    if params == FEATURES:
        if joined != "spliced":
            raise DatasetError(
                f"{classifier.info.name} is played spectrograms, which can only be spliced; "
                "leave --joined out"
            )
        tracks = load_split(material.data[0], material.split)
        predict = predictor(classifier)
        return live.play(tracks, predict, LIVE_SEED)
    join = _joining(joined, material.negatives, params.sample_rate_hz)
    sounds = live_sounds(classifier, recordings_of(material, classifier.info.data))
    if not sounds:
        raise DatasetError(f"none of the recordings plays {LIVE_SHORTEST_SECONDS:g} s of a genre")
    return live.play_sounds(sounds, classifier.predict, params, LIVE_SEED, join)


def _joining(
    joined: str, negatives: Path | None, rate_hz: int
) -> Callable[[list[Piece]], list[Piece]]:
    """Choose how recordings follow one another; what that needs is read at once."""
    if joined == "faded":
        return partial(faded, rate_hz=rate_hz)
    if joined == "talk":
        speech, rng = read_speech(negatives, rate_hz), np.random.default_rng(LIVE_SEED)
        return partial(with_talk, speech=speech, rate_hz=rate_hz, rng=rng)
    return list


def read_speech(negatives: Path | None, rate_hz: int) -> list[FloatArray]:
    """Read the speech that judges.

    Raises:
        DatasetError: it cannot be read, there is none, or nobody said where it is.
    """
    if negatives is None:
        raise DatasetError("talk needs --negatives, a folder that training.negatives has made")
    wanted = [
        one for one in read_library(negatives) if (one.genre, one.split) == ("speech", "valid")
    ]
    if not wanted:
        raise DatasetError(f"{negatives} holds no speech of the split 'valid'")
    return [read_sound(one.path, rate_hz) for one in wanted[:MOST_VOICES]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="training.tune", description=__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="a dataset, or libraries of recordings"
    )
    parser.add_argument("--split", default="valid", help="default: valid")
    parser.add_argument("--joined", choices=JOINED, default=JOINED[0], help="default: spliced")
    parser.add_argument("--negatives", type=Path, help="made by training.negatives; for talk")
    parser.add_argument("--model", default="crnn", help="a model's name or folder; default: crnn")
    parser.add_argument("--switches", type=float, default=1.0, help="most wrong ones a minute")
    parser.add_argument("--seconds", type=float, default=8.0, help="longest median to a change")
    parser.add_argument("--show", type=int, default=10, help="how many settings are printed")
    args = parser.parse_args(arguments)
    try:
        classifier = load_classifier(args.model)
        session = session_of(
            classifier, Material(tuple(args.data), args.split, args.negatives), args.joined
        )
    except (DatasetError, ModelError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    labels = classifier.info.labels
    results = [
        (live.score(session, live.show(session, labels, params)), params) for params in settings()
    ]
    good = [
        (scores, params)
        for scores, params in results
        if scores.wrong_switches_per_minute <= args.switches
        and scores.median_seconds_to_change <= args.seconds
    ]
    good.sort(key=lambda result: -result[0].right_share)
    print(f"{len(good)} of {len(results)} settings are calm and quick enough")
    for scores, params in good[: args.show]:
        chosen = ", ".join(f"{name}={getattr(params, name):g}" for name in GRID)
        print(
            f"right {scores.right_share:.1%}, unknown {scores.unknown_share:.1%}, "
            f"{scores.wrong_switches_per_minute:.2f} wrong switches a minute, "
            f"{scores.median_seconds_to_change:.1f} s to a change: {chosen}"
        )


if __name__ == "__main__":
    main()
