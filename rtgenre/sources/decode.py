"""Audio files as blocks of samples: libsndfile first, ffmpeg for what it does not read."""

from __future__ import annotations

import re
import struct
import tempfile
from typing import TYPE_CHECKING, Protocol

import numpy as np
import soundfile

from rtgenre.sources.base import SourceError
from rtgenre.sources.ffmpeg import INSTALL_HINT, end_process, find_ffmpeg, start_ffmpeg
from rtgenre.sources.title import track_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rtgenre.types import FloatArray

AUDIO_SUFFIXES = frozenset(
    ".aac .ac3 .aif .aifc .aiff .alac .ape .au .caf .flac .m4a .m4b .mka .mkv .mov "  # noqa: SIM905
    ".mp2 .mp3 .mp4 .mpc .oga .ogg .opus .rf64 .snd .tta .w64 .wav .webm .wma .wv".split()
)
"""What counts as audio in a folder; a file named outright may be called anything."""

_AU_HEADER = struct.Struct(">4s5I")
# libsndfile's log on a chunk whose header promises more than the file holds.
_SHORT_CHUNK = re.compile(r"(?:data|SSND) : (\d+) \(should be (\d+)\)")
# Sizes from here on are what writers to a pipe put in, who cannot know the length.
_UNKNOWN_SIZE = 0x7FFF_0000


class DecodeError(Exception):
    """A file is missing, empty, damaged or not audio; one line that begins with its path."""


class AudioDecoder(Protocol):
    """A file that is being read; close it in the thread that reads."""

    sample_rate_hz: int
    n_channels: int
    n_frames: int | None
    """Length, where it is known beforehand."""
    title: str
    """From its tags, else the file's name."""

    def read(self, n_frames: int) -> FloatArray:
        """Return the next ``(n_frames, n_channels)``, fewer at the end, none after it.

        Raises:
            DecodeError: the file is damaged here, or ends before its promised length.
        """

    def close(self) -> None:
        """Let go of the file."""


def open_audio(path: Path) -> AudioDecoder:
    """Open any audio file.

    Raises:
        DecodeError: it is missing, empty, or neither libsndfile nor ffmpeg finds audio in it.
    """
    try:
        if path.is_dir():
            raise DecodeError(f"{path}: is a folder, not an audio file")
        if path.exists() and not path.is_file():
            raise DecodeError(
                f"{path}: is not a regular file; raw PCM is read with 'rtgenre run - < {path}'"
            )
        if path.stat().st_size == 0:
            raise DecodeError(f"{path}: the file is empty (0 bytes)")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise DecodeError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise DecodeError(f"{path}: cannot be read: {error}") from error
    try:
        decoder = _SoundFileDecoder(path)
    except soundfile.LibsndfileError as error:
        return _open_with_ffmpeg(path, str(error.error_string).rstrip("."))
    if decoder.n_frames == 0:
        decoder.close()
        return _open_with_ffmpeg(path, "it holds no samples")
    return decoder


def read_audio_blocks(path: Path, block_seconds: float = 0.5) -> Iterator[tuple[FloatArray, int]]:
    """Yield a file's audio as ``(samples, sample_rate_hz)``, samples ``(n_samples, n_channels)``.

    Raises:
        DecodeError: as ``open_audio``; or, after the audio that could be read, it is damaged.
    """
    decoder = open_audio(path)
    try:
        block_frames = max(1, round(block_seconds * decoder.sample_rate_hz))
        while len(samples := decoder.read(block_frames)):
            yield samples, decoder.sample_rate_hz
    finally:
        decoder.close()


def expand_paths(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Replace each folder by the audio files below it, sorted by path.

    Returns:
        The files, and one line for each folder without any.
    """
    files: list[Path] = []
    failures: list[str] = []
    for path in paths:
        if not _is_folder(path):
            files.append(path)
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES)
        if not found:
            failures.append(f"{path}: there are no audio files in this folder")
        files += found
    return files, failures


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long, say: opening it will tell
        return False


class _SoundFileDecoder:
    """Reads through libsndfile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = soundfile.SoundFile(path)
        self._promised_frames = _promised_frames(self._file)
        self._frames_read = 0
        self.sample_rate_hz = int(self._file.samplerate)
        self.n_channels = int(self._file.channels)
        self.n_frames: int | None = int(self._file.frames)
        tags = self._file.copy_metadata()
        self.title = track_title(
            path.name, title=tags.get("title", ""), artist=tags.get("artist", "")
        )

    def read(self, n_frames: int) -> FloatArray:
        try:
            samples: FloatArray = self._file.read(n_frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DecodeError(f"{self._path}: damaged after {self._seconds()}: {error}") from error
        self._frames_read += len(samples)
        if len(samples) == 0 and self._frames_read < self._promised_frames:
            promised_seconds = self._promised_frames / self.sample_rate_hz
            raise DecodeError(
                f"{self._path}: ends early, after {self._seconds()} of {promised_seconds:.1f} s"
            )
        return samples

    def close(self) -> None:
        self._file.close()

    def _seconds(self) -> str:
        return f"{self._frames_read / self.sample_rate_hz:.1f} s"


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


def _open_with_ffmpeg(path: Path, problem: str) -> AudioDecoder:
    if find_ffmpeg() is None:
        raise DecodeError(
            f"{path}: libsndfile cannot read it ({problem}); "
            f"ffmpeg, which reads more formats, is not installed: {INSTALL_HINT}"
        )
    return _FfmpegDecoder(path)


class _FfmpegDecoder:
    """Reads what ffmpeg writes to a pipe, in Sun's AU format: a header and float samples.

    AU is the plainest format that says its rate and channels and needs no length beforehand.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.n_frames: int | None = None
        self.title = track_title(path.name)
        # A playlist in disguise must not make ffmpeg open anything on the network.
        only_files = ["-protocol_whitelist", "file,pipe"]
        arguments = [*only_files, "-i", f"file:{path}", "-map", "0:a:0", "-f", "au"]
        try:
            self._process = start_ffmpeg(
                ["-loglevel", "error", *arguments, "-c:a", "pcm_f32be", "-"],
                stderr=self._errors.fileno(),
            )
        except SourceError as error:
            self._errors.close()
            raise DecodeError(f"{path}: {error}") from error
        header = self._read_bytes(_AU_HEADER.size)
        if len(header) < _AU_HEADER.size:
            reason = self._end() or "no audio in it"
            raise DecodeError(f"{path}: is not audio that can be read: {reason}")
        _, data_offset, _, _, self.sample_rate_hz, self.n_channels = _AU_HEADER.unpack(header)
        self._read_bytes(data_offset - _AU_HEADER.size)
        self._frames_read = 0

    def read(self, n_frames: int) -> FloatArray:
        frame_bytes = 4 * self.n_channels
        data = self._read_bytes(n_frames * frame_bytes)
        whole = data[: len(data) // frame_bytes * frame_bytes]
        if not whole:
            self._check_end()
        self._frames_read += len(whole) // frame_bytes
        big_endian = np.frombuffer(whole, dtype=">f4")
        return big_endian.astype(np.float32).reshape(-1, self.n_channels)

    def close(self) -> None:
        self._end()

    def _read_bytes(self, size: int) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return self._process.stdout.read(size)

    def _check_end(self) -> None:
        if self._errors.closed:
            return
        self._process.wait()
        failed = self._process.returncode != 0
        problem = self._end()
        seconds = self._frames_read / self.sample_rate_hz
        if failed or self._frames_read == 0 or re.search(r"partial|truncated", problem):
            raise DecodeError(f"{self._path}: damaged after {seconds:.1f} s: {problem}")

    def _end(self) -> str:
        """Stop ffmpeg and return its last message."""
        if self._errors.closed:
            return ""
        end_process(self._process)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._errors.close()
        return lines[-1].removeprefix(f"file:{self._path}: ") if lines else ""
