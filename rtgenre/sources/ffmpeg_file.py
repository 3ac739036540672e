"""Audio files through an ffmpeg process."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.sources.base import SourceError
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.ffmpeg import LastMessage, end_process, start_ffmpeg
from rtgenre.sources.title import file_track

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.types import FloatArray

_AU_HEADER = struct.Struct(">4s5I")
# How ffmpeg ends when no sound came out of a file: the words differ from version to version.
_OF_ITS_OWN_PARTS = re.compile(r"\b(filters?|output file|encoder|consumers|received no packets)\b")


class FfmpegDecoder:
    """Reads what ffmpeg writes to a pipe, in Sun's AU format: a header and float samples.

    AU is the plainest format that says its rate and channels and needs no length beforehand.
    """

    def __init__(
        self,
        path: Path,
        *,
        start_frame: int = 0,
        sample_rate_hz: int | None = None,
        n_channels: int | None = None,
    ) -> None:
        """Open a file.

        Args:
            path: the file.
            start_frame: how many frames, at ``sample_rate_hz``, are passed over.
            sample_rate_hz: the rate to read at; None is the file's own.
            n_channels: the number of channels to read; None is the file's own.

        Raises:
            DecodeError: ffmpeg does not find audio in it, or cannot be run.
        """
        self._path = path
        self.promised_frames = 0
        # A playlist in disguise must not make ffmpeg open anything on the network.
        arguments = ["-protocol_whitelist", "file,pipe", "-i", f"file:{path}", "-map", "0:a:0"]
        if sample_rate_hz is not None:
            arguments += ["-af", f"aresample={sample_rate_hz},atrim=start_sample={start_frame}"]
        if n_channels is not None:
            arguments += ["-ac", str(n_channels)]
        try:
            self._process = start_ffmpeg(
                ["-loglevel", "error", *arguments, "-f", "au", "-c:a", "pcm_f32be", "-"]
            )
        except SourceError as error:
            raise DecodeError(path, str(error), may_pass=True) from error
        self._messages = LastMessage(self._process)
        header = self._read_bytes(_AU_HEADER.size)
        if len(header) < _AU_HEADER.size:
            self._process.wait()
            reason = self._last_message() or "no audio in it"
            if _OF_ITS_OWN_PARTS.search(reason):
                reason = "nothing in it can be decoded"
            self.close()
            raise DecodeError(path, reason)
        _, data_offset, _, _, self.sample_rate_hz, self.n_channels = _AU_HEADER.unpack(header)
        tags = _tags(self._read_bytes(data_offset - _AU_HEADER.size))
        self.track = file_track(
            path.name, title=tags.get("Title", ""), artist=tags.get("Artist", "")
        )
        self._frames_read = 0

    def read(self, n_frames: int) -> FloatArray:
        """Return the next samples; see ``Decoder``."""
        frame_bytes = 4 * self.n_channels
        data = self._read_bytes(n_frames * frame_bytes)
        whole = data[: len(data) // frame_bytes * frame_bytes]
        if not whole:
            self._check_end()
        self._frames_read += len(whole) // frame_bytes
        big_endian = np.frombuffer(whole, dtype=">f4")
        return big_endian.astype(np.float32).reshape(-1, self.n_channels)

    def skip(self, n_frames: int) -> bool:
        """Say that a pipe can only be read."""
        return False

    def close(self) -> None:
        """Let go of the file."""
        end_process(self._process)

    def _read_bytes(self, size: int) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.read(size)

    def _check_end(self) -> None:
        failed = self._process.wait() != 0
        message = self._last_message()
        if failed or re.search(r"partial|truncated", message):
            raise DecodeError(self._path, message or "ffmpeg gave up without a message")

    def _last_message(self) -> str:
        return self._messages.wait().removeprefix(f"file:{self._path}: ")


def _tags(annotation: bytes) -> dict[str, str]:
    """Read what ffmpeg writes between AU's header and its samples: ``Title=…``, line by line."""
    lines = annotation.rstrip(b"\0").decode(errors="replace").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs}
