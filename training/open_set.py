"""How well music of a genre that the CRNN does not know is told from music that it knows.

    python -m training.open_set RUN --ear DISTILLED --library WORLD GTZAN --negatives NEGATIVES

leaves one genre at a time out of what the CRNN learns, fits it without the held-out artists, and
lets several measures rank their recordings: a measure's figure is the AUROC of recordings of the
genre that was left out against those of the others. Each fit and its figures are kept in RUN, so
the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from training.crnn.ears import read_ears
from training.crnn.fits import fit_voices, recipe
from training.crnn.material import Material, load_material
from training.crnn.options import TrainOptions
from training.data.dataset import DatasetError
from training.data.library import OTHER
from training.data.whole_file import written_whole
from training.networks.batches import predict
from training.networks.fitting import NO_GENRE
from training.release.runs import claim_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.data.dataset import FloatArray, IntArray
    from training.networks.fitting import Examples
    from training.networks.voices import Voices

FIGURES = "open_set.json"
"""In the folder of a fit: what it reached."""
MEASURES = {
    "familiar": "the output for one of the genres, tempered by the distance",
    "confidence": "that output's probability times the likeliest genre's, as shown",
    "probability": "the likeliest genre's probability",
    "energy": "logarithm of the sum of the genres' exponentiated logits (Liu et al. 2020)",
    "distance": "from the nearest genre, see training.networks.tempering",
    "nearest": "cosine of the embedding and of the most alike window that was learnt",
}
_LEARNT_SHARE = 4
"""Of the windows that were learnt every so manieth is one that others may be like."""


@dataclass(frozen=True, slots=True)
class OpenSet:
    """How well recordings of a genre that was left out are told from others."""

    genre: str
    n_left_out: int
    """Recordings of it that judge."""
    n_known: int
    auroc: dict[str, float]
    """By measure, 0 to 1; 0.5 is chance."""


def open_set(material: Material, run_folder: Path, options: TrainOptions) -> Iterator[OpenSet]:
    """Leave out one genre at a time.

    Args:
        material: music of all genres.
        run_folder: keeps the fits.
        options: of the fits.

    Raises:
        DatasetError: the folder holds figures of other options or other music.
    """
    recordings, held_out = material.recordings, material.held_out()
    judges = np.array([i for i in held_out if recordings[i].genre != OTHER])
    rest = material.teaching()
    rows = material.rows_of(judges)
    index = material.examples.recording_index[rows]
    judged = material.examples.select(rows)
    made = recipe(options, rest) | {"judged": judged.fingerprint()}
    claim_folder(run_folder, made, f"without-*/{FIGURES}")
    for number, genre in enumerate(material.labels):
        folder = run_folder / f"without-{genre}"
        path = folder / FIGURES
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            learnt = _without(rest, number)
            voices = fit_voices(learnt, options, folder)
            logits = voices.say(judged.copies[0]).together
            logits[:, -1] += options.offsets[1]
            known = np.array([recordings[i].genre != genre for i in np.unique(index)])
            found = OpenSet(
                genre,
                n_left_out=int(np.sum(~known)),
                n_known=int(np.sum(known)),
                auroc={
                    name: float(roc_auc_score(known, _by_recording(one, index)))
                    for name, one in _scores(logits, voices, learnt, judged).items()
                },
            )
            with written_whole(path) as part:
                part.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
            keras.utils.clear_session(free_memory=True)
        yield OpenSet(**json.loads(path.read_text(encoding="utf-8")))


def table(found: Sequence[OpenSet]) -> str:
    """Write figures as a table in Markdown, their means last."""
    lines = [
        f"| left out | recordings | {' | '.join(MEASURES)} |",
        f"|---|---|{'---|' * len(MEASURES)}",
    ]
    for one in found:
        cells = [f"{one.auroc[name]:.2f}" for name in MEASURES]
        lines.append(f"| {one.genre} | {one.n_left_out} | {' | '.join(cells)} |")
    means = [f"{np.mean([one.auroc[name] for one in found]):.3f}" for name in MEASURES]
    lines.append(f"| mean | | {' | '.join(means)} |")
    return "\n".join(lines)


def _without(examples: Examples, genre: int) -> Examples:
    """Drop the windows of a genre, and its label."""
    kept = examples.select(np.flatnonzero(examples.genres != genre))
    return replace(kept, genres=kept.genres - (kept.genres > genre), n_labels=examples.n_labels - 1)


def _scores(
    logits: FloatArray, voices: Voices, learnt: Examples, judged: Examples
) -> dict[str, FloatArray]:
    """Say how well known each window is, by every measure; the scale is each one's own."""
    known = learnt.select(np.flatnonzero(learnt.genres != NO_GENRE)[::_LEARNT_SHARE])
    ours, theirs = (predict(voices.embedding, one.copies[0]) for one in (judged, known))
    genres, familiar = logits[:, : learnt.n_labels], logits[:, -1]
    energy = np.log(np.exp(genres).sum(axis=1))
    log_probability = genres.max(axis=1) - energy
    log_familiar = -np.log1p(np.exp(-familiar))
    return {
        "familiar": familiar,
        "confidence": log_familiar + log_probability,
        "probability": log_probability,
        "energy": energy,
        "distance": -voices.tempering.get_layer("distance").predict(ours, verbose=0)[:, 0],
        "nearest": _nearest(ours, theirs),
    }


def _nearest(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    ours, theirs = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (ours, theirs))
    return np.asarray((ours @ theirs.T).max(axis=1), np.float32)


def _by_recording(scores: FloatArray, index: IntArray) -> FloatArray:
    """Average the windows of each recording."""
    _, recording = np.unique(index, return_inverse=True)
    return np.asarray(np.bincount(recording, scores) / np.bincount(recording), np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.open_set",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder of the fits; if it holds some, that goes on")
    parser.add_argument("--ear", type=Path, required=True, help="run of training.distil")
    parser.add_argument("--library", type=Path, nargs="+", required=True, help="of recordings")
    parser.add_argument("--negatives", type=Path, required=True, help="by training.negatives")
    parser.add_argument("--heard", type=Path, help="keeps what the ear hears; default: RUN/heard")
    parser.add_argument("--epochs", type=int, default=TrainOptions().epochs)
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    args = parser.parse_args(arguments)
    options = TrainOptions(epochs=args.epochs)
    try:
        material = load_material(
            read_ears(args.ear),
            args.library,
            args.negatives,
            args.heard or args.run / "heard",
            options,
        )
        found = list(open_set(material, args.run, options))
    except (DatasetError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    if args.json:
        print(json.dumps([{**one.auroc, "genre": one.genre} for one in found]))
        return
    print(table(found))


if __name__ == "__main__":
    main()
