"""Titles in an Ogg stream, read while its bytes pass by; pure.

A radio that sends Ogg begins a new stream within the stream for each song (a chain), whose second
packet says what it is. ffmpeg before version 8 tells of the first one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rtgenre.sources.title import told_track

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtgenre.types import Track

PAGE_MARK = b"OggS"
PAGE_HEADER_BYTES = 27
"""Without the table of lengths that follows."""
_BEGINS = 2
# Of a longer packet of comments, which holds a picture, the beginning is read.
_MOST_COMMENT_BYTES = 1 << 18
_MOST_COMMENTS = 1000
_OPUS_RATE_HZ = 48000
# A link whose first page ends later than this was joined in the middle; else it begins at zero.
_LONGEST_PAGE_SECONDS = 5.0


class Chapter(NamedTuple):
    """What plays from a moment on."""

    start_seconds: float
    """Since the first sound that passed by."""
    track: Track | None


class _Page(NamedTuple):
    flags: int
    granule: int
    """How many samples of the stream are over at its end; negative where none ends in it."""
    serial: int
    packets: list[bytes]
    """The parts of packets; all but the last end in this page."""
    is_last_complete: bool


class OggTitles:
    """Follows the audio stream of each link of the chain."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        # Of the link that passes by: which stream is its sound.
        self._serial: int | None = None
        self._rate_hz = 0
        # The packet of comments as far as it has come; None once it is read.
        self._comments: bytearray | None = None
        # In samples of its own: where it was joined, and how far it has come.
        self._joined_at: int | None = None
        self._last_granule = 0
        # How long the links before it were.
        self._before_seconds = 0.0

    def push(self, data: bytes) -> list[Chapter]:
        """Take the next bytes, and return what begins with them."""
        self._buffer += data
        return [chapter for page in self._pages() if (chapter := self._take(page)) is not None]

    def _pages(self) -> Iterator[_Page]:
        """Cut off every page that has come as a whole; what is no page is passed over."""
        buffer = self._buffer
        while True:
            start = buffer.find(PAGE_MARK)
            if start < 0:
                del buffer[: max(0, len(buffer) - len(PAGE_MARK) + 1)]
                return
            del buffer[:start]
            span = page_body(buffer)
            if span is None or len(buffer) < span.stop:
                return
            body, end = span.start, span.stop
            lengths = buffer[PAGE_HEADER_BYTES:body]
            yield _Page(
                buffer[5],
                int.from_bytes(buffer[6:14], "little", signed=True),
                int.from_bytes(buffer[14:18], "little"),
                list(_packets(bytes(buffer[body:end]), lengths)),
                is_last_complete=not lengths or lengths[-1] < 255,
            )
            del buffer[:end]

    def _take(self, page: _Page) -> Chapter | None:
        if page.flags & _BEGINS:
            rate_hz = _rate_hz(page.packets[0]) if page.packets else 0
            if rate_hz > 0:
                self._begin(page.serial, rate_hz)
            return None
        if page.serial != self._serial:
            return None
        if self._comments is not None:
            return self._take_comments(page)
        if page.granule > 0:
            if self._joined_at is None:
                is_whole = page.granule <= _LONGEST_PAGE_SECONDS * self._rate_hz
                self._joined_at = 0 if is_whole else page.granule
            self._last_granule = page.granule
        return None

    def _begin(self, serial: int, rate_hz: int) -> None:
        if self._joined_at is not None:
            played = max(0, self._last_granule - self._joined_at)
            self._before_seconds += played / self._rate_hz
        self._serial, self._rate_hz = serial, rate_hz
        self._comments, self._joined_at = bytearray(), None

    def _take_comments(self, page: _Page) -> Chapter | None:
        assert self._comments is not None
        if page.packets and len(self._comments) < _MOST_COMMENT_BYTES:
            self._comments += page.packets[0]
        if len(page.packets) < 2 and not page.is_last_complete:
            return None
        comments, self._comments = bytes(self._comments), None
        return Chapter(self._before_seconds, _track(comments))


def page_body(page: bytes | bytearray) -> range | None:
    """Return where a page's body lies, there or still to come; None if its head is not whole."""
    if len(page) < PAGE_HEADER_BYTES or len(page) < PAGE_HEADER_BYTES + page[26]:
        return None
    start = PAGE_HEADER_BYTES + page[26]
    return range(start, start + sum(page[PAGE_HEADER_BYTES:start]))


def _packets(body: bytes, lengths: bytearray) -> Iterator[bytes]:
    start = end = 0
    for length in lengths:
        end += length
        if length < 255:
            yield body[start:end]
            start = end
    if end > start:
        yield body[start:end]


def _rate_hz(first_packet: bytes) -> int:
    """Return the sample rate that a stream's first packet gives; 0 where it is no sound."""
    if first_packet.startswith(b"\x01vorbis"):
        return int.from_bytes(first_packet[12:16], "little")
    if first_packet.startswith(b"OpusHead"):
        return _OPUS_RATE_HZ
    if first_packet.startswith(b"\x7fFLAC"):
        return int.from_bytes(first_packet[27:30], "big") >> 4
    return 0


def _track(packet: bytes) -> Track | None:
    """Return what a packet of comments calls what plays."""
    for mark in (b"\x03vorbis", b"OpusTags"):
        if packet.startswith(mark):
            return _told(packet[len(mark) :])
    if packet[:1] in {b"\x04", b"\x84"}:  # FLAC's block of comments; the first bit: the last block
        return _told(packet[4:])
    return None


def _told(comments: bytes) -> Track | None:
    titles: list[str] = []
    artists: list[str] = []
    for comment in _split(comments):
        name, _, value = comment.partition("=")
        if name.upper() == "TITLE":
            titles.append(value)
        elif name.upper() == "ARTIST":
            artists.append(value)
    return told_track(titles[0] if titles else "", ", ".join(artists))


def _split(comments: bytes) -> Iterator[str]:
    """Yield the comments, as far as their lengths can be true."""
    at = 0

    def field() -> bytes | None:
        nonlocal at
        end = at + 4 + int.from_bytes(comments[at : at + 4], "little")
        if at + 4 > len(comments) or end > len(comments):
            return None
        read, at = comments[at + 4 : end], end
        return read

    if field() is None:  # the program that wrote them
        return
    n_comments = int.from_bytes(comments[at : at + 4], "little")
    at += 4
    for _ in range(min(n_comments, _MOST_COMMENTS)):
        comment = field()
        if comment is None:
            return
        yield comment.decode(errors="replace")
