"""Between the ffmpeg that fetches an Ogg stream and the one that decodes it: titles are read."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING

from rtgenre.sources.ffmpeg import LastMessage, start_ffmpeg
from rtgenre.sources.ogg import OggTitles

if TYPE_CHECKING:
    from rtgenre.sources.ogg import Chapter
    from rtgenre.types import Track

READ_BYTES = 16384

_DECODE = ("-loglevel", "level+warning", "-nostats", "-protocol_whitelist", "pipe")


class OggFeed:
    """Hands bytes over as they come, and keeps what plays until it is heard."""

    def __init__(self, fetching: subprocess.Popen[bytes], decoded: tuple[str, ...]) -> None:
        """Begin to decode what is fetched.

        Args:
            fetching: writes the stream to its standard output; ended by whoever started it.
            decoded: ffmpeg's arguments for what comes out.

        Raises:
            SourceError: ffmpeg cannot be run.
        """
        self._fetching = fetching
        self.decoding = start_ffmpeg([*_DECODE, "-i", "pipe:0", *decoded], stdin=subprocess.PIPE)
        LastMessage(self.decoding)
        # What was read and is not heard yet, and what is.
        self._chapters: deque[Chapter] = deque()
        self._heard: Track | None = None
        self._thread = threading.Thread(target=self._run, name="ogg-feed", daemon=True)
        self._thread.start()

    def track(self, played_seconds: float) -> Track | None:
        """Return what plays when so much has been heard; asked with ever more."""
        while self._chapters and self._chapters[0].start_seconds <= played_seconds:
            self._heard = self._chapters.popleft().track
        return self._heard

    def end(self) -> None:
        """Stop decoding."""
        self.decoding.kill()
        self.decoding.wait()

    def _run(self) -> None:
        source, sink = self._fetching.stdout, self.decoding.stdin
        assert source is not None
        assert sink is not None
        titles = OggTitles()
        # Either process may be killed at any time.
        with contextlib.suppress(OSError), source:
            while data := os.read(source.fileno(), READ_BYTES):
                self._chapters.extend(titles.push(data))
                sink.write(data)
                sink.flush()
        with contextlib.suppress(OSError):
            sink.close()
