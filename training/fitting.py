"""What fitting the heads needs: examples, batches, loss, optimiser, temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from training.metrics import expected_calibration_error, reliability_bins

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.dataset import FloatArray, IntArray
    from training.frames import HalfArray


@dataclass(frozen=True, slots=True)
class Examples:
    """Features of many windows, in several copies, and what the windows are."""

    copies: list[HalfArray]
    """Each ``(n_windows, n_steps, sum(n_features))``; the first is of the windows as they are."""
    n_features: tuple[int, ...]
    """Of each front-end."""
    genres: IntArray
    """``(n_windows,)``, -1 for what is not music."""
    track_index: IntArray
    """``(n_windows,)``, -1 for what is not music."""
    n_labels: int

    def of_tracks(self, tracks: IntArray, *, negatives: bool = False) -> Examples:
        """Select the windows of some tracks, and those that are not music if wanted."""
        rows = np.isin(self.track_index, tracks)
        if negatives:
            rows |= self.track_index < 0
        return Examples(
            [copy[rows] for copy in self.copies],
            self.n_features,
            self.genres[rows],
            self.track_index[rows],
            self.n_labels,
        )

    def targets(self) -> FloatArray:
        """Give ``(n_windows, n_labels + 1)``: genre, then 1 for music; all 0 where it is none."""
        targets = np.eye(self.n_labels + 1, dtype=np.float32)[self.genres]
        targets[:, -1] = 1.0
        targets[self.genres < 0] = 0.0
        return targets

    def feature_moments(self) -> list[FloatArray]:
        """Give mean and variance of each feature over the clean music, each ``(n_features,)``."""
        clean = self.copies[0][self.genres >= 0].astype(np.float32)
        return [clean.mean(axis=(0, 1)), clean.var(axis=(0, 1))]


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """Shuffled batches, each window in a copy drawn at random, some blended, some spliced."""

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        *,
        clean_share: float,
        mixup_alpha: float,
        splice_share: float,
        seed: int,
    ) -> None:
        super().__init__()
        self.examples = examples
        self.all_targets = examples.targets()
        self.batch_size, self.clean_share = batch_size, clean_share
        self.mixup_alpha, self.splice_share = mixup_alpha, splice_share
        self.rng = np.random.default_rng(seed)
        self.order = self.rng.permutation(len(examples.genres))

    def __len__(self) -> int:
        return max(1, len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        copies = self.examples.copies
        drawn = np.zeros(len(rows), dtype=int)
        if len(copies) > 1:
            augmented = self.rng.random(len(rows)) >= self.clean_share
            drawn = np.where(augmented, self.rng.integers(1, len(copies), len(rows)), 0)
        pairs = zip(drawn, rows, strict=True)
        features = np.stack([copies[copy][row] for copy, row in pairs]).astype(np.float32)
        mixed, targets = self._mix(features, self.all_targets[rows])
        return self._splice(mixed), targets

    def on_epoch_end(self) -> None:
        """Draw a new order."""
        self.order = self.rng.permutation(len(self.order))

    def _mix(self, features: FloatArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Blend pairs of music windows and of their targets (mixup, Zhang et al. 2018)."""
        if not self.mixup_alpha:
            return features, targets
        share = self.rng.beta(self.mixup_alpha, self.mixup_alpha, len(features))
        pair = self.rng.permutation(len(features))
        both_music = (targets[:, -1] > 0) & (targets[pair, -1] > 0)
        kept = np.where(both_music, np.maximum(share, 1 - share), 1.0)[:, None]
        weight: FloatArray = kept.astype(np.float32)
        mixed = weight[:, :, None] * features + (1 - weight[:, :, None]) * features[pair]
        return mixed, weight * targets + (1 - weight) * targets[pair]

    def _splice(self, features: FloatArray) -> FloatArray:
        """Let some windows begin with the end of another, as where music changes.

        What is asked for stays what plays at the window's end.
        """
        if not self.splice_share:
            return features
        n_windows, n_steps = features.shape[:2]
        pair = self.rng.permutation(n_windows)
        chosen = self.rng.random(n_windows) < self.splice_share
        n_new = self.rng.integers(n_steps // 4, n_steps, n_windows)
        spliced = features.copy()
        for row in np.flatnonzero(chosen):
            old, new = features[pair[row], n_new[row] :], features[row, : n_new[row]]
            spliced[row] = np.concatenate([old, new])
        return spliced


def heads_loss(label_smoothing: float, music_weight: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy of the genres, of music only, and of music or not; each head by itself.

    Takes targets ``(batch, n_labels + 1)`` and logits ``(batch, n_heads, n_labels + 1)``.
    """

    def loss(targets: Any, logits: Any) -> Any:
        genres, is_music = targets[:, None, :-1], targets[:, None, -1]
        n_labels = genres.shape[-1]
        smooth = (1 - label_smoothing) * genres + label_smoothing / n_labels * is_music[..., None]
        genre_loss = -ops.sum(smooth * ops.log_softmax(logits[:, :, :-1], axis=-1), axis=-1)
        said_music = logits[:, :, -1]
        music_loss = ops.softplus(said_music) - is_music * said_music
        return ops.mean(genre_loss + music_weight * music_loss, axis=-1)

    return loss


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


def genre_logits(heads: keras.Model, examples: Examples) -> FloatArray:
    """Run the heads on clean music windows, averaged: ``(n_windows, n_labels)``."""
    features = np.asarray(examples.copies[0], np.float32)
    logits = heads.predict(features, batch_size=256, verbose=0)
    averaged: FloatArray = logits.mean(axis=1)[:, :-1]
    return averaged


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


def judge(logits: FloatArray, examples: Examples) -> dict[str, float]:
    """Fit the temperature, then judge windows, tracks (mean log-probability) and calibration.

    Args:
        logits: ``(n_windows, n_labels)``.
        examples: the windows, all of music.
    """
    temperature = fit_temperature(logits, examples.genres)
    log_probability = log_probabilities(logits, temperature)
    right = log_probability.argmax(axis=1) == examples.genres
    tracks = np.unique(examples.track_index)
    tracks_right = [
        log_probability[rows].mean(axis=0).argmax() == examples.genres[rows][0]
        for rows in (examples.track_index == track for track in tracks)
    ]
    bins = reliability_bins(np.exp(log_probability).astype(np.float32), examples.genres)
    return {
        "temperature": temperature,
        "window_accuracy": round(float(right.mean()), 4),
        "track_accuracy": round(float(np.mean(tracks_right)), 4),
        "ece": round(expected_calibration_error(bins), 4),
        "n_windows": len(right),
        "n_tracks": len(tracks),
    }
