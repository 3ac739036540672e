"""Audio files as blocks of samples: libsndfile first, ffmpeg for what it does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtgenre.sources.addresses import bare_address_hint
from rtgenre.sources.decoder import DecodeError, Decoder
from rtgenre.sources.ffmpeg import INSTALL_HINT, find_ffmpeg
from rtgenre.sources.ffmpeg_file import FfmpegDecoder
from rtgenre.sources.libsndfile import LibsndfileDecoder, is_headerless
from rtgenre.sources.names import told_path
from rtgenre.sources.ogg_end import lacks_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtgenre.types import FloatArray

NO_SUCH_FILE = "there is no such file"

# Files promise up to a codec's frame too much; less than this is not worth a word.
_MISSING_SECONDS = 1.0
_NO_END = "its end is missing, as where a copy or a recording was cut off"
# Headers claim rates of gigahertz and a thousand channels: no read takes more memory than this.
_MOST_SAMPLES = 2**23


class AudioFile:
    """A file that is being read from its beginning to its end; close it in the same thread.

    Where libsndfile gives up before the end, ffmpeg goes on.
    """

    def __init__(self, path: Path, decoder: Decoder) -> None:
        self.path = path
        self.sample_rate_hz = decoder.sample_rate_hz
        self.n_channels = decoder.n_channels
        self.track = decoder.track
        # What is wrong with the file, for people, most of it known after the end; None: nothing.
        self.remark = _NO_END if lacks_end(path) else None
        self._decoder = decoder
        # Why the rest cannot be read.
        self._damage: str | None = None
        self._promised_frames = decoder.promised_frames
        self._frames_read = 0
        self._ended = False

    @property
    def promised_seconds(self) -> float:
        """The length that the file itself gives; 0 where it gives none."""
        return self._promised_frames / self.sample_rate_hz

    def read(self, n_frames: int) -> FloatArray:
        """Return the next ``(n_frames, n_channels)``, fewer at the end, none after it.

        Damage ends the file and leaves a ``remark``.

        Raises:
            DecodeError: there is nothing in the file that can be read.
        """
        samples = self._read(max(1, min(n_frames, _MOST_SAMPLES // self.n_channels)))
        self._frames_read += len(samples)
        if len(samples) == 0 and not self._ended:
            self._ended = True
            if self._frames_read == 0:
                raise DecodeError(self.path, self._damage or self.remark or "it holds no samples")
            if self._damage is not None:
                self.remark = f"damaged after {self._seconds()}: {self._damage}"
            elif self._is_short():
                promised_seconds = self._promised_frames / self.sample_rate_hz
                self.remark = f"ends early, after {self._seconds()} of {promised_seconds:.1f} s"
        return samples

    def skip(self, n_frames: int) -> None:
        """Pass over frames, without decoding them where the format allows it.

        Raises:
            DecodeError: as ``read``.
        """
        if n_frames > 0 and self._decoder.skip(n_frames):
            self._frames_read += n_frames
            return
        while n_frames > 0 and len(samples := self.read(n_frames)):
            n_frames -= len(samples)

    def blocks(self, block_seconds: float = 1.0) -> Iterator[FloatArray]:
        """Yield the rest of the file, each block ``(n_frames, n_channels)``.

        Raises:
            DecodeError: as ``read``.
        """
        block_frames = max(1, round(block_seconds * self.sample_rate_hz))
        while len(samples := self.read(block_frames)):
            yield samples

    def close(self) -> None:
        """Let go of the file."""
        self._decoder.close()

    def _read(self, n_frames: int) -> FloatArray:
        """Read on, and let ffmpeg take over where libsndfile cannot."""
        nothing = np.zeros((0, self.n_channels), dtype=np.float32)
        if self._ended:
            return nothing
        try:
            samples, problem = self._decoder.read(n_frames), None
        except DecodeError as error:
            samples, problem = nothing, error.problem
        if len(samples) == 0 and (problem is not None or self._is_short()):
            if self._is_taken_over(problem):
                return self._read(n_frames)
            self._damage = self._damage or problem
        return samples

    def _is_taken_over(self, problem: str | None) -> bool:
        """Let ffmpeg go on from here, and say whether it does."""
        if isinstance(self._decoder, FfmpegDecoder):
            return False
        if find_ffmpeg() is None:
            if problem is not None:
                self._damage = (
                    f"libsndfile cannot read on ({problem}); "
                    f"ffmpeg, which may, is not installed: {INSTALL_HINT}"
                )
            return False
        try:
            following = FfmpegDecoder(
                self.path,
                start_frame=self._frames_read,
                sample_rate_hz=self.sample_rate_hz,
                n_channels=self.n_channels,
            )
        except DecodeError:
            return False
        self._decoder.close()
        self._decoder = following
        return True

    def _is_short(self) -> bool:
        missing_frames = self._promised_frames - self._frames_read
        return missing_frames > _MISSING_SECONDS * self.sample_rate_hz

    def _seconds(self) -> str:
        return f"{self._frames_read / self.sample_rate_hz:.1f} s"


def open_audio(path: Path) -> AudioFile:
    """Open any audio file.

    Raises:
        DecodeError: it is missing, empty, or neither libsndfile nor ffmpeg finds audio in it.
    """
    check_file(path)
    try:
        decoder = LibsndfileDecoder(path)
    except DecodeError as error:
        return AudioFile(path, _open_with_ffmpeg(path, error.problem))
    if decoder.promised_frames == 0:
        decoder.close()
        return AudioFile(path, _open_with_ffmpeg(path, "it holds no samples"))
    if decoder.length_is_a_guess and find_ffmpeg() is not None:
        decoder.close()
        return AudioFile(path, _open_with_ffmpeg(path, "it does not say how long it is"))
    return AudioFile(path, decoder)


def check_file(path: Path) -> None:
    """Look whether there is something to read, without waiting for it.

    Raises:
        DecodeError: it is missing, empty, a folder, a named pipe, or may not be read.
    """
    try:
        if path.is_dir():
            raise DecodeError(path, "is a folder, not an audio file")
        if path.exists() and not path.is_file():
            if path.is_fifo():
                raise DecodeError(
                    path, f"is a named pipe; 'rtgenre run {told_path(path)}' reads raw PCM from it"
                )
            raise DecodeError(
                path,
                f"is not a regular file; raw PCM is read with 'rtgenre run - < {told_path(path)}'",
            )
        if path.stat().st_size == 0:
            raise DecodeError(path, "the file is empty (0 bytes)")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        hint = bare_address_hint(told_path(path.as_posix()))
        raise DecodeError(path, NO_SUCH_FILE + hint, may_pass=True) from None
    except OSError as error:
        raise DecodeError(path, f"cannot be read: {error.strerror}", may_pass=True) from error
    except ValueError as error:
        raise DecodeError(path, f"cannot be read: {error}") from error


def _open_with_ffmpeg(path: Path, problem: str) -> Decoder:
    if find_ffmpeg() is None:
        raise DecodeError(
            path,
            f"libsndfile cannot read it ({problem}); "
            f"ffmpeg, which reads more formats, is not installed: {INSTALL_HINT}",
        )
    try:
        return FfmpegDecoder(path)
    except DecodeError as error:
        reason = problem if is_headerless(path) else error.problem
        problem = f"is not audio that can be read: {reason}"
        raise DecodeError(path, problem, may_pass=error.may_pass) from error
