"""One source's chain, from block to document; knows the stages and does no I/O of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rtgenre.audio.columns import COLUMNS, Column, ColumnMaker
from rtgenre.audio.samples import DigitalSilenceWatch, Resampler, sanitise, select_channel
from rtgenre.audio.windows import WindowSlicer
from rtgenre.messages.payload import state_document
from rtgenre.tracking.recent import HeardWindow, RecentWindows
from rtgenre.tracking.replay import JudgedWindow, LastMinutes
from rtgenre.tracking.silence import holds_sound
from rtgenre.tracking.smoothing import GenreTracker, TrackerParams
from rtgenre.types import CLOCK_STEP_SECONDS, GONE_SECONDS, PlayState

if TYPE_CHECKING:
    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.messages.documents import StateDocument
    from rtgenre.model.info import ModelInfo
    from rtgenre.types import Block, Channel, FloatArray, GenreState, Prediction, Track, Window


class Pipeline:
    """Turns blocks into windows, and a window's prediction into the document that is published.

    Between the two calls the classifier runs, wherever the caller wants it to.
    """

    def __init__(
        self,
        *,
        node: str,
        source: str,
        channel: Channel,
        hop_seconds: float,
        info: ModelInfo,
        tracker_params: TrackerParams,
        instance: str = "",
        prompt: bool = False,
        phase_seconds: float = 0.0,
    ) -> None:
        """Begin with nothing heard.

        Args:
            node: names the source in messages.
            source: says what it is, for people.
            channel: which of its channels is heard.
            hop_seconds: from one window to the next.
            info: the model.
            tracker_params: how calm the shown genre is.
            instance: names the process in messages.
            prompt: no window waits for the resampler, see ``Resampler``.
            phase_seconds: how much later than it could the first window ends, and all after it.
        """
        params = info.features
        self.node = node
        self.source = source
        self.instance = instance
        self.info = info
        self.hop_seconds = hop_seconds
        self.first_window_seconds = params.window_seconds + phase_seconds
        """How much audio the first window takes, and the first one after a gap."""
        self._channel = channel
        self._slicer = WindowSlicer(
            window_samples=params.window_samples,
            hop_samples=round(hop_seconds * params.sample_rate_hz),
            sample_rate_hz=params.sample_rate_hz,
            phase_samples=round(phase_seconds * params.sample_rate_hz),
        )
        self._prompt = prompt
        self._resampler: Resampler | None = None
        # Spectrogram columns, made only while somebody looks.
        self.draws_columns = False
        self._column_maker = ColumnMaker()
        self._column_resampler: Resampler | None = None
        self._columns: list[Column] = []
        # When the newest block was captured, for what the resampler still holds.
        self._captured_at = 0.0
        # What plays in the newest block.
        self._track: Track | None = None
        # The genres that documents tell of: the model's, and what was taught.
        self.labels = info.labels
        self._taught: TaughtGenres | None = None
        self.recent = RecentWindows()
        self.last_minutes = LastMinutes()
        self.tracker = GenreTracker(info.labels, tracker_params)
        self.silence_watch = DigitalSilenceWatch()
        # Totals since the start, for metrics.
        self.clipped_samples = 0
        self.invalid_samples = 0
        self.resets = 0
        # What the previous document had already told.
        self._told_clipped_samples = 0
        self._told_invalid_samples = 0
        # Number of the next document, the last one's time, and since when its genre is shown.
        self._sequence = 0
        self._time = 0.0
        self._since = 0.0
        # Where its window ended, in seconds of audio.
        self._end_seconds = 0.0

    @property
    def begins_anew(self) -> bool:
        """Whether no window was concluded yet since the start, or since audio was lost."""
        run_start_seconds = self._slicer.run_start_sample / self.info.features.sample_rate_hz
        return self._end_seconds <= run_start_seconds

    @property
    def seconds_until_window(self) -> float:
        """How much more audio completes the next window, if the resampler holds as much as now."""
        missing_samples = self._slicer.next_end_sample - self._slicer.end_sample
        return missing_samples / self.info.features.sample_rate_hz

    def push(self, block: Block, *, track: Track | None = None) -> list[Window]:
        """Take in a block and return the windows it completes, oldest first.

        Args:
            block: the audio.
            track: what is said to play in it.

        Raises:
            ValueError: the block does not have the channel that was chosen.
        """
        rate_changed = (
            self._resampler is not None and self._resampler.input_rate_hz != block.sample_rate_hz
        )
        windows = []
        if block.gap or rate_changed:
            windows = self.finish()
            self._reset()
        self._track = track
        if self._resampler is None:
            self._resampler = Resampler(
                block.sample_rate_hz, self.info.features.sample_rate_hz, prompt=self._prompt
            )
        samples, n_invalid, n_clipped = sanitise(block.samples)
        self.invalid_samples += n_invalid
        self.clipped_samples += n_clipped
        mono = select_channel(samples, self._channel)
        self.silence_watch.push(mono, block.sample_rate_hz)
        self._captured_at = block.captured_at
        resampled = self._resampler.push(mono)
        captured_at = block.captured_at - self._resampler.held_seconds
        windows += self._cut(resampled, captured_at)
        self._draw(mono, block)
        return windows

    def take_columns(self) -> list[Column]:
        """Return the spectrogram columns since the last call; none unless ``draws_columns``."""
        columns, self._columns = self._columns, []
        return columns

    def finish(self) -> list[Window]:
        """Return the windows that the last few milliseconds complete, when the audio has ended."""
        if self._resampler is None:
            return []
        return self._cut(self._resampler.flush(), self._captured_at)

    def conclude(
        self, window: Window, prediction: Prediction, *, latency_seconds: float
    ) -> StateDocument:
        """Smooth a window's prediction and build the document about it."""
        sample_rate_hz = self.info.features.sample_rate_hz
        end_seconds = window.end_sample / sample_rate_hz
        heard, prediction = prediction, self.judged(prediction)
        # How many seconds more the time moved than the audio since the last window.
        step = (window.captured_at - self._time) - (end_seconds - self._end_seconds)
        gone = self.begins_anew and step >= GONE_SECONDS
        if gone:
            self.tracker.begin_again()
        self.last_minutes.push(self._tracked(window, prediction, end_seconds, gone=gone))
        state = self.tracker.update(
            prediction, end_seconds=end_seconds, levels_dbfs=window.levels_dbfs.tolist()
        )
        self._end_seconds = end_seconds
        self._stamp(window.captured_at, step, state.held_seconds)
        self._remember(window, heard, state)
        document = state_document(
            node=self.node,
            source=self.source,
            track=window.track,
            sequence=self._sequence,
            labels=self.labels,
            sample_rate_hz=sample_rate_hz,
            window=window,
            prediction=prediction,
            state=state,
            time=self._time,
            since=self._since,
            clipped_samples=self.clipped_samples - self._told_clipped_samples,
            invalid_samples=self.invalid_samples - self._told_invalid_samples,
            latency_seconds=latency_seconds,
            instance=self.instance,
        )
        self._sequence += 1
        self._told_clipped_samples = self.clipped_samples
        self._told_invalid_samples = self.invalid_samples
        return document

    def judged(self, heard: Prediction) -> Prediction:
        """Say what a window is by what was taught, too."""
        return heard if self._taught is None else self._taught.apply(heard)

    def follow(self, taught: TaughtGenres | None, *, corrected: bool = False) -> None:
        """Judge from now on, and what plays already, by what was taught; None: nothing was.

        Args:
            taught: takes the place of what was taught before.
            corrected: somebody said what is playing: what the next window shows is shown at once.
        """
        self._taught = taught
        before = self.labels
        self.labels = self.info.labels if taught is None else taught.labels
        if self.labels != before:
            self.last_minutes.clear()
        recent = [one.prediction for one in self.recent.now()]
        self.tracker.relabel(
            self.labels,
            recent if taught is None else [taught.apply(one) for one in recent],
            corrected=corrected,
        )

    def _tracked(
        self, window: Window, prediction: Prediction, end_seconds: float, *, gone: bool
    ) -> JudgedWindow:
        """Return what the tracker is given, without what only learning needs."""
        return JudgedWindow(
            prediction=replace(prediction, embedding=None),
            end_seconds=end_seconds,
            levels_dbfs=tuple(window.levels_dbfs.tolist()),
            captured_at=window.captured_at,
            begins=self.begins_anew,
            gone=gone,
        )

    def _remember(self, window: Window, heard: Prediction, state: GenreState) -> None:
        """Keep what was heard, in case that somebody says what it is."""
        if state.state is PlayState.SILENCE:
            self.recent.clear()
        below_dbfs = self.tracker.params.silence_below_dbfs
        if window.start_sample < self._slicer.run_start_sample or not holds_sound(
            window.levels_dbfs.tolist(), below_dbfs=below_dbfs
        ):
            return
        seconds = self.info.features.window_seconds
        self.recent.push(
            HeardWindow(heard, window.captured_at - seconds, window.captured_at), window.track
        )

    def _cut(self, samples: FloatArray, captured_at: float) -> list[Window]:
        windows = self._slicer.push(samples, captured_at)
        return [replace(window, track=self._track) for window in windows]

    def _stamp(self, captured_at: float, step: float, held_seconds: float) -> None:
        """Take over when the newest window was heard, and since when its genre is shown."""
        if abs(step) > CLOCK_STEP_SECONDS:
            self._time = captured_at
            self._since = captured_at - held_seconds
            return
        # Of files that are read faster than they play, capture times may cross by a block.
        self._time = max(self._time, captured_at)
        if held_seconds == 0:
            self._since = self._time

    def _draw(self, mono: FloatArray, block: Block) -> None:
        if not self.draws_columns:
            self._forget_columns()
            return
        if self._column_resampler is None:
            self._column_resampler = Resampler(
                block.sample_rate_hz, COLUMNS.sample_rate_hz, prompt=True
            )
        samples = self._column_resampler.push(mono)
        held_seconds = self._column_resampler.held_seconds
        self._columns += self._column_maker.push(
            samples,
            end_seconds=self._heard_seconds - held_seconds,
            captured_at=block.captured_at - held_seconds,
        )

    @property
    def _heard_seconds(self) -> float:
        """End of the newest block on the source's own clock."""
        held_seconds = self._resampler.held_seconds if self._resampler else 0.0
        return self._slicer.end_sample / self.info.features.sample_rate_hz + held_seconds

    def _forget_columns(self) -> None:
        self._column_maker.reset()
        self._column_resampler = None

    def _reset(self) -> None:
        self._forget_columns()
        self.resets += 1
        self._resampler = None
        self._slicer.reset()
        self.recent.clear()
        self.tracker.reset()
