"""What fitting the CRNN needs: examples, batches, loss, optimiser, temperature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from training.networks.batches import DrawnBatches
from training.networks.heads import N_FURTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.data.dataset import FloatArray, IntArray
    from training.frontends.hearing import HalfArray

NO_GENRE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Many windows as the ear heard them, in several copies, and what they are."""

    copies: list[HalfArray]
    """Each ``(n_windows, n_steps, n_values)``; the first is of the windows as they are."""
    genres: IntArray
    """``(n_windows,)``; ``NO_GENRE`` for other music, and for what is not music."""
    is_music: FloatArray
    """``(n_windows,)``, 1 or 0."""
    weights: FloatArray
    """``(n_windows,)``, how often each is drawn, relative to the others."""
    recording_index: IntArray
    """``(n_windows,)``; windows that are not music count on behind the music's recordings."""
    n_labels: int

    def select(self, rows: IntArray) -> Examples:
        """Take some windows."""
        return replace(
            self,
            copies=[copy[rows] for copy in self.copies],
            genres=self.genres[rows],
            is_music=self.is_music[rows],
            weights=self.weights[rows],
            recording_index=self.recording_index[rows],
        )

    def fingerprint(self) -> str:
        """Name what is learnt from: 16 hexadecimal digits; of what was heard, the first steps."""
        digest = hashlib.sha256()
        for one in (*(copy[:, 0] for copy in self.copies), self.targets(), self.weights):
            digest.update(np.ascontiguousarray(one).tobytes())
        return digest.hexdigest()[:16]

    def targets(self) -> FloatArray:
        """Give ``(n_windows, n_labels + 2)``: the genre, music or not, one of the genres or not."""
        targets = np.zeros((len(self.genres), self.n_labels + N_FURTHER), np.float32)
        known = np.flatnonzero(self.genres != NO_GENRE)
        targets[known, self.genres[known]] = 1.0
        targets[:, -2] = self.is_music
        targets[known, -1] = 1.0
        return targets

    def moments(self) -> list[FloatArray]:
        """Give mean and variance of the ear's values over the music, each ``(n_values,)``."""
        clean = self.copies[0][self.is_music > 0].astype(np.float32)
        return [clean.mean(axis=(0, 1)), clean.var(axis=(0, 1))]


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How windows are drawn and changed."""

    size: int = 256
    epoch_windows: int = 16000
    """Drawn with their weights, anew each epoch."""
    clean_share: float = 0.4
    """Of the windows that are drawn as they are; others through rooms."""
    mixup_alpha: float = 0.3
    splice_share: float = 0.25
    """Of the windows that begin with the end of another one."""


class Batches(DrawnBatches):
    """Windows drawn at random, in a copy drawn at random, some blended, some spliced."""

    def __init__(self, examples: Examples, options: BatchOptions, seed: int) -> None:
        shares = examples.weights / examples.weights.sum()
        super().__init__(
            lambda rng: rng.choice(len(shares), options.epoch_windows, p=shares),
            options.size,
            seed,
            drop_last=True,
        )
        self.examples, self.options = examples, options
        self.all_targets = examples.targets()

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        rows = self.rows(index)
        steps, targets = self._mix(self._heard(rows), self.all_targets[rows])
        return self._splice(steps), targets

    def _heard(self, rows: IntArray) -> FloatArray:
        copies = self.examples.copies
        drawn = np.zeros(len(rows), dtype=int)
        if len(copies) > 1:
            changed = self.rng.random(len(rows)) >= self.options.clean_share
            drawn = np.where(changed, self.rng.integers(1, len(copies), len(rows)), 0)
        pairs = zip(drawn, rows, strict=True)
        return np.stack([copies[copy][row] for copy, row in pairs]).astype(np.float32)

    def _mix(self, steps: FloatArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Blend pairs of music windows and of their targets (mixup, Zhang et al. 2018)."""
        if not self.options.mixup_alpha:
            return steps, targets
        share = self.rng.beta(self.options.mixup_alpha, self.options.mixup_alpha, len(steps))
        pair = self.rng.permutation(len(steps))
        both_music = (targets[:, -2] > 0) & (targets[pair, -2] > 0)
        kept = np.where(both_music, np.maximum(share, 1 - share), 1.0)[:, None]
        weight: FloatArray = kept.astype(np.float32)
        mixed = weight[:, :, None] * steps + (1 - weight[:, :, None]) * steps[pair]
        return mixed, weight * targets + (1 - weight) * targets[pair]

    def _splice(self, steps: FloatArray) -> FloatArray:
        """Let some windows begin with the end of another, as where music changes.

        What is asked for stays what plays at the window's end.
        """
        if not self.options.splice_share:
            return steps
        n_windows, n_steps = steps.shape[:2]
        pair = self.rng.permutation(n_windows)
        chosen = self.rng.random(n_windows) < self.options.splice_share
        n_new = self.rng.integers(n_steps // 4, n_steps, n_windows)
        spliced = steps.copy()
        for row in np.flatnonzero(chosen):
            old, new = steps[pair[row], n_new[row] :], steps[row, : n_new[row]]
            spliced[row] = np.concatenate([old, new])
        return spliced


def three_part_loss(
    label_smoothing: float, music_weight: float, familiar_weight: float
) -> Callable[[Any, Any], Any]:
    """Cross-entropy of the genres, of one of the genres or not, and of music or not.

    Other music has no genre to be wrong about, and what is not music is neither familiar nor not.
    Takes targets and logits ``(batch, n_labels + 2)``.
    """

    def loss(targets: Any, logits: Any) -> Any:
        genres, is_music, is_known = targets[:, :-2], targets[:, -2], targets[:, -1]
        n_labels = genres.shape[-1]
        smooth = (1 - label_smoothing) * genres + label_smoothing / n_labels * is_known[:, None]
        genre_loss = -ops.sum(smooth * ops.log_softmax(logits[:, :-2], axis=-1), axis=-1)
        music_loss = _binary(is_music, logits[:, -2])
        familiar_loss = is_music * _binary(ops.minimum(is_known, is_music), logits[:, -1])
        return genre_loss + music_weight * music_loss + familiar_weight * familiar_loss

    return loss


def squared_errors(importance: FloatArray, spread: FloatArray) -> Callable[[Any, Any], Any]:
    """Square errors ``(batch, n)``, and average them by how much each counts.

    Args:
        importance: ``(n,)``, summing to one.
        spread: ``(n,)``, how far each value varies: always giving the means costs 1.
    """

    def loss(said: Any, heard: Any) -> Any:
        off = (heard - said) / ops.convert_to_tensor(spread)
        return ops.sum(ops.square(off) * ops.convert_to_tensor(importance), axis=-1)

    return loss


def compile_once(
    model: keras.Model, chosen: keras.optimizers.Optimizer, loss: Callable[[Any, Any], Any]
) -> None:
    """Make a network ready to be fitted.

    An optimiser that is built while it fits would have TensorFlow compile each step twice.
    """
    model.compile(chosen, loss)
    chosen.build(model.trainable_variables)


def optimiser(
    peak_rate: float, weight_decay: float, epochs: int, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Warm up for an epoch, then fall along a cosine."""
    rate = keras.optimizers.schedules.CosineDecay(
        peak_rate / 20,
        decay_steps=max(1, (epochs - 1) * steps_per_epoch),
        warmup_target=peak_rate,
        warmup_steps=steps_per_epoch,
    )
    chosen = keras.optimizers.AdamW(rate, weight_decay=weight_decay, clipnorm=1.0)
    chosen.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return chosen


def log_probabilities(logits: FloatArray, temperature: float) -> FloatArray:
    """Log-softmax of ``(n, n_labels)`` logits divided by the temperature."""
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    result: FloatArray = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return result


def fit_temperature(logits: FloatArray, truth: IntArray) -> float:
    """Find the temperature under which the truth is likeliest (Guo et al. 2017)."""

    def cost(temperature: float) -> float:
        chosen = log_probabilities(logits, temperature)[np.arange(len(truth)), truth]
        return -float(chosen.mean())

    return float(min(np.geomspace(0.3, 3.0, 200), key=cost))


def balanced_weights(
    genres: Sequence[str],
    recording_index: IntArray,
    sure: Sequence[bool],
    *,
    balance: float,
    doubt: float,
) -> FloatArray:
    """Say how often windows are drawn.

    Args:
        genres: of the recordings.
        recording_index: which recording each window is of.
        sure: of the recordings, whether the label is sure.
        balance: 0 draws genres as they are, 1 all equally often.
        doubt: how often a recording of a doubtful label is drawn, relative to a sure one.

    Returns:
        ``(n_windows,)``; all windows of a recording together weigh what the recording does.
    """
    counts = {genre: genres.count(genre) for genre in set(genres)}
    of_recording = np.array(
        [
            counts[genre] ** -balance * (1.0 if is_sure else doubt)
            for genre, is_sure in zip(genres, sure, strict=True)
        ]
    )
    n_windows = np.bincount(recording_index, minlength=len(genres))
    return np.asarray((of_recording / np.maximum(n_windows, 1))[recording_index], np.float32)


def _binary(target: Any, logit: Any) -> Any:
    return ops.softplus(logit) - target * logit
