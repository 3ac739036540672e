"""Audio files through libsndfile."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import soundfile

from rtgenre.model.standard_error import quiet_below
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.names import told_path
from rtgenre.sources.title import file_track

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.types import FloatArray

# Files that libsndfile takes for samples without any header, by their names alone.
_HEADERLESS_SUFFIXES = frozenset({".raw"})
# libsndfile's log on a chunk whose header promises more than the file holds.
_SHORT_CHUNK = re.compile(r"(?:data|SSND) : (\d+) \(should be (\d+)\)")
# Sizes from here on are what writers to a pipe put in, who cannot know the length.
_UNKNOWN_SIZE = 0x7FFF_0000
# libsndfile's log on an MP3 that does not say how long it is.
_GUESSED_LENGTH = re.compile(r"bitrate mode\s*: constant")


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is only read from its beginning to its end.

    Of a seekable one soundfile asks the position at every read, for which an MP3 is searched
    anew each time; libmpg123 complains of what it finds there on standard error.
    """

    def seekable(self) -> bool:
        """Say no."""
        return False


class LibsndfileDecoder:
    """Reads through libsndfile."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            DecodeError: libsndfile does not find audio in it.
        """
        self._path = path
        if is_headerless(path):
            raise DecodeError(
                path,
                "raw samples have no header that says what they are; 'rtgenre run - "
                f"--pcm-format … --pcm-rate-hz … --pcm-channels … < {told_path(path)}' reads them",
            )
        # A name that is not UTF-8 reaches libsndfile as the bytes that it is made of.
        # "-" alone would mean standard input, which libsndfile closes in the end.
        whole = path.absolute()
        name = str(whole) if sys.platform == "win32" else os.fsencode(whole)
        try:
            with quiet_below():
                self._file = _ForwardFile(name)
        except soundfile.LibsndfileError as error:
            raise DecodeError(path, _reason(error)) from error
        self.sample_rate_hz = int(self._file.samplerate)
        self.n_channels = int(self._file.channels)
        self.texts: dict[str, str] = self._file.copy_metadata()
        self.track = file_track(
            path.name, title=self.texts.get("title", ""), artist=self.texts.get("artist", "")
        )
        self.promised_frames = _promised_frames(self._file)
        self._frames_read = 0
        # An MP3 without the header that gives its length is read only as far as a guess.
        self.length_is_a_guess = bool(_GUESSED_LENGTH.search(self._file.extra_info))

    def read(self, n_frames: int) -> FloatArray:
        """Return the next samples; see ``Decoder``."""
        try:
            with quiet_below():
                samples: FloatArray = self._file.read(n_frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DecodeError(self._path, _reason(error)) from error
        self._frames_read += len(samples)
        return samples

    def skip(self, n_frames: int) -> bool:
        """Go on further behind; see ``Decoder``."""
        try:
            with quiet_below():
                self._file.seek(self._frames_read + n_frames)
        except soundfile.LibsndfileError:
            return False
        self._frames_read += n_frames
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def is_headerless(path: Path) -> bool:
    """Say whether libsndfile takes the file for raw samples, by its name alone."""
    return path.suffix.lower() in _HEADERLESS_SUFFIXES


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).rstrip(".")


def _promised_frames(file: soundfile.SoundFile) -> int:
    """Return the length that the file's header gives; libsndfile quietly corrects some."""
    frames = int(file.frames)
    short_chunk = _SHORT_CHUNK.search(str(file.extra_info))
    if short_chunk is None:
        return frames
    promised_bytes, found_bytes = int(short_chunk[1]), int(short_chunk[2])
    if not 0 < found_bytes < promised_bytes < _UNKNOWN_SIZE:
        return frames
    return max(frames, frames * promised_bytes // found_bytes)
