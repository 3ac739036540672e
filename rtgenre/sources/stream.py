"""Network streams (http radio, HLS, RTSP …) and playlists of them through an ffmpeg process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import subprocess
import threading
from functools import partial
from urllib.parse import urlsplit

from rtgenre.sources.addresses import is_public
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, Deliver, SourceError
from rtgenre.sources.clock import CaptureClock, Clock
from rtgenre.sources.ffmpeg import LastMessage, start_ffmpeg
from rtgenre.sources.first_bytes import first_bytes
from rtgenre.sources.guard import Guard
from rtgenre.sources.live_blocks import LiveBlocks
from rtgenre.sources.live_pace import LivePace
from rtgenre.sources.ogg_feed import OggFeed
from rtgenre.sources.pcm import PcmDecoder, PcmFormat
from rtgenre.sources.playlist import MOST_BYTES, MOST_ENTRIES, is_hls, playlist_entries
from rtgenre.sources.stream_command import (
    GUARDED,
    N_CHANNELS,
    PROTOCOLS,
    SAMPLE_RATE_HZ,
    SAMPLES,
    has_end,
    masked_url,
    stream_arguments,
)
from rtgenre.sources.stream_problem import (
    NO_PARTS,
    NO_STREAM,
    NOTHING_IN_IT,
    may_be_playlist,
    stream_problem,
)
from rtgenre.sources.title import is_ogg, stream_title, stream_track, tells_kind
from rtgenre.threads import ThreadReader

log = logging.getLogger(__name__)

# As much as a pipe holds.
READ_BYTES = 65536
# A stream that sends nothing for this long is opened again.
STALL_SECONDS = 10.0
# What ffmpeg tells of a stream is read as soon as that; on a busy machine sound may be sooner.
KIND_SECONDS = 2.0
_ENDED = "the stream ended"
# After this much audio a connection counts as good, and the next is tried soon again.
STEADY_SECONDS = 5.0


class StreamSource(AudioSource):
    """A stream, opened again whenever it ends, stalls or cannot be reached.

    The address may be that of a playlist: then the first stream in it that plays is played. It is
    looked at each time anew, since radios change their servers. After a recording, which says how
    long it is, the next one in it is played.

    Nothing else distinguishes a radio that dropped from a recording that is over, so both are
    opened again. The address's credentials and query appear nowhere.
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
        if scheme in GUARDED and not _names_server(url):
            raise SourceError(
                f"{masked_url(url)}: names no server; an address is written "
                f"{scheme}://radio.example/live"
            )
        # ffmpeg knows its protocols in small letters only.
        self._url = f"{scheme}://{url.split('://', 1)[1]}"
        self._scheme = scheme
        # Whether playlists and redirects may lead anywhere; None until that is known.
        self._leads_anywhere: bool | None = allow_private or None
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=30.0)
        # What is opened: the address itself, or one that a playlist names.
        self._address = self._url
        # The address whose titles are read out of the stream itself.
        self._ogg_address: str | None = None
        # The addresses of what said how long it is.
        self._recordings: set[str] = set()
        # How much had been delivered when an address was opened last.
        self._delivered_before_seconds = 0.0
        # A recording on a web server comes faster than it sounds, and so is paced.
        self._blocks = LiveBlocks(
            self,
            SAMPLE_RATE_HZ,
            N_CHANNELS,
            clock=clock or CaptureClock(),
            pace=LivePace(),
        )

    async def run(self, deliver: Deliver) -> None:
        """Deliver the stream until cancelled.

        Raises:
            SourceError: ffmpeg is not installed, or cannot be run the first time.
        """
        while True:
            try:
                problem = await self._play(deliver)
            except SourceError as error:
                if not self._blocks.delivered_seconds:
                    raise
                problem = str(error)
            except OSError as error:  # no descriptor is left, say
                problem = f"the stream cannot be opened: {error.strerror}"
            self._tell(problem)
            self._blocks.gap = True
            await asyncio.sleep(self._backoff.next_seconds())

    @property
    def _plays(self) -> bool:
        """Whether anything came from the address that was opened last."""
        return self._blocks.delivered_seconds > self._delivered_before_seconds

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.debug("%s: %s", self.name, problem)
        self.problem = problem

    async def _play(self, deliver: Deliver) -> str:
        """Play the first stream that plays, or recordings, and return what ended it."""
        guarded = not await self._may_lead_anywhere()
        waiting, tried = [self._url], set[str]()
        while True:
            self._address, *waiting = waiting
            tried.add(self._address)
            self._delivered_before_seconds = self._blocks.delivered_seconds
            problem, entries = await self._play_address(deliver, guarded=guarded)
            waiting = [entry for entry in [*entries, *waiting] if entry not in tried]
            is_over = problem == _ENDED and self._address in self._recordings
            # Playlists that lead to playlists count, too.
            if (self._plays and not is_over) or not waiting or len(tried) > MOST_ENTRIES:
                return problem
            if self._plays:
                self._blocks.gap = True
                continue
            # Said only once where nothing plays, though each is tried again and again.
            if not entries and self.problem is None:
                self._tell(problem)

    async def _play_address(self, deliver: Deliver, *, guarded: bool) -> tuple[str, list[str]]:
        """Play until the stream is lost and return what happened to it.

        If it is a playlist instead, the addresses in it are returned, too.
        """
        async with Guard() if guarded else contextlib.nullcontext() as guard:
            environment = None if guard is None else guard.environment()
            said = await self._play_through(deliver, environment)
            if guard is not None and guard.problem is not None:
                return guard.problem, []
            if self._plays or not may_be_playlist(said) or not _is_http(self._address):
                return stream_problem(self._address, said), []
            content = await first_bytes(self._address, MOST_BYTES, environment)
        if not content:
            return stream_problem(self._address, said), []
        # Only the way of these can be guarded.
        schemes = PROTOCOLS if self._leads_anywhere else GUARDED
        entries = playlist_entries(content, self._address, schemes)
        if entries is None:
            problem = NO_PARTS if is_hls(content) else NO_STREAM
            return f"{masked_url(self._address)}: {problem}", []
        return f"{masked_url(self._address)}: {NOTHING_IN_IT}", entries

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
        was_ogg = self._address == self._ogg_address
        problem = await self._play_once(deliver, environment)
        if (self._address == self._ogg_address) is was_ogg:
            return problem
        self._blocks.gap = self._blocks.gap or self._blocks.delivered_seconds > 0
        return await self._play_once(deliver, environment)

    async def _play_once(self, deliver: Deliver, environment: dict[str, str] | None) -> str:
        as_ogg = self._address == self._ogg_address
        arguments = stream_arguments(self._address, as_bytes=as_ogg)
        opened = start_ffmpeg(arguments, environment=environment)
        kind_told = threading.Event()
        take = partial(self._take_message, opened, self._address, as_ogg, kind_told)
        errors = LastMessage(opened, take)
        feed: OggFeed | None = None
        try:
            feed = OggFeed(opened, SAMPLES) if as_ogg else None
            return await self._listen(deliver, opened, errors, feed, kind_told)
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
        kind_told: threading.Event,
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
        decoder = PcmDecoder(PcmFormat("f32le", SAMPLE_RATE_HZ, N_CHANNELS))
        self._blocks.drop_rest()
        begun_at_seconds = self._blocks.delivered_seconds
        try:
            while True:
                async with asyncio.timeout(STALL_SECONDS):
                    data = await reader.read()
                if data and not kind_told.is_set():
                    await asyncio.to_thread(kind_told.wait, KIND_SECONDS)
                    kind_told.set()
                if feed is not None:
                    self.track = feed.track(self._blocks.delivered_seconds - begun_at_seconds)
                elif self._address == self._ogg_address:
                    return "it is opened again to read its titles"
                if not data:
                    await self._blocks.finish(deliver)
                    return await self._end_of(opened, errors)
                await self._blocks.push(decoder.push(data), deliver)
                if self._blocks.delivered_seconds - begun_at_seconds > STEADY_SECONDS:
                    self._backoff.reset()
        finally:
            reader.stop()

    def _take_message(
        self,
        opened: subprocess.Popen[bytes],
        address: str,
        as_ogg: bool,
        kind_told: threading.Event,
        message: str,
    ) -> None:
        title = stream_title(message)
        if title is not None:
            self.track = stream_track(title)
        elif is_ogg(message) and _is_http(address):
            self._ogg_address = address
        elif not as_ogg and (ends := has_end(message)) is not None:
            (self._recordings.add if ends else self._recordings.discard)(address)
            # Ogg is opened anew only now: this is said later than that it is Ogg.
            if address == self._ogg_address:
                opened.kill()
        if tells_kind(message):
            kind_told.set()

    async def _end_of(self, process: subprocess.Popen[bytes], errors: LastMessage) -> str:
        await asyncio.to_thread(_wait, process)
        last_line = await asyncio.to_thread(errors.wait)
        return _ENDED if process.returncode == 0 else last_line


def _is_http(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _names_server(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process whose output has ended; one that goes on has lost who took it."""
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
