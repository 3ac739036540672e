"""Steady the ear: it learns to hear through noise, rooms and MP3 what it hears without them.

    python -m training.steady RUN --ear DISTILLED --library WORLD GTZAN --hold-out

The ear as it was is the teacher: what it says of windows as they are, it learns to say of the same
windows disturbed. What is written is half-way there, which keeps most of what it hears where
nothing is disturbed. No label is used. Writes ``ear.keras``, ``run.json`` and a checkpoint, from
which the same command goes on where it was stopped; ``training.train --ear RUN`` takes it from
there.

``--hold-out`` keeps a fifth of all artists, and GTZAN's ``valid``, from it, as ``training.distil``
does.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from rtgenre.model.features import YAMNET_FEATURES
from training.crnn.ears import read_ears
from training.data.dataset import DatasetError
from training.data.library import held_out_names, read_library
from training.frontends.ear import EAR_FILE_NAME
from training.frontends.variants import N_VARIANTS, make_variants
from training.networks.batches import DrawnBatches, predict
from training.networks.fitting import compile_once, optimiser, said_loss
from training.release.runs import claim_folder, git_commit, names_fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.dataset import FloatArray
    from training.frontends.hearing import HalfArray

_LEAST_SPREAD = 0.3
"""Of an ear's value, relative to the median: rare ones would count for more than they tell."""


@dataclass(frozen=True, slots=True)
class SteadyOptions:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 4
    batch_size: int = 64
    peak_learning_rate: float = 4e-4
    weight_decay: float = 1e-5
    shares: tuple[float, ...] = (0.25, 0.35, 0.2, 0.2)
    """How often a window is heard as it is, through MP3, and disturbed in either way."""
    kept: float = 0.5
    """Share of the weights as they were in what is written (WiSE-FT, Wortsman et al. 2022)."""


class SteadyBatches(DrawnBatches):
    """Windows in a drawn variant, and what was said of them as they are."""

    def __init__(self, variants: HalfArray, said: HalfArray, options: SteadyOptions) -> None:
        super().__init__(
            lambda rng: rng.permutation(len(said)),
            options.batch_size,
            options.seed,
            drop_last=True,
        )
        self._variants, self._said = variants, said
        self._shares = np.array(options.shares) / sum(options.shares)

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        rows = self.rows(index)
        drawn = self.rng.choice(N_VARIANTS, len(rows), p=self._shares)
        return self._variants[drawn, rows].astype(np.float32), self._said[rows].astype(np.float32)


def steady(
    ear_run: Path,
    libraries: Sequence[Path],
    run_folder: Path,
    options: SteadyOptions,
    *,
    hold_out: bool,
) -> None:
    """Teach the ear and write its run folder.

    Raises:
        DatasetError: the recordings or the ear cannot be read, or the folder holds a run of other
            options.
    """
    keras.utils.set_random_seed(options.seed)
    ear = read_ears(ear_run)[0].network
    before = ear.get_weights()
    recordings = [one for folder in libraries for one in read_library(folder)]
    kept = held_out_names(recordings) if hold_out else set()
    chosen = [one for one in recordings if one.name not in kept]
    recipe = asdict(options) | {
        "shares": list(options.shares),
        "ear": str(ear_run.resolve()),
        "recordings": names_fingerprint(one.name for one in chosen),
    }
    claim_folder(run_folder, recipe, "checkpoint", "windows/*.npy")
    variants = make_variants(chosen, YAMNET_FEATURES, run_folder / "windows", options.seed)
    said = predict(ear, variants[0]).astype(np.float16)
    batches = SteadyBatches(variants, said, options)
    taught = keras.Model(ear.input, ear.output)  # the ear itself is saved without an optimiser
    compile_once(
        taught,
        optimiser(options.peak_learning_rate, options.weight_decay, options.epochs, len(batches)),
        said_loss(_spread(said), np.full(said.shape[-1], 1.0 / said.shape[-1], np.float32)),
    )
    fitted = taught.fit(
        batches,
        epochs=options.epochs,
        callbacks=[
            keras.callbacks.BackupAndRestore(run_folder / "checkpoint", delete_checkpoint=False)
        ],
        verbose=2,
    )
    pairs = zip(before, ear.get_weights(), strict=True)
    ear.set_weights([options.kept * old + (1.0 - options.kept) * new for old, new in pairs])
    ear.save(run_folder / EAR_FILE_NAME)
    report = {
        "options": recipe,
        "windows": len(said),
        "unexplained_share": fitted.history.get("loss", []),
        "git_commit": git_commit(),
    }
    (run_folder / "run.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["unexplained_share"]))


def _spread(said: HalfArray) -> FloatArray:
    """Give each value's standard deviation, ``(n_values,)``; of rare ones a floor."""
    deviation = said.reshape(-1, said.shape[-1]).astype(np.float32).std(axis=0)
    return np.asarray(np.maximum(deviation, _LEAST_SPREAD * np.median(deviation)), np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    default = SteadyOptions()
    parser = argparse.ArgumentParser(
        prog="training.steady",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument("--ear", type=Path, required=True, help="run of training.distil")
    parser.add_argument(
        "--library", type=Path, nargs="+", required=True, help="folders of recordings"
    )
    parser.add_argument("--hold-out", action="store_true", help="keep some artists for judging")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.peak_learning_rate)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    options = SteadyOptions(
        epochs=args.epochs,
        batch_size=args.batch_size,
        peak_learning_rate=args.learning_rate,
        seed=args.seed,
    )
    try:
        steady(args.ear, args.library, args.run, options, hold_out=args.hold_out)
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
