"""Network streams (http radio, HLS, RTSP …) through an ffmpeg process."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import re
import subprocess
import time
from functools import partial
from urllib.parse import urlsplit

import numpy as np

from rtgenre.errors import one_line
from rtgenre.sources.addresses import is_public
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.ffmpeg import LastMessage, start_ffmpeg
from rtgenre.sources.guard import Guard
from rtgenre.sources.ogg_feed import OggFeed
from rtgenre.sources.pcm import PcmDecoder
from rtgenre.sources.stream_command import (
    GUARDED,
    N_CHANNELS,
    PROTOCOLS,
    SAMPLE_RATE_HZ,
    SAMPLES,
    masked_url,
    stream_arguments,
)
from rtgenre.sources.title import is_ogg, stream_title, stream_track
from rtgenre.threads import ThreadReader
from rtgenre.types import Block, FloatArray

log = logging.getLogger(__name__)

# As much as a pipe holds.
READ_BYTES = 65536
# A stream that sends nothing for this long is opened again.
STALL_SECONDS = 10.0
# After this much audio a connection counts as good, and the next is tried soon again.
STEADY_SECONDS = 5.0
NO_STREAM = (
    "is no stream that can be played; if it is a radio's page or playlist (.pls, .m3u), "
    "give the stream's own address, which stands in it"
)
# How ffmpeg ends where what it got is no sound, or has none in it.
_NO_STREAM = re.compile(r"Invalid data found when processing input|add a trailing '\?' to the map")
# A recording on a web server comes faster than it sounds; a little more than real time lets a
# radio's clock be faster than ours.
_MOST_SPEED = 1.02


class StreamSource(AudioSource):
    """A stream, opened again whenever it ends, stalls or cannot be reached.

    Nothing distinguishes a radio that dropped from a recording that is over, so both are opened
    again. The address's credentials and query appear nowhere.
    """

    def __init__(
        self, url: str, *, allow_private: bool = False, clock: Clock | None = None
    ) -> None:
        """Check the address, without opening it.

        Args:
            url: the address.
            allow_private: let playlists and redirects of a public server lead into this network.
            clock: stamps the blocks.

        Raises:
            SourceError: it is no address of a kind that is played.
        """
        super().__init__(f"stream: {masked_url(url)}", live=True)
        scheme = url.split("://", 1)[0].lower()
        if scheme not in PROTOCOLS:
            raise SourceError(
                f"{masked_url(url)}: {scheme}:// is not played; an address begins with one of "
                f"{', '.join(f'{name}://' for name in PROTOCOLS)}, "
                "an HLS playlist's too; a file needs none"
            )
        if re.search(r"[\x00-\x1f\x7f]", url):
            raise SourceError(f"{masked_url(url)}: an address holds no control characters")
        # ffmpeg knows its protocols in small letters only.
        self._url = f"{scheme}://{url.split('://', 1)[1]}"
        self._scheme = scheme
        # Whether playlists and redirects may lead anywhere; None until that is known.
        self._leads_anywhere: bool | None = allow_private or None
        self._clock = clock or CaptureClock()
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=30.0)
        # Whether titles are read out of the stream itself.
        self._is_ogg = False
        # Whether anything was delivered yet.
        self._begun = False
        # Whether the next block comes after lost audio.
        self._gap = False
        # When, on the monotonic clock, all that was delivered so far has been heard.
        self._heard_until = 0.0
        # What has come and is less than is wanted at once.
        self._rest = np.zeros((0, N_CHANNELS), dtype=np.float32)

    async def run(self, deliver: Deliver) -> None:
        """Deliver the stream until cancelled.

        Raises:
            SourceError: ffmpeg is not installed, or cannot be run the first time.
        """
        while True:
            try:
                problem = await self._play(deliver)
            except SourceError as error:
                if not self._begun:
                    raise
                problem = str(error)
            except OSError as error:  # no descriptor is left, say
                problem = f"the stream cannot be opened: {error.strerror}"
            if problem != self.problem:
                log.debug("%s: %s", self.name, problem)
            self.problem = problem
            self._gap = True
            await asyncio.sleep(self._backoff.next_seconds())

    async def _play(self, deliver: Deliver) -> str:
        """Play until the stream is lost and return what happened to it."""
        if await self._may_lead_anywhere():
            return await self._play_through(deliver, None)
        async with Guard() as guard:
            problem = await self._play_through(deliver, guard.environment())
            return guard.problem or problem

    async def _may_lead_anywhere(self) -> bool:
        """Say whether this is a stream of our own network, or of a kind that leads nowhere."""
        if self._scheme not in GUARDED or "http_proxy" in os.environ:
            return True
        if self._leads_anywhere is None:
            try:
                host = urlsplit(self._url).hostname or ""
                found = await asyncio.get_running_loop().getaddrinfo(host, None)
            except (OSError, ValueError):
                return False
            # Asked once: a name that means an address of ours only later is not to be trusted.
            self._leads_anywhere = not any(is_public(str(address[0])) for *_, address in found)
        return self._leads_anywhere

    async def _play_through(self, deliver: Deliver, environment: dict[str, str] | None) -> str:
        """Play; what turns out to be Ogg is opened once more, in the way that reads titles."""
        was_ogg = self._is_ogg
        problem = await self._play_once(deliver, environment)
        if self._is_ogg is was_ogg:
            return problem
        self._gap = self._gap or self._begun
        return await self._play_once(deliver, environment)

    async def _play_once(self, deliver: Deliver, environment: dict[str, str] | None) -> str:
        as_ogg = self._is_ogg
        opened = start_ffmpeg(stream_arguments(self._url, as_bytes=as_ogg), environment=environment)
        errors = LastMessage(opened, partial(self._take_message, opened))
        feed: OggFeed | None = None
        try:
            feed = OggFeed(opened, SAMPLES) if as_ogg else None
            return await self._listen(deliver, opened, errors, feed)
        except TimeoutError:
            return f"the stream sent nothing for {STALL_SECONDS:.0f} s"
        finally:
            opened.kill()
            opened.wait()
            if feed is not None:
                feed.end()
            self.track = None

    async def _listen(
        self,
        deliver: Deliver,
        opened: subprocess.Popen[bytes],
        errors: LastMessage,
        feed: OggFeed | None,
    ) -> str:
        """Deliver what is decoded until it ends, and return why it did.

        Raises:
            TimeoutError: nothing came for too long.
        """
        stdout = (opened if feed is None else feed.decoding).stdout
        assert stdout is not None
        reader = ThreadReader(
            lambda: os.read(stdout.fileno(), READ_BYTES), "stream-reader", close=stdout.close
        )
        decoder = PcmDecoder("f32le", N_CHANNELS)
        self._rest = self._rest[:0]
        played_seconds = 0.0
        try:
            while True:
                async with asyncio.timeout(STALL_SECONDS):
                    data = await reader.read()
                if feed is not None:
                    self.track = feed.track(played_seconds)
                elif self._is_ogg:
                    return "it is opened again to read its titles"
                if not data:
                    await self._deliver(self._rest, deliver)
                    return await self._end_of(opened, errors)
                self._rest = np.concatenate([self._rest, decoder.push(data)])
                played_seconds += await self._deliver_rest(deliver)
                if played_seconds > STEADY_SECONDS:
                    self._backoff.reset()
        finally:
            reader.stop()

    def _take_message(self, opened: subprocess.Popen[bytes], message: str) -> None:
        title = stream_title(message)
        if title is not None:
            self.track = stream_track(title)
        elif is_ogg(message) and self._scheme in {"http", "https"}:
            self._is_ogg = True
            opened.kill()

    async def _end_of(self, process: subprocess.Popen[bytes], errors: LastMessage) -> str:
        await asyncio.to_thread(_wait, process)
        last_line = await asyncio.to_thread(errors.wait)
        if process.returncode == 0:
            return "the stream ended"
        if not self._begun and _NO_STREAM.search(last_line):
            return f"{masked_url(self._url)}: {NO_STREAM}"
        return self._masked(last_line)

    async def _deliver_rest(self, deliver: Deliver) -> float:
        """Deliver the blocks that have come as a whole and return how many seconds they are."""
        delivered_seconds = 0.0
        while len(self._rest) >= (n := max(1, math.ceil(self.wanted_seconds() * SAMPLE_RATE_HZ))):
            block, self._rest = self._rest[:n], self._rest[n:]
            delivered_seconds += await self._deliver(block, deliver)
        return delivered_seconds

    async def _deliver(self, samples: FloatArray, deliver: Deliver) -> float:
        """Deliver samples when they have been heard and return how many seconds they are."""
        if len(samples) == 0:
            return 0.0
        if self.problem is not None:
            self.problem = None
            self.reopens += 1
        seconds = len(samples) / SAMPLE_RATE_HZ
        now = time.monotonic()
        # What comes late was heard meanwhile.
        self._heard_until = max(self._heard_until, now - seconds) + seconds / _MOST_SPEED
        await asyncio.sleep(max(0.0, self._heard_until - now))
        await deliver(Block(samples, SAMPLE_RATE_HZ, self._clock(), gap=self._gap))
        self._gap = False
        self._begun = True
        return seconds

    def _masked(self, message: str) -> str:
        message = message.replace(self._url, masked_url(self._url))
        message = re.sub(r"://[^/@\s]+@", "://", message)
        return one_line(re.sub(r"\?\S+", "?…", message)) or "ffmpeg gave up without a message"


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process whose output has ended; one that goes on has lost who took it."""
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
