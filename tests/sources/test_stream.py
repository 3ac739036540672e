import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from rtgenre.sources import ffmpeg, stream
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import SourceError
from rtgenre.sources.stream import StreamSource
from rtgenre.sources.stream_command import masked_url
from rtgenre.sources.title import MAX_CHARACTERS
from rtgenre.types import Track

from .conftest import Heard, eventually, peak_frequency_hz, running, tone

ICY_BYTES = 4000


class Radio:
    """A web server that plays an encoded file, and can drop or hold its listeners."""

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded
        self.requests = 0
        # How many bytes a listener gets before the connection drops; None is all of them.
        self.drop_after: int | None = None
        # Set once everything is sent: then the connection stays open, silent.
        self.hold: threading.Event | None = None
        # What it says that it plays, and says again with every so many bytes.
        self.title: bytes | None = None
        # The first byte of it: its length in sixteens, if it is to lie about that.
        self.claimed_length: int | None = None
        radio = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                radio.requests += 1
                if self.path.startswith("/missing"):
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "audio/mpeg")
                if radio.title is not None:
                    self.send_header("icy-metaint", str(ICY_BYTES))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(radio.sent)
                    self.wfile.flush()
                    if radio.hold is not None:
                        radio.hold.wait(60)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://listener:secret@127.0.0.1:{self.port}/live.mp3?token=hush"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def sent(self) -> bytes:
        if self.title is None:
            return self.encoded[: self.drop_after]
        text = b"StreamTitle='" + self.title + b"';"
        length = -(-len(text) // 16) if self.claimed_length is None else self.claimed_length
        block = bytes([length]) + text + b"\0" * (-len(text) % 16)
        parts = range(0, len(self.encoded), ICY_BYTES)
        return b"".join(self.encoded[at : at + ICY_BYTES] + block for at in parts)

    def close(self) -> None:
        if self.hold is not None:
            self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def radio(tmp_path: Path):
    path = tmp_path / "live.mp3"
    soundfile.write(path, tone(2.0), 44100)
    server = Radio(path.read_bytes())
    yield server
    server.close()


def _ffmpeg_children() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "ffmpeg" in child.name()]


async def test_a_stream_is_heard_as_stereo_at_its_pitch(radio):
    heard = Heard()
    async with running(StreamSource(radio.url), heard):
        await heard.until(lambda: heard.n_samples > 44100)
    assert {block.sample_rate_hz for block in heard.blocks} == {44100}
    assert heard.blocks[0].samples.shape[1] == 2
    mono = heard.samples()[4410:39690, 0]
    assert peak_frequency_hz(mono, 44100) == pytest.approx(440, abs=2)


async def test_a_stream_wakes_whoever_listens_as_seldom_as_is_wanted_and_loses_no_sample(radio):
    source, heard = StreamSource(radio.url), Heard()
    source.wanted_seconds = lambda: 0.4
    async with running(source, heard):
        await heard.until(lambda: len(heard.blocks) > 1 and heard.blocks[-1].gap)
    first, *others = heard.blocks[:-1]
    played = [first, *others[: next((i for i, b in enumerate(others) if b.gap), len(others))]]
    assert {len(block.samples) for block in played[:-1]} == {17_640}
    # The rest of the stream comes when it ends.
    assert sum(len(block.samples) for block in played) == pytest.approx(2 * 44100, abs=3000)


@pytest.mark.parametrize(
    ("sent", "track"),
    [
        (b"Miles Davis - So What", Track("So What", "Miles Davis")),
        ("Beyonc\u00e9 - Halo".encode("latin-1"), Track("Halo", "Beyonc\u00e9")),
        ("Beyonc\u00e9 - Halo".encode(), Track("Halo", "Beyonc\u00e9")),
        ("\u3042\u3044 - Don't Stop".encode(), Track("Don't Stop", "\u3042\u3044")),
        (b"", None),
    ],
)
async def test_a_radio_that_names_what_it_plays_is_quoted_while_it_is_heard(radio, sent, track):
    radio.title = sent
    radio.hold = threading.Event()
    source = StreamSource(radio.url)
    heard = Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 44100)
        assert source.track == track
    assert source.track is None


@pytest.mark.parametrize(
    ("title", "claimed_length", "track"),
    [
        (b"A" * 4000, None, Track("A" * MAX_CHARACTERS)),
        # What follows the 4,080 bytes that can be claimed is taken for sound, and the title is cut.
        (b"A" * 1_000_000, 255, None),
        # Sound is taken for a part of the title.
        (b"Miles Davis - So What", 255, Track("So What", "Miles Davis")),
    ],
    ids=["long", "a megabyte", "shorter than it says"],
)
async def test_a_title_that_is_huge_or_lies_about_its_length_costs_no_more_than_itself(
    radio, title, claimed_length, track
):
    radio.encoded *= 4
    radio.title, radio.claimed_length = title, claimed_length
    radio.hold = threading.Event()
    source = StreamSource(radio.url)
    heard = Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 44100)
        assert source.track == track
        assert source.problem is None


def _song(folder, number, codec, suffix):
    path = folder / f"{number}.{suffix}"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi"),
            *("-i", f"sine=frequency={440 * number}:duration=2"),
            *("-metadata", f"title=Song {number}", "-metadata", "artist=B\u00e9la"),
            *("-c:a", codec, "-f", "ogg", path),
        ],
        check=True,
    )
    return path.read_bytes()


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libvorbis", "ogg"), ("libopus", "opus"), ("flac", "oga")]
)
async def test_titles_that_an_ogg_radio_sends_within_the_stream_come_with_their_songs(
    radio, tmp_path, codec, suffix
):
    radio.encoded = b"".join(_song(tmp_path, number, codec, suffix) for number in (1, 2))
    radio.hold = threading.Event()
    source, told = StreamSource(radio.url), []
    heard = Heard()

    async def deliver(block):
        told.append((heard.n_samples / 44100, source.track))
        await heard(block)

    async with running(source, deliver):
        await heard.until(lambda: heard.n_samples > 3.5 * 44100)
        assert source.problem is None
    songs = [Track(f"Song {number}", "B\u00e9la") for number in (1, 2)]
    # Some sound may have come before it was known what it is.
    assert list(dict.fromkeys(track for _, track in told if track is not None)) == songs
    changed_at = min(seconds for seconds, track in told if track == songs[1])
    assert changed_at == pytest.approx(2.0, abs=0.4)
    # The sound of the second is heard, too.
    assert peak_frequency_hz(heard.samples()[-44100:, 0], 44100) == pytest.approx(880, abs=4)
    # Once to learn what it is.
    assert (radio.requests, source.reopens) == (2, 0)
    assert source.track is None
    assert not _ffmpeg_children()


async def test_an_ogg_radio_that_drops_is_opened_again_in_the_same_way(radio, tmp_path):
    radio.encoded = _song(tmp_path, 1, "libvorbis", "ogg")
    source, heard = StreamSource(radio.url), Heard()
    async with running(source, heard):
        await heard.until(lambda: source.reopens > 0)
        assert source.track == Track("Song 1", "B\u00e9la")
        assert radio.requests == 3


async def test_an_ogg_radio_behind_a_playlist_is_quoted_too(radio, served, tmp_path):
    radio.encoded = _song(tmp_path, 1, "libvorbis", "ogg")
    (served.folder / "a.m3u").write_text(f"#EXTM3U\n{radio.url}\n")
    source, heard = StreamSource(f"{served.url}/a.m3u"), Heard()
    async with running(source, heard):
        await heard.until(lambda: source.reopens > 0)
        assert source.track == Track("Song 1", "B\u00e9la")
        # Once to learn what it is.
        assert radio.requests == 3


async def test_a_dropped_stream_is_opened_again_and_marks_the_gap(radio):
    radio.drop_after = len(radio.encoded) // 4
    heard = Heard()
    source = StreamSource(radio.url)
    async with running(source, heard):
        await heard.until(lambda: any(block.gap for block in heard.blocks))
        assert source.problem is None
        assert source.reopens >= 1
    assert radio.requests >= 2
    assert heard.blocks[0].gap is False


async def test_a_stream_that_once_played_outlives_a_lack_of_descriptors(radio, monkeypatch):
    radio.drop_after = len(radio.encoded) // 4
    heard, source = Heard(), StreamSource(radio.url)
    failures = [SourceError("ffmpeg cannot be run"), OSError(24, "Too many open files")]

    def start(*arguments, **keywords):
        if heard.blocks and failures:
            raise failures.pop()
        return ffmpeg.start_ffmpeg(*arguments, **keywords)

    monkeypatch.setattr(stream, "start_ffmpeg", start)
    source._backoff = Backoff(0.05, 0.05)
    async with running(source, heard):
        await heard.until(lambda: any(block.gap for block in heard.blocks))
    assert failures == []


async def test_a_silent_server_counts_as_lost(radio, monkeypatch):
    monkeypatch.setattr(stream, "STALL_SECONDS", 3.0)
    radio.drop_after = len(radio.encoded) // 4
    radio.hold = threading.Event()
    heard = Heard()
    source = StreamSource(radio.url)
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
        assert source.problem == "the stream sent nothing for 3 s"
        radio.hold.set()
        radio.hold = None
        await heard.until(lambda: any(block.gap for block in heard.blocks))


async def test_an_address_that_never_works_is_said_once_and_tried_on(radio, monkeypatch, caplog):
    monkeypatch.setattr(stream, "Backoff", lambda **_: Backoff(0.05, 0.05))
    caplog.set_level(logging.DEBUG)
    url = radio.url.replace("/live", "/missing")
    source = StreamSource(url)
    heard = Heard()
    async with running(source, heard):
        await eventually(lambda: radio.requests >= 3)
    assert "404" in source.problem
    said = [record for record in caplog.records if "404" in record.getMessage()]
    assert len(said) == 1
    assert heard.blocks == []


async def test_of_a_radios_page_it_is_said_which_address_is_needed(served):
    (served.folder / "index.html").write_bytes(b"<html><body>Radio</body></html>\n" * 99)
    source = StreamSource(f"{served.url}/index.html")
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    assert source.problem.startswith(f"{served.url}/index.html: is no stream that can be played")
    assert "give the address of the stream or playlist that stands in it" in source.problem


async def test_credentials_are_shown_nowhere(radio, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    radio.encoded = b"this is no music" * 1000
    source = StreamSource(radio.url)
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    assert source.name in caplog.text
    shown = source.name + source.problem + caplog.text
    assert "127.0.0.1" in shown
    assert "secret" not in shown
    assert "hush" not in shown


async def test_a_cancelled_stream_leaves_no_process_behind(radio):
    radio.hold = threading.Event()
    heard = Heard()
    async with running(StreamSource(radio.url), heard):
        await heard.until(lambda: heard.n_samples > 0)
        assert _ffmpeg_children()
    assert _ffmpeg_children() == []


async def test_a_recording_on_a_server_is_not_rushed_through(radio):
    heard = Heard()
    loop = asyncio.get_running_loop()
    async with running(StreamSource(radio.url), heard):
        await heard.until(lambda: heard.n_samples > 0)
        begun = loop.time()
        await heard.until(lambda: heard.n_samples >= 44100)
        assert loop.time() - begun > 0.8


async def test_a_playlist_cannot_make_ffmpeg_read_local_files(radio, tone_wav):
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tone_wav}\n#EXT-X-ENDLIST\n"
    radio.encoded = playlist.encode()
    source = StreamSource(f"http://127.0.0.1:{radio.port}/live.m3u8")
    heard = Heard()
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
    assert heard.blocks == []


async def test_hls_segments_play_one_after_another(hls_url):
    heard = Heard()
    async with running(StreamSource(hls_url), heard):
        await heard.until(lambda: heard.n_samples > 2 * 44100)
    mono = heard.samples()[4410:, 0]
    assert peak_frequency_hz(mono, 44100) == pytest.approx(440, abs=2)
    assert np.max(np.abs(mono)) == pytest.approx(0.5, abs=0.1)


async def test_an_hls_playlist_of_which_nothing_plays_is_not_taken_for_a_radios_page(served):
    (served.folder / "live.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n")
    source = StreamSource(f"{served.url}/live.m3u8")
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    assert source.problem.startswith(f"{served.url}/live.m3u8: is an HLS playlist of which nothing")


async def test_an_address_in_capital_letters_is_heard(radio):
    heard = Heard()
    async with running(StreamSource(radio.url.replace("http:", "HTTP:")), heard):
        await heard.until(lambda: heard.n_samples > 0)


@pytest.mark.parametrize("url", ["http://host/a\0b", "rtsp://host/\x1b[2J\n"])
def test_control_characters_in_an_address_are_refused_and_not_printed(url):
    with pytest.raises(SourceError, match="an address holds no control characters") as caught:
        StreamSource(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["http://", "https:///live", "http://:8000/live", "http://[bad"])
def test_an_address_without_a_server_is_refused_and_not_tried_for_ever(url):
    with pytest.raises(SourceError, match="names no server; an address is written http"):
        StreamSource(url)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ffmpeg ends after its own limit")
@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http"])
def test_ffmpeg_ends_when_we_are_killed_while_a_server_is_silent(scheme):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/a/b"
        program = (
            "import asyncio, sys; from rtgenre.sources.stream import StreamSource\n"
            "asyncio.run(StreamSource(sys.argv[1]).run(None))"
        )
        process = subprocess.Popen([sys.executable, "-c", program, url])
        connection, _ = server.accept()
        with connection:
            children = psutil.Process(process.pid).children()
            assert [child.name() for child in children] == ["ffmpeg"]
            process.kill()
            process.wait()
            _, alive = psutil.wait_procs(children, timeout=5)
            assert not alive


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "concat://a|b", "gopher://host/x", "hls://host/a.m3u8"]
)
def test_addresses_that_are_no_network_streams_are_refused(url):
    with pytest.raises(SourceError, match=r"is not played; an address begins with one of http://"):
        StreamSource(url)


async def test_without_ffmpeg_a_stream_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: None)
    with pytest.raises(SourceError, match="needs ffmpeg, which is not installed: install it with"):
        await StreamSource("http://127.0.0.1/x").run(Heard())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@host:8000/a/b?key=1#x", "http://host:8000/a/b?…"),
        ("rtsp://host/a", "rtsp://host/a"),
        ("http://us@er:p@ss@host/", "http://host/"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_what_is_secret_in_an_address_is_masked(url, shown):
    assert masked_url(url) == shown
