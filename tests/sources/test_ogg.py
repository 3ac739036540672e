"""Titles out of the bytes of Ogg streams, true ones and hostile ones."""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.ogg import Chapter, OggTitles
from rtgenre.sources.title import MAX_CHARACTERS
from rtgenre.types import Track

RATE_HZ = 48000
OPUS_HEAD = b"OpusHead" + bytes(11)
VORBIS_HEAD = b"\x01vorbis" + struct.pack("<IBI", 0, 2, RATE_HZ) + bytes(14)


def pages(packet, *, serial=1, flags=0, granule=0):
    """Write one packet into as many pages as it needs."""
    lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
    written = b""
    for at in range(0, len(lacing), 255):
        part = bytes(lacing[at : at + 255])
        body = packet[at * 255 :][: sum(part)]
        written += b"OggS" + struct.pack("<BBqIIIB", 0, flags, granule, serial, 0, 0, len(part))
        written += part + body
    return written


def comments(*texts, mark=b"OpusTags"):
    fields = [b"program", *(text.encode() for text in texts)]
    written = [struct.pack("<I", len(field)) + field for field in fields]
    written.insert(1, struct.pack("<I", len(texts)))
    return mark + b"".join(written)


def link(*texts, serial=1, seconds=10.0, joined_at=0.0):
    """Write a stream as it is in a chain, with a page of sound each second."""
    n_pages = int(seconds)
    return (
        pages(OPUS_HEAD, serial=serial, flags=2)
        + pages(comments(*texts), serial=serial)
        + b"".join(
            pages(b"sound" * 40, serial=serial, granule=int((joined_at + 1 + n) * RATE_HZ))
            for n in range(n_pages)
        )
    )


SONG = ("TITLE=So What", "artist=Miles Davis")
CHAPTER = Chapter(0.0, Track("So What", "Miles Davis"))


@pytest.mark.parametrize("step", [1, 100, 1 << 20])
def test_each_link_of_a_chain_says_what_plays_from_where_it_begins(step):
    stream = link(*SONG) + link("TITLE=Halo", serial=2) + link(serial=3)
    titles = OggTitles()
    found = [each for at in range(0, len(stream), step) for each in titles.push(stream[at:][:step])]
    assert found == [CHAPTER, Chapter(10.0, Track("Halo")), Chapter(20.0, None)]


def test_a_radio_that_is_joined_in_the_middle_of_a_song_counts_from_there():
    stream = link(*SONG, joined_at=7200.0, seconds=11) + link("TITLE=Halo", serial=2)
    assert OggTitles().push(stream) == [CHAPTER, Chapter(10.0, Track("Halo"))]


@pytest.mark.parametrize(
    ("head", "tags"),
    [
        (OPUS_HEAD, comments(*SONG)),
        (VORBIS_HEAD, comments(*SONG, mark=b"\x03vorbis")),
        (b"\x7fFLAC" + bytes(22) + b"\x0b\xb8\x02" + bytes(20), comments(*SONG, mark=b"\x04..."))
    ],
    ids=["opus", "vorbis", "flac"],
)  # fmt: skip
def test_every_kind_of_sound_is_known(head, tags):
    assert OggTitles().push(pages(head, flags=2) + pages(tags)) == [CHAPTER]


@pytest.mark.parametrize(
    ("texts", "track"),
    [
        (("title=a\nb\x1b[2J",), Track("a b [2J")),
        (("TITLE=" + "x" * 1_000_000,), None),
        (("TITLE=" + "x" * 100_000,), Track("x" * MAX_CHARACTERS)),
        (("TITLE=a", "METADATA_BLOCK_PICTURE=" + "x" * 1_000_000), Track("a")),
        (("TITLE=a", "ARTIST=b", "ARTIST=c"), Track("a", "b, c")),
        (("ARTIST=b",), None),
        (("TITLE", "=", ""), None),
        ((), None),
    ],
)
def test_comments_are_read_as_far_as_they_can_be(texts, track):
    tracemalloc.start()
    try:
        assert OggTitles().push(link(*texts))[0].track == track
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "tags",
    [
        b"OpusTags",
        b"OpusTags" + b"\xff" * 8,
        comments("TITLE=a")[:-3],
        b"OpusTags" + struct.pack("<I", 0) + b"\xff\xff\xff\xff" + b"\xff\xff\xff\x7fTITLE=a",
        b"OpusTags" + struct.pack("<II", 0, 2**32 - 1) + b"\0\0\0\0" * 60_000,
        b"garbage",
        b"",
    ],
)
def test_comments_that_lie_about_their_lengths_say_nothing(tags):
    stream = pages(OPUS_HEAD, flags=2) + pages(tags) + link(*SONG, serial=2)
    assert OggTitles().push(stream)[-1].track == CHAPTER.track


def test_pictures_and_other_streams_beside_the_sound_are_passed_over():
    stream = pages(b"\x80theora" + bytes(40), serial=9, flags=2) + link(*SONG)
    assert OggTitles().push(b"garbage OggSOgg" + stream) == [CHAPTER]


@given(st.lists(st.sampled_from([b"OggS", link(*SONG), b"\xff" * 30, b"\0"]) | st.binary()))
def test_no_bytes_do_harm(parts):
    titles = OggTitles()
    for part in parts:
        titles.push(part)
    assert len(titles._buffer) < 70_000
