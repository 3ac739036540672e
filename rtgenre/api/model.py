"""A model in a program's hands: it judges files and single windows."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.api.settings import checked_keywords
from rtgenre.api.taught import taught_for
from rtgenre.audio.samples import Resampler, sanitise, select_channel
from rtgenre.errors import SamplesError
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError
from rtgenre.tagging.file_verdict import FileVerdict, classify_file
from rtgenre.tracking.smoothing import TrackerParams

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from rtgenre.learning.taught.genres import TaughtGenres
    from rtgenre.model.classifier import Network
    from rtgenre.model.head import Head
    from rtgenre.model.info import ModelInfo
    from rtgenre.types import Channel, FloatArray, Prediction

_MIN_RATE_HZ, _MAX_RATE_HZ = 1000, 384_000
# The resampler settles in less; more than this before the window changes nothing.
_LEAD_IN_SECONDS = 0.1


def load_model(
    name_or_folder: str | PathLike[str] = "crnn",
    *,
    threads: int = 1,
    taught: bool | str | PathLike[str] = True,
) -> Model:
    """Load a model and run it once on silence, which takes some tenths of a second.

    Args:
        name_or_folder: a shipped model's name, or the path of a folder that holds ``model.json``.
        threads: how many of the machine's cores one window may use.
        taught: whether what the user taught rtgenre while it played counts, as it does for
            ``rtgenre classify``; or the file that it is in, if it is another one. It is read
            once, here, and learnt, which takes about a second where there is some.

    Raises:
        ModelError: there is no such model, or a file of it is missing, damaged or does not fit.
        RtgenreError: a file that ``taught`` names is missing, damaged, or cannot be learnt. Of
            the user's own one a warning is logged, and the model judges alone.
    """
    if threads < 1:
        raise ModelError(f"threads is {threads}; at least 1 is needed")
    folder = find_model_folder(str(name_or_folder))
    classifier = SharedClassifier.load(folder, threads=threads)
    return Model(classifier, taught_for(taught, folder, classifier))


@dataclass(frozen=True, slots=True)
class WindowPrediction:
    """What a model says of one window, before any smoothing."""

    probabilities: dict[str, float]
    """By genre, in the order of ``Model.labels``, summing to one."""
    music: float
    """Probability that the window holds music at all, 0 to 1; 1.0 from a model without it."""
    familiar: float
    """Probability that the music is of one of the genres, 0 to 1; 1.0 from a model without it."""

    @property
    def genre(self) -> str:
        """The likeliest genre, however unlikely it is and whether or not this is music."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


class Model:
    """A loaded model. All of it may be used from several threads at the same time."""

    def __init__(self, classifier: Classifier, taught: TaughtGenres | None = None) -> None:
        self.classifier = classifier
        self.taught = taught
        """What was taught while it played; None where nothing was, or it is not to count."""

    @property
    def info(self) -> ModelInfo:
        """What the model's ``model.json`` says."""
        return self.classifier.info

    @property
    def labels(self) -> tuple[str, ...]:
        """The genres it knows: its own, then those that were taught."""
        return self.info.labels if self.taught is None else self.taught.labels

    @property
    def window_seconds(self) -> float:
        """How much sound one prediction is made from."""
        return self.info.features.window_seconds

    def classify(
        self,
        file: str | PathLike[str],
        *,
        channel: Channel = "mix",
        hop_seconds: float = 2.0,
        smoothing: TrackerParams | None = None,
    ) -> FileVerdict:
        """Say what a whole recording is, and what it is when, as ``rtgenre classify`` does.

        It reads the file to its end, some hundred times faster than it plays. In an event loop
        call it with ``asyncio.to_thread``.

        Args:
            file: any format that libsndfile reads, or ffmpeg if it is installed.
            channel: ``mix`` is the mean of all; or ``left``, ``right`` or a number from 1.
            hop_seconds: time between windows, 0.25 to 4.
            smoothing: how calm or how quick the sections follow the music.

        Raises:
            DecodeError: the file cannot be read, has no such channel, or is shorter than one
                window.
            ConfigError: a keyword is out of range.
            ModelError: the network gives nonsense.
        """
        config = checked_keywords(
            hop_seconds=hop_seconds, smoothing=smoothing or TrackerParams(), channel=channel
        )
        return classify_file(
            Path(file),
            self.classifier,
            channel=config.source[0].channel,
            hop_seconds=config.windows.hop_seconds,
            tracker_params=config.smoothing,
            taught=self.taught,
        )

    def predict(
        self, samples: NDArray[np.floating[Any]], rate_hz: int, *, channel: Channel = "mix"
    ) -> WindowPrediction:
        """Judge one window: the newest ``window_seconds`` of the samples.

        Loudness makes no difference, and silence is not looked for.

        Args:
            samples: ``(n_samples,)`` or ``(n_samples, n_channels)`` floats, full scale ±1; NaN and
                infinite ones count as 0. At least ``window_seconds`` of them.
            rate_hz: samples per second, 1000 to 384000; the model's own rate is not needed.
            channel: ``mix`` is the mean of all; or ``left``, ``right`` or a number from 1.

        Raises:
            SamplesError: the samples have another shape or type, are too few, or have no such
                channel. It is a ``ValueError``, too.
            ModelError: the network gives nonsense.
        """
        mono = self._window(np.asarray(samples), rate_hz, channel)
        prediction = self.classifier.predict_window(mono)
        if self.taught is not None:
            prediction = self.taught.apply(prediction)
        probabilities = [float(probability) for probability in prediction.probabilities]
        return WindowPrediction(
            probabilities=dict(zip(self.labels, probabilities, strict=True)),
            music=prediction.music,
            familiar=prediction.familiar,
        )

    def _window(self, samples: NDArray[Any], rate_hz: int, channel: Channel) -> FloatArray:
        """Return the newest ``(window_samples,)``, mono, at the model's rate."""
        if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
            raise SamplesError(
                f"rate_hz is {rate_hz}; a number from {_MIN_RATE_HZ} to {_MAX_RATE_HZ} is needed"
            )
        if samples.dtype.kind != "f":
            raise SamplesError(
                f"the samples are {samples.dtype}; floats with full scale ±1 are needed: divide "
                "16-bit ones by 32768"
            )
        needed = math.floor(self.window_seconds * rate_hz)
        if samples.ndim not in (1, 2) or len(samples) < needed or samples.size == 0:
            raise SamplesError(
                f"the samples have shape {samples.shape}; (n_samples,) or (n_samples, n_channels) "
                f"with at least {self.window_seconds:g} s of {rate_hz} samples are needed"
            )
        newest = samples[-math.ceil((self.window_seconds + _LEAD_IN_SECONDS) * rate_hz) :]
        repaired, _, _ = sanitise(newest.astype(np.float32).reshape(len(newest), -1))
        try:
            mono = select_channel(repaired, channel)
        except ValueError as error:
            raise SamplesError(str(error)) from error
        params = self.info.features
        resampler = Resampler(rate_hz, params.sample_rate_hz)
        waveform = np.concatenate([resampler.push(mono), resampler.flush()])
        # Rounding may make a window of exactly the right length a few samples shorter.
        missing = max(0, params.window_samples - len(waveform))
        return np.pad(waveform, (missing, 0))[-params.window_samples :]


class SharedClassifier(Classifier):
    """A classifier that any thread may use; they take turns."""

    def __init__(self, info: ModelInfo, network: Network, head: Head | None = None) -> None:
        super().__init__(info, network, head)
        self._lock = threading.Lock()

    def predict(self, features: FloatArray) -> list[Prediction]:
        """Classify a batch, as ``Classifier`` does.

        Raises:
            ModelError: the network's input or output has another shape, or is not finite.
        """
        with self._lock:
            try:
                return super().predict(features)
            except (ValueError, RuntimeError) as error:
                raise ModelError(
                    f"the model {self.info.identity} cannot be run: {error}"
                ) from error
