"""Fits that leave artists out, judged on those artists."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.types import Prediction
from training.crnn.fits import fit_voices
from training.data.library import N_FOLDS, folds_of
from training.networks.fitting import NO_GENRE, fit_temperature, log_probabilities
from training.networks.heads import N_FURTHER
from training.networks.voices import Said
from training.scoring.outcome import Outcome, judge

if TYPE_CHECKING:
    from pathlib import Path

    from training.crnn.material import Material
    from training.crnn.options import TrainOptions
    from training.data.dataset import FloatArray, IntArray
    from training.networks.fitting import Examples
    from training.networks.voices import Voices

LOGITS = "logits.npz"
"""What was said of each window that was judged: whoever chooses odds looks here."""


def hold_out(
    material: Material, run_folder: Path, options: TrainOptions
) -> tuple[Voices, Examples, dict[str, Any]]:
    """Fit without the artists that the ear was not taught on, and judge there."""
    rest = material.teaching()
    voices = fit_voices(rest, options, run_folder)
    rows = material.rows_of(material.held_out())
    said = voices.say(material.examples.copies[0][rows])
    np.savez(
        run_folder / LOGITS,
        logits=said.together,
        index=material.examples.recording_index[rows],
        not_music=voices.say(material.negatives.copies[0]).together,
    )
    return voices, rest, _all_judged(material, said, rows, options)


def cross_validate(material: Material, run_folder: Path, options: TrainOptions) -> dict[str, Any]:
    """Fit on all folds of artists but one at a time, and judge on that one."""
    folds = np.array(folds_of(material.recordings, N_FOLDS))
    rows = np.arange(material.n_music)
    shape = (len(rows), len(material.labels) + N_FURTHER)
    all_said = Said(*(np.zeros(shape, np.float32) for _ in fields(Said)))
    for fold in range(N_FOLDS):
        left_out = np.flatnonzero(folds == fold)
        rest = material.without(left_out)
        voices = fit_voices(rest, options, run_folder / f"fold{fold}")
        mine = material.rows_of(left_out)
        said = voices.say(material.examples.copies[0][mine])
        for one in fields(Said):
            getattr(all_said, one.name)[mine] = getattr(said, one.name)
    index = material.examples.recording_index[rows]
    np.savez(run_folder / LOGITS, logits=all_said.together, index=index)
    return _all_judged(material, all_said, rows, options)


def _all_judged(
    material: Material, said: Said, rows: IntArray, options: TrainOptions
) -> dict[str, Any]:
    return {
        **_judged(material, said.together, rows, options),
        "recurrent": _judged(material, said.recurrent, rows, options),
        "yardstick": _judged(material, said.linear, rows, options),
    }


def _judged(
    material: Material, logits: FloatArray, rows: IntArray, options: TrainOptions
) -> dict[str, Any]:
    genres = material.examples.genres[rows]
    known = genres != NO_GENRE
    temperature = fit_temperature(logits[known, : len(material.labels)], genres[known])
    return {
        "temperature": temperature,
        **judge(outcome(material, logits, rows, temperature, options.offsets)),
    }


def outcome(
    material: Material,
    logits: FloatArray,
    rows: IntArray,
    temperature: float,
    offsets: tuple[float, float],
) -> Outcome:
    """Say what logits mean for the windows ``rows``."""
    n_labels = len(material.labels)
    genres = np.exp(log_probabilities(logits[:, :n_labels], temperature))
    further = 1.0 / (1.0 + np.exp(-(logits[:, n_labels:] + offsets)))
    return Outcome(
        labels=material.labels,
        recordings=material.recordings,
        predictions=[
            Prediction(genre, float(music), float(familiar))
            for genre, (music, familiar) in zip(genres, further, strict=True)
        ],
        recording_index=material.examples.recording_index[rows],
    )
