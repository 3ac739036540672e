"""Teach YAMNet to hear our spectrograms: the second front-end of the pretrained CRNN.

    python -m training.distil RUN --data DATASET --music PACKAGES --negatives NEGATIVES

plays recordings to YAMNet itself, and trains a copy of it to say the same of our spectrograms of
them, half of which are augmented for the room. No label is used. Writes ``student.keras``,
``lessons.npz`` (what was heard and said), ``run.json``, the curves and a checkpoint, from which the
same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from rtgenre.features import log_mel_spectrogram
from training import yamnet
from training.audio import read_audio
from training.augment import Augmentation, augment
from training.dataset import FEATURES, DatasetError, FloatArray, load_tracks, stack_windows
from training.evaluate import audio_of_split
from training.fitting import optimiser
from training.plots import plot_curves
from training.recordings import fetch_packages, find_music
from training.runs import git_commit
from training.student import LEVEL_DB, N_PATCHES, build_student, build_teacher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STUDENT_FILE_NAME = "student.keras"
LESSONS_FILE_NAME = "lessons.npz"
SPLITS = ("train", "valid")
_SILENT_BELOW = 1e-3
_SECONDS = 4.05
"""Of sound for a window, and for YAMNet's four patches."""
HalfArray = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Knobs:
    """Everything that can be turned."""

    seed: int = 1
    epochs: int = 10
    batch_size: int = 16
    peak_learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    lessons_per_minute: int = 28
    most_lessons_per_recording: int = 28
    max_speed_change: float = 0.08
    """Every other lesson is played this much faster or slower at most."""
    augmented_share: float = 0.5
    """Of the windows in a batch."""
    validation_lesson_step: int = 5
    """Every so many lessons of ``valid`` are looked at after each epoch."""


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What was played, and what the teacher said of it."""

    windows: HalfArray
    """``(n, n_frames, n_mels)`` dB."""
    embeddings: HalfArray
    """``(n, 4, 1024)``."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
    """Lessons in random order; a share of each batch augmented, what the teacher said unchanged."""

    def __init__(self, lessons: Lessons, babble: FloatArray, knobs: Knobs) -> None:
        super().__init__()
        self.lessons, self.babble, self.knobs = lessons, babble, knobs
        self.rng = np.random.default_rng(knobs.seed)
        self.order = self.rng.permutation(len(lessons.windows))
        self.options = Augmentation(tempo_pitch=0.0, mask=0.0)

    def __len__(self) -> int:
        return max(1, len(self.order) // self.knobs.batch_size)

    def __getitem__(self, index: int) -> tuple[FloatArray, FloatArray]:
        size = self.knobs.batch_size
        rows = self.order[index * size : (index + 1) * size]
        windows = self.lessons.windows[rows].astype(np.float32)
        n = round(self.knobs.augmented_share * len(rows))
        windows[:n] = augment(windows[:n], self.rng, self.options, self.babble)
        return windows, self.lessons.embeddings[rows].astype(np.float32)

    def on_epoch_end(self) -> None:
        """Draw a new order."""
        self.order = self.rng.permutation(len(self.order))


def distil(data: Path, music: Path | None, negatives: Path, run_folder: Path, knobs: Knobs) -> None:
    """Train the student and write its run folder.

    Args:
        data: dataset with recordings of its splits ``train`` and ``valid``, or a folder of music.
        music: where Debian's packages of music are, or are put; none without it.
        negatives: dataset made by ``training.negatives``; speech and noise to mix in.
        run_folder: written; if it holds a stopped run of the same knobs, that goes on.
        knobs: all settings.

    Raises:
        DatasetError: the recordings, or the negatives, cannot be read.
    """
    keras.utils.set_random_seed(knobs.seed)
    babble = stack_windows(load_tracks(negatives, "negatives_train")).features
    convolutions = yamnet.load_yamnet()
    run_folder.mkdir(parents=True, exist_ok=True)
    train, valid = _lessons(data, music, convolutions, run_folder, knobs)
    student, taught = build_student(FEATURES, convolutions)
    batches = Batches(train, babble, knobs)
    spread = train.embeddings.astype(np.float32).std(axis=(0, 1)) + 0.01
    taught.compile(
        optimiser(knobs.peak_learning_rate, knobs.weight_decay, knobs.epochs, len(batches)),
        embedding_loss(spread),
    )
    step = knobs.validation_lesson_step
    history = taught.fit(
        batches,
        epochs=knobs.epochs,
        validation_data=(
            valid.windows[::step].astype(np.float32),
            valid.embeddings[::step].astype(np.float32),
        ),
        validation_batch_size=64,
        callbacks=[
            keras.callbacks.BackupAndRestore(run_folder / "checkpoint", delete_checkpoint=False),
            keras.callbacks.CSVLogger(run_folder / "history.csv", append=True),
        ],
        verbose=2,
    ).history
    student.save(run_folder / STUDENT_FILE_NAME)
    plot_curves(history, "YAMNet on our spectrograms", run_folder / "curves.png")
    report = {
        "config": asdict(knobs),
        "lessons": {"train": len(train.windows), "valid": len(valid.windows[::step])},
        "unexplained_share": {name: values[-1] for name, values in history.items()},
        "git_commit": git_commit(),
    }
    (run_folder / "run.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def embedding_loss(spread: FloatArray) -> Callable[[Any, Any], Any]:
    """Squared error of embeddings, each dimension in units of its standard deviation.

    1 is what always giving the mean would cost.
    """

    def loss(said: Any, embeddings: Any) -> Any:
        return ops.mean(ops.square(ops.divide(embeddings - said, spread)), axis=(1, 2))

    return loss


def _lessons(
    data: Path,
    music: Path | None,
    convolutions: Sequence[yamnet.Convolution],
    run_folder: Path,
    knobs: Knobs,
) -> tuple[Lessons, Lessons]:
    """Make the lessons of both splits, or read those made before."""
    path = run_folder / LESSONS_FILE_NAME
    if not path.exists():
        paths = {split: [file.path for file in audio_of_split(data, split)] for split in SPLITS}
        if music is not None:
            fetch_packages(music, "music")
            paths["train"] += find_music(music)
        teacher = build_teacher(convolutions)
        made = {}
        for split, files in paths.items():
            one = _make_lessons(files, teacher, np.random.default_rng(knobs.seed), knobs)
            made[f"{split}_windows"], made[f"{split}_embeddings"] = one.windows, one.embeddings
        np.savez(path, allow_pickle=False, **made)
    with np.load(path, allow_pickle=False) as kept:
        train, valid = (
            Lessons(kept[f"{split}_windows"], kept[f"{split}_embeddings"]) for split in SPLITS
        )
    return train, valid


def _make_lessons(
    paths: Sequence[Path],
    teacher: keras.Model,
    rng: np.random.Generator,
    knobs: Knobs,
) -> Lessons:
    """Play recordings to the teacher.

    Raises:
        DatasetError: none of them can be read.
    """
    windows, embeddings = [], []
    for index, path in enumerate(paths):
        try:
            waveform = read_audio(path)
        except DatasetError:
            continue
        excerpts = list(_excerpts(waveform, rng, knobs))
        if not excerpts:
            continue
        windows += [
            log_mel_spectrogram(one[: FEATURES.window_samples], FEATURES) for one in excerpts
        ]
        patches = np.concatenate([_patches(one) for one in excerpts])
        said = teacher.predict(patches, batch_size=32, verbose=0)
        embeddings.append(said.reshape(len(excerpts), N_PATCHES, -1))
        done = f"{index + 1}/{len(paths)} recordings, {len(windows)} lessons"
        print(f"\r{done}", end="", file=sys.stderr)
    print(file=sys.stderr)
    if not windows:
        raise DatasetError(f"none of {len(paths)} recordings can be read")
    return Lessons(
        np.stack(windows).astype(np.float16), np.concatenate(embeddings).astype(np.float16)
    )


def _excerpts(waveform: FloatArray, rng: np.random.Generator, knobs: Knobs) -> Iterator[FloatArray]:
    """Cut random excerpts of a window's length, every other one played faster or slower."""
    import librosa  # noqa: PLC0415 - slow to import

    rate_hz = FEATURES.sample_rate_hz
    wanted = len(waveform) / rate_hz / 60 * knobs.lessons_per_minute
    for index in range(int(min(wanted, knobs.most_lessons_per_recording))):
        change = knobs.max_speed_change if index % 2 else 0.0
        speed = 1.0 + rng.uniform(-change, change)
        n_samples = int(_SECONDS * speed * rate_hz) + 2
        if n_samples > len(waveform):
            continue
        start = rng.integers(0, len(waveform) - n_samples + 1)
        excerpt = waveform[start : start + n_samples]
        if change:
            excerpt = librosa.resample(excerpt, orig_sr=rate_hz * speed, target_sr=rate_hz)
        if np.abs(excerpt).max() > _SILENT_BELOW:
            yield excerpt


def _patches(sound: FloatArray) -> FloatArray:
    """Turn an excerpt into YAMNet's patches, ``(4, 96, 64)``, at the level the student assumes."""
    import librosa  # noqa: PLC0415 - slow to import

    rate_hz = FEATURES.sample_rate_hz
    mel_power = librosa.feature.melspectrogram(
        y=sound[: FEATURES.window_samples],
        sr=rate_hz,
        n_fft=FEATURES.frame_length,
        hop_length=FEATURES.hop_length,
        n_mels=FEATURES.n_mels,
        center=False,
    )
    gain = np.sqrt(10.0 ** (LEVEL_DB / 10.0) / mel_power.max())
    resampled = librosa.resample(sound * gain, orig_sr=rate_hz, target_sr=yamnet.SAMPLE_RATE_HZ)
    n_frames = N_PATCHES * yamnet.PATCH_FRAMES
    frames = yamnet.log_mel(resampled)[:n_frames]
    return frames.reshape(N_PATCHES, yamnet.PATCH_FRAMES, yamnet.N_MELS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    default = Knobs()
    parser = argparse.ArgumentParser(
        prog="training.distil",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write; if it holds a run, that goes on")
    parser.add_argument("--data", type=Path, required=True, help="dataset with recordings")
    parser.add_argument("--negatives", type=Path, required=True, help="by training.negatives")
    parser.add_argument("--music", type=Path, help="folder for Debian packages of music (0.9 GB)")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--seed", type=int, default=default.seed)
    args = parser.parse_args(arguments)
    knobs = Knobs(epochs=args.epochs, seed=args.seed)
    try:
        distil(args.data, args.music, args.negatives, args.run, knobs)
    except DatasetError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
