"""Streams whose address is that of a playlist, over HTTP."""

import contextlib
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import soundfile

from rtgenre.sources import stream
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.ffmpeg import LastMessage
from rtgenre.sources.playlist import MOST_ENTRIES
from rtgenre.sources.stream import StreamSource

from .conftest import Heard, eventually, peak_frequency_hz, running, tone

# Nobody listens there.
DEAD = "http://127.0.0.1:9/live"


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch):
    monkeypatch.setattr(stream, "Backoff", lambda **_: Backoff(0.05, 0.05))


@pytest.fixture
def radio(served):
    """A web server with a stream of 440 Hz and one of 880 Hz; playlists are put beside them."""
    soundfile.write(served.folder / "live.mp3", tone(2.0), 44100)
    soundfile.write(served.folder / "other.mp3", tone(2.0, frequency_hz=880), 44100)
    return served


def _listed(radio, name, *entries):
    text = "".join(f"File{number}={entry}\n" for number, entry in enumerate(entries, start=1))
    (radio.folder / name).write_text(f"[playlist]\nNumberOfEntries={len(entries)}\n{text}")
    return StreamSource(f"{radio.url}/{name}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("radio.pls", "[playlist]\nNumberOfEntries=1\nFile1={url}/live.mp3\nTitle1=Radio\n"),
        ("radio.m3u", "{url}/live.mp3\n"),
        ("radio.m3u8", "#EXTM3U\n#EXTINF:-1,Radio\nlive.mp3\n"),
        ("radio.asx", '<asx version="3.0"><entry><ref href="{url}/live.mp3"/></entry></asx>'),
        ("radio.xspf", "<playlist version='1'><location>{url}/live.mp3</location></playlist>"),
        ("listen", "#EXTM3U\n{url}/live.mp3\n"),
    ],
)  # fmt: skip
async def test_the_stream_that_a_playlist_names_is_played_as_if_its_own_address_were_given(
    radio, name, text
):
    (radio.folder / name).write_text(text.format(url=radio.url))
    source, heard = StreamSource(f"{radio.url}/{name}"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 44100)
        assert (source.problem, source.reopens) == (None, 0)
    assert source.name == f"stream: {radio.url}/{name}"
    assert not any(block.gap for block in heard.blocks)
    assert peak_frequency_hz(heard.samples()[4410:39690, 0], 44100) == pytest.approx(440, abs=2)


async def test_the_first_stream_that_plays_is_played(radio):
    source, heard = _listed(radio, "a.pls", DEAD, f"{radio.url}/gone.mp3", "other.mp3"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 44100)
        assert source.problem is None
    assert peak_frequency_hz(heard.samples()[4410:39690, 0], 44100) == pytest.approx(880, abs=4)


async def test_when_a_radio_drops_its_playlist_is_looked_at_anew_since_servers_change(radio):
    source, heard = _listed(radio, "a.pls", "live.mp3"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 22050)
        _listed(radio, "a.pls", "other.mp3")
        await heard.until(lambda: any(block.gap for block in heard.blocks))
        first = next(number for number, block in enumerate(heard.blocks) if block.gap)
        await heard.until(lambda: len(heard.blocks) > first + 50)
    assert source.reopens == 1
    after = heard.samples()[-22050:, 0]
    assert peak_frequency_hz(after, 44100) == pytest.approx(880, abs=4)


async def test_recordings_in_a_playlist_are_played_one_after_another_and_then_anew(radio):
    soundfile.write(radio.folder / "live.ogg", tone(2.0), 44100)
    source, heard = _listed(radio, "a.pls", "live.ogg", "gone.mp3", "other.mp3"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 6.5 * 44100)
    pitches = [
        peak_frequency_hz(heard.samples()[round(at * 44100) :][:22050, 0], 44100)
        for at in (0.5, 2.5, 4.5)
    ]
    assert pitches == pytest.approx([440, 880, 440], abs=4)
    gaps = [
        sum(len(one.samples) for one in heard.blocks[:number]) / 44100
        for number, block in enumerate(heard.blocks)
        if block.gap
    ]
    assert gaps == pytest.approx([2.0, 4.0, 6.0], abs=0.1)


async def test_a_recording_begins_once_though_what_ffmpeg_tells_of_it_is_read_late(
    radio, monkeypatch
):
    class Late(LastMessage):
        def __init__(self, process, told):
            super().__init__(process, lambda message: (time.sleep(0.1), told(message)))

    monkeypatch.setattr(stream, "LastMessage", Late)
    soundfile.write(radio.folder / "live.ogg", tone(2.0), 44100)
    source, heard = _listed(radio, "a.pls", "live.ogg"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 22050)
    assert not any(block.gap for block in heard.blocks)


async def test_a_playlist_may_lead_to_another_and_to_hls(radio, hls_url):
    (radio.folder / "b.m3u").write_text("#EXTM3U\n#EXTINF:-1,Radio\nlive.m3u8\n")
    source, heard = _listed(radio, "a.pls", "b.m3u"), Heard()
    async with running(source, heard):
        await heard.until(lambda: heard.n_samples > 2 * 44100)
    assert hls_url.endswith("/live.m3u8")


@pytest.mark.parametrize(
    "entries",
    [[], ["a.pls"], ["file:///etc/passwd", "C:\\Music\\a.mp3"], ["b.pls", "a.pls"]],
    ids=["empty", "itself", "files", "in a circle"],
)
async def test_a_playlist_that_leads_nowhere_is_said_and_opens_nothing_else(radio, entries):
    _listed(radio, "b.pls", "a.pls")
    source, heard = _listed(radio, "a.pls", *entries), Heard()
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
    assert source.problem.endswith(".pls: is a playlist that leads to no stream that can be played")
    assert heard.blocks == []
    assert set(radio.requests) <= {"/a.pls", "/b.pls"}


async def test_playlists_that_lead_ever_on_are_given_up(radio):
    for number in range(30):
        _listed(radio, f"{number}.pls", f"{number + 1}.pls")
    source = StreamSource(f"{radio.url}/0.pls")
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    last = f"{radio.url}/{MOST_ENTRIES}.pls"
    assert source.problem == f"{last}: is a playlist that leads to no stream that can be played"


async def test_where_nothing_in_a_playlist_plays_it_is_said_and_tried_on_without_repeating_it(
    radio, caplog
):
    caplog.set_level(logging.DEBUG)
    source = _listed(radio, "a.pls", DEAD, "gone.mp3")
    async with running(source, Heard()):
        await eventually(lambda: radio.requests.count("/gone.mp3") > 2)
        assert (
            source.problem == f"{radio.url}/gone.mp3: the server has nothing at this address (404)"
        )
    said = [record.getMessage() for record in caplog.records if "a.pls" in record.getMessage()]
    # Of each address once.
    assert len(said) == len(set(said)) == 2


async def test_what_is_secret_in_a_playlist_and_its_address_is_shown_nowhere(radio, caplog):
    caplog.set_level(logging.DEBUG)
    _listed(radio, "a.pls", "http://me:sesame@127.0.0.1:9/x?token=1", "/gone?token=2")
    url = radio.url.replace("://", "://listener:secret@")
    source = StreamSource(f"{url}/a.pls?key=hush")
    async with running(source, Heard()):
        await eventually(lambda: radio.requests.count("/gone?token=2") > 1)
    shown = source.name + source.problem + caplog.text
    assert "127.0.0.1:9/x" in shown
    assert "/gone" in shown
    for secret in ("secret", "hush", "sesame", "token"):
        assert secret not in shown


async def test_of_a_playlist_without_an_end_the_beginning_is_enough(radio):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(f"#EXTM3U\n{radio.url}/live.mp3\n".encode())
                while True:
                    self.wfile.write(b"http://127.0.0.1:9/live\n" * 1000)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard = Heard()
    async with running(StreamSource(f"http://127.0.0.1:{server.server_port}/a.m3u"), heard):
        await heard.until(lambda: heard.n_samples > 22050)
    server.shutdown()
    server.server_close()
