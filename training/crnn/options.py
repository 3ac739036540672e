"""What can be turned in a training of the CRNN."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from training.networks.fitting import BatchOptions


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Everything that can be turned."""

    seed: int = 1
    n_heads: int = 1
    """Networks behind the ear, of different seeds, whose logits are averaged: three win nothing."""
    epochs: int = 8
    peak_learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    music_loss_weight: float = 0.5
    familiar_loss_weight: float = 0.5
    balance: float = 0.5
    doubt: float = 0.6
    negatives_share: float = 0.12
    """Of the windows that are drawn: what is not music."""
    n_copies: int = 4
    """Of every window: as it is, through rooms and more, see ``training.frontends.hearing``."""
    not_music_odds: float = 4.0
    """How many times likelier than in training no music is taken to be."""
    familiar_odds: float = 0.42
    """How many times likelier than in training music of the genres is taken to be."""
    distance_weight: float = 3.0
    """What the logit of familiar loses for each standard deviation that a window is farther from
    all genres than music that was learnt from."""
    least_familiar: float = 0.45
    """Probability that is kept however far it is; below 0.4 music is shown as unfamiliar."""
    batch: BatchOptions = field(default_factory=BatchOptions)

    @property
    def offsets(self) -> tuple[float, float]:
        """What is added to the logits of music and of familiar."""
        return -math.log(self.not_music_odds), math.log(self.familiar_odds)

    @property
    def least_familiar_logit(self) -> float:
        """Give what becomes ``least_familiar`` once the odds are added."""
        return math.log(self.least_familiar / (1.0 - self.least_familiar)) - self.offsets[1]
