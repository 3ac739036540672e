"""What a model's weights fix about the spectrograms that it hears; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

Recipe = Literal["librosa", "yamnet", "musicnn", "yamnet+musicnn"]


@dataclass(frozen=True, slots=True)
class FeatureParams:
    """What a model's weights fix about its input; stored in ``model.json``, never configured."""

    sample_rate_hz: int = 22050
    frame_length: int = 2048
    """Samples in one STFT frame, under a periodic Hann window."""
    hop_length: int = 914
    """Samples from one frame to the next."""
    n_mels: int = 128
    fmin_hz: float = 0.0
    fmax_hz: float = 11025.0
    top_db: float = 80.0
    """Dynamic range kept below the loudest bin of the window."""
    window_seconds: float = 4.0
    recipe: Recipe = "librosa"
    """Whose spectrogram this is; ``top_db`` belongs to librosa's alone. Of two spectrograms the
    parameters are those of the first one; the other one's are ``MUSICNN_FEATURES``."""

    def __post_init__(self) -> None:
        if not 0 < self.hop_length <= self.frame_length:
            raise ValueError(
                f"hop_length is {self.hop_length}; it must lie between 1 and the frame length, "
                f"{self.frame_length}"
            )
        if not 0 <= self.fmin_hz < self.fmax_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                f"mel bands from {self.fmin_hz:g} to {self.fmax_hz:g} Hz do not fit between 0 Hz "
                f"and half the sample rate, {self.sample_rate_hz / 2:g} Hz"
            )
        if self.window_samples < self.frame_length:
            raise ValueError(
                f"a window of {self.window_seconds:g} s has {self.window_samples} samples; "
                f"one frame alone needs {self.frame_length}"
            )
        if self.n_mels < 1 or self.top_db <= 0:
            raise ValueError(
                f"n_mels is {self.n_mels} and top_db is {self.top_db:g}; both must be positive"
            )
        if self.recipe not in get_args(Recipe):
            raise ValueError(
                f"recipe is {self.recipe!r}; it must be one of {', '.join(get_args(Recipe))}"
            )

    @property
    def window_samples(self) -> int:
        """Samples in one window."""
        return round(self.window_seconds * self.sample_rate_hz)

    @property
    def n_frames(self) -> int:
        """Frames wholly inside one window; musicnn's first and last lie around its ends."""
        if self.recipe == "musicnn":
            return 1 + self.window_samples // self.hop_length
        return 1 + (self.window_samples - self.frame_length) // self.hop_length

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what a network is given: ``(n_frames, n_mels)``; flat for two spectrograms."""
        if self.recipe == "yamnet+musicnn":
            second = MUSICNN_FEATURES
            return (self.n_frames * self.n_mels + second.n_frames * second.n_mels,)
        return (self.n_frames, self.n_mels)

    @property
    def frames_per_second(self) -> float:
        """Spectrogram columns per second."""
        return self.sample_rate_hz / self.hop_length


YAMNET_FEATURES = FeatureParams(
    sample_rate_hz=16000,
    frame_length=400,
    hop_length=160,
    n_mels=64,
    fmin_hz=125.0,
    fmax_hz=7500.0,
    recipe="yamnet",
)
"""What YAMNet was trained on: 100 frames of 25 ms a second."""
MUSICNN_FEATURES = FeatureParams(
    sample_rate_hz=16000,
    frame_length=512,
    hop_length=256,
    n_mels=96,
    fmax_hz=8000.0,
    recipe="musicnn",
)
"""What musicnn was trained on: 62.5 frames of 32 ms a second, centred, the ends mirrored."""
TWO_EARS_FEATURES = replace(YAMNET_FEATURES, recipe="yamnet+musicnn")
