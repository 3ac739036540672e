"""Raw PCM on standard input: ``ffmpeg … | rtgenre run -``, ``arecord … | rtgenre run -``."""

from __future__ import annotations

import os
import sys

from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.pcm import PcmDecoder, PcmFormat
from rtgenre.threads import ThreadReader
from rtgenre.types import Block

# At most; a pipe hands over what is there.
BLOCK_SECONDS = 0.1

_STANDARD_INPUT = 0


class PipeSource(AudioSource):
    """Standard input, until it ends.

    It is not live: nothing is skipped, and whoever writes waits for us. A program that decodes
    a file is slowed down to our speed by that; one that records keeps the little that does not
    fit into the pipe. A frame that is cut off at the very end is dropped.
    """

    def __init__(
        self,
        pcm: PcmFormat,
        *,
        clock: Clock | None = None,
        file_descriptor: int = _STANDARD_INPUT,
    ) -> None:
        super().__init__("pipe: standard input", live=False)
        self._pcm = pcm
        self._clock = clock or CaptureClock()
        self._file_descriptor = file_descriptor

    async def run(self, deliver: Deliver) -> None:
        """Deliver what is written until the writer is done.

        Raises:
            SourceError: standard input is a terminal or closed, or nothing at all came from it.
        """
        self._check_input()
        decoder = PcmDecoder(self._pcm)
        block_bytes = max(1, round(BLOCK_SECONDS * self._pcm.sample_rate_hz)) * decoder.frame_bytes
        # The descriptor itself: a buffered sys.stdin is locked for good by a read that hangs.
        reader = ThreadReader(lambda: os.read(self._file_descriptor, block_bytes), "standard-input")
        begun = False
        try:
            while data := await reader.read():
                samples = decoder.push(data)
                if len(samples):
                    begun = True
                    await deliver(Block(samples, self._pcm.sample_rate_hz, self._clock()))
        finally:
            reader.stop()
        if not begun:
            raise SourceError(
                "standard input ended before any audio came; does the program before the pipe "
                f"work, and does it write {self._pcm.samples}?"
            )

    def _check_input(self) -> None:
        try:
            is_terminal = os.isatty(self._file_descriptor)
            os.fstat(self._file_descriptor)
        except OSError as error:
            raise SourceError(f"standard input cannot be read: {error.strerror}") from error
        if is_terminal:
            raise SourceError(
                "standard input is a terminal, but raw PCM is expected on it "
                f"({self._pcm.samples}, {self._pcm.sample_rate_hz} Hz, "
                f"{self._pcm.n_channels} channels), "
                f"for example: {self._example()}"
            )

    def _example(self) -> str:
        rate, channels = self._pcm.sample_rate_hz, self._pcm.n_channels
        if sys.platform == "linux":
            alsa_format = {"s16le": "S16_LE", "f32le": "FLOAT_LE"}[self._pcm.samples]
            return f"arecord -t raw -f {alsa_format} -r {rate} -c {channels} | rtgenre run -"
        return (
            f"ffmpeg -i song.mp3 -f {self._pcm.samples} -ar {rate} -ac {channels} - | rtgenre run -"
        )
