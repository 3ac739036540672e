"""From one prediction a window to what is shown: smoothing, hysteresis, unknown and silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Le

from rtgenre.tracking.evidence import log_probabilities, normalised
from rtgenre.tracking.silence import SilenceFollower
from rtgenre.types import FloatArray, GenreState, PlayState, Prediction, UnknownReason

if TYPE_CHECKING:
    from collections.abc import Sequence

_MUSIC_TIME_CONSTANT_SECONDS = 3.0
"""At most, so that talk is noticed soon however long genres are remembered."""
_FAMILIAR_TIME_CONSTANT_SECONDS = 6.0
"""At most, so that music of other genres is noticed soon; a change of music ends this, too."""
_HYSTERESIS_ODDS = 1.5
"""What is shown may be so much less likely than a limit asks, what is not must be so much more."""


@dataclass(frozen=True, slots=True)
class TrackerParams:
    """How calm or how quick the shown genre is; the settings of ``[smoothing]``."""

    time_constant_seconds: Annotated[float, Ge(0), Le(600)] = 20.0
    """Memory within a song. A change of music ends it. 0 means none."""
    switch_margin: Annotated[float, Ge(0), Le(1)] = 0.25
    """A new genre must lead the shown one by this much probability."""
    switch_hold_seconds: Annotated[float, Ge(0), Le(600)] = 0.0
    """It must lead for this long. Higher values stop flicker between similar genres."""
    unknown_below: Annotated[float, Ge(0), Le(1)] = 0.15
    """Below this confidence "unknown" is shown instead of a guess."""
    music_below: Annotated[float, Ge(0), Le(1)] = 0.5
    """Higher values show talk and noise as "unknown" more often, even some music."""
    familiar_below: Annotated[float, Ge(0), Le(1)] = 0.4
    """Higher values show music of other genres as "unknown" more often."""
    silence_below_dbfs: Annotated[float, Ge(-120), Le(0)] = -60.0
    """Quieter than this is silence; 3 dB more end it. Raise it where the room is noisy."""
    silence_after_seconds: Annotated[float, Ge(0), Le(3600)] = 3.0
    """Silence is shown after this long, so that pauses between songs do not flash."""


class GenreTracker:
    """Follows one source's predictions: a pure fold, with time given by the caller in seconds.

    Probabilities are smoothed as logarithms (a geometric mean with exponentially fading weights),
    so that windows count as evidence that adds up. The less a window agrees with what was smoothed
    so far, the less of that is kept: memory is long within a song and short where music changes.
    What is shown changes once something else has led by ``switch_margin`` for
    ``switch_hold_seconds``; after silence the first genre that is sure enough is shown at once.
    "unknown" begins below its limits and ends above them, so that nothing flickers at a limit.
    A window that is silent in part teaches nothing and changes nothing. The first one with enough
    sound after silence may show a genre, but not that there is none: so music begins for models.
    """

    def __init__(self, labels: Sequence[str], params: TrackerParams) -> None:
        self._labels = tuple(labels)
        self.params = params
        # Smoothed evidence; all the same before the first window and in silence.
        self._log_probabilities: FloatArray = np.zeros(len(labels), dtype=np.float32)
        self._music = 0.0
        self._familiar = 1.0
        # Whether the next evidence replaces it: at first, and after silence or a gap.
        self._begins_anew = True
        # Whether the newest evidence replaced what there was.
        self._has_begun_anew = False
        self._last_seconds = 0.0
        self._silence = SilenceFollower()
        # What is shown (None: unknown or silence) and since when.
        self._shown: str | None = None
        self._shown_since_seconds: float | None = None
        # What is about to replace it, and since when it has led; equal to _shown when nothing is.
        self._challenger: str | None = None
        self._challenger_since_seconds = 0.0
        # Whether the next evidence is followed at once, whatever is shown: it was taught.
        self._corrected = False

    def update(
        self, prediction: Prediction, *, end_seconds: float, levels_dbfs: Sequence[float]
    ) -> GenreState:
        """Take in one window and say what to show.

        Args:
            prediction: the model's output for the window.
            end_seconds: the window's end on the source's own clock; never decreases.
            levels_dbfs: of the window's segments, oldest first; see ``rtgenre.tracking.silence``.

        Raises:
            ValueError: the number of probabilities is not that of the labels, or one is not finite.
        """
        if prediction.probabilities.shape != (len(self._labels),):
            raise ValueError(
                f"the prediction has shape {prediction.probabilities.shape}; "
                f"the labels need ({len(self._labels)},)"
            )
        others = (prediction.music, prediction.familiar)
        if not (np.isfinite(prediction.probabilities).all() and np.isfinite(others).all()):
            raise ValueError("the prediction holds values that are not finite")
        if self._shown_since_seconds is None:
            self._shown_since_seconds = end_seconds
        was_silent = self._silence.silent
        judged = self._silence.update(
            levels_dbfs,
            end_seconds=end_seconds,
            below_dbfs=self.params.silence_below_dbfs,
            after_seconds=self.params.silence_after_seconds,
        )
        if judged:
            self._has_begun_anew = self._begins_anew
            self._smooth(prediction, end_seconds)
            if was_silent and self._leader() is None:
                self._silence.put_off_end()
        if self._silence.silent != was_silent:
            self._show(None, end_seconds)
        if self._silence.silent:
            self._forget()
        elif judged:
            self._follow_genre(end_seconds)
            self._corrected = False
        return self._state(end_seconds)

    def reset(self) -> None:
        """Forget smoothed evidence because audio was lost; what is shown stays for now."""
        self._begins_anew = True
        self._challenger = self._shown

    def begin_again(self) -> None:
        """Forget all, what is shown too: nothing was heard for so long that it no longer counts."""
        self._silence = SilenceFollower()
        self._shown = self._shown_since_seconds = None
        self.reset()

    def relabel(
        self, labels: Sequence[str], predictions: Sequence[Prediction], *, corrected: bool
    ) -> None:
        """Go on with other genres, or with another judgement of the same ones.

        Args:
            labels: the genres from now on.
            predictions: of the windows of the music that plays, in the new genres; they take the
                place of what was smoothed so far. Where there are none, the next window does.
            corrected: somebody said what is playing: what the next window shows is shown at once.
        """
        self._labels = tuple(labels)
        self._log_probabilities = np.zeros(len(labels), dtype=np.float32)
        self._begins_anew = not predictions or self._silence.silent
        if not self._begins_anew:
            logs = log_probabilities(np.stack([one.probabilities for one in predictions]))
            self._log_probabilities = logs.mean(axis=0)
            self._music = float(np.mean([one.music for one in predictions]))
            self._familiar = float(np.mean([one.familiar for one in predictions]))
        if self._shown is not None and self._shown not in self._labels:
            self._show(None, self._last_seconds)
        self._challenger = self._shown
        self._corrected = corrected

    def _forget(self) -> None:
        self._log_probabilities = np.zeros_like(self._log_probabilities)
        self._music, self._familiar = 0.0, 1.0
        self._begins_anew = True

    def _smooth(self, prediction: Prediction, end_seconds: float) -> None:
        log_raw = log_probabilities(prediction.probabilities)
        time_constant = self.params.time_constant_seconds
        if self._begins_anew or time_constant == 0:
            smoothed = log_raw
            self._music, self._familiar = prediction.music, prediction.familiar
        else:
            elapsed_seconds = end_seconds - self._last_seconds
            agreement = _fidelity(normalised(self._log_probabilities), prediction.probabilities)
            keep = np.float32(np.exp(-elapsed_seconds / time_constant) * agreement)
            smoothed = keep * self._log_probabilities + (1 - keep) * log_raw
            music_time_constant = min(time_constant, _MUSIC_TIME_CONSTANT_SECONDS)
            keep_music = float(np.exp(-elapsed_seconds / music_time_constant))
            self._music = keep_music * self._music + (1 - keep_music) * prediction.music
            familiar_time_constant = min(time_constant, _FAMILIAR_TIME_CONSTANT_SECONDS)
            keep_familiar = float(np.exp(-elapsed_seconds / familiar_time_constant)) * agreement
            self._familiar += (1 - keep_familiar) * (prediction.familiar - self._familiar)
        self._log_probabilities = smoothed
        self._begins_anew = False
        self._last_seconds = end_seconds

    def _follow_genre(self, end_seconds: float) -> None:
        leader = self._leader()
        if leader != self._challenger:
            self._challenger = leader
            self._challenger_since_seconds = end_seconds
        if leader == self._shown:
            return
        led_seconds = end_seconds - self._challenger_since_seconds
        nothing_to_keep = self._corrected or (self._shown is None and self._has_begun_anew)
        if nothing_to_keep or led_seconds >= self.params.switch_hold_seconds:
            self._show(leader, end_seconds)

    def _leader(self) -> str | None:
        """Return what should be shown: the shown genre, unless another leads by the margin."""
        probabilities = normalised(self._log_probabilities)
        best = int(probabilities.argmax())
        confidence = probabilities[best] * self._familiar
        if self._doubt() is not None or confidence < self._limit(self.params.unknown_below):
            return None
        if self._shown is not None and not self._corrected:
            shown_probability = probabilities[self._labels.index(self._shown)]
            if probabilities[best] - shown_probability < self.params.switch_margin:
                return self._shown
        return self._labels[best]

    def _show(self, genre: str | None, end_seconds: float) -> None:
        self._shown = genre
        self._challenger = genre
        self._shown_since_seconds = end_seconds

    def _doubt(self) -> UnknownReason | None:
        """Say why the genres' probabilities mean nothing, if so."""
        if self._music < self.params.music_below:
            return UnknownReason.NOT_MUSIC
        if self._familiar < self._limit(self.params.familiar_below):
            return UnknownReason.UNFAMILIAR
        return None

    def _limit(self, probability: float) -> float:
        """Move a limit away from what is shown; at first there is nothing to keep."""
        if self._shown is not None:
            return _with_odds(probability, 1 / _HYSTERESIS_ODDS)
        return probability if self._has_begun_anew else _with_odds(probability, _HYSTERESIS_ODDS)

    def _state(self, end_seconds: float) -> GenreState:
        reason = None
        if self._silence.silent:
            state = PlayState.SILENCE
        elif self._shown is None:
            state = PlayState.UNKNOWN
            reason = self._doubt() or UnknownReason.UNSURE
        else:
            state = PlayState.MUSIC
        probabilities = normalised(self._log_probabilities)
        is_judged = state != PlayState.SILENCE and reason != UnknownReason.NOT_MUSIC
        shown_index = (
            int(probabilities.argmax()) if self._shown is None else self._labels.index(self._shown)
        )
        since_seconds = self._shown_since_seconds
        held_seconds = 0.0 if since_seconds is None else end_seconds - since_seconds
        return GenreState(
            state=state,
            genre=self._shown,
            reason=reason,
            confidence=float(probabilities[shown_index]) * self._familiar if is_judged else None,
            held_seconds=held_seconds,
            probabilities=probabilities,
            music=self._music,
            familiar=self._familiar,
        )


def _fidelity(one: FloatArray, other: FloatArray) -> float:
    """Say how alike two distributions are: 1 if equal, 0 if disjoint (Bhattacharyya, squared)."""
    return float(min(1.0, np.sqrt(one * other).sum() ** 2))


def _with_odds(probability: float, factor: float) -> float:
    """Multiply a probability's odds, ``probability / (1 - probability)``."""
    return probability * factor / (1 + probability * (factor - 1))
