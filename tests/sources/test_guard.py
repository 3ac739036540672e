"""Streams that try to lead into this network: here 127.0.0.1 stands for the internet."""

import contextlib
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import soundfile

from rtgenre.sources import guard, stream
from rtgenre.sources.stream import StreamSource
from tests.certificates import a_certificate

from .conftest import Heard, eventually, running, tone

INTERNET, PRIVATE = "127.0.0.1", "127.0.0.2"


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that leave in the middle."""

    def handle_error(self, request, client_address):
        pass


class Server:
    """Answers every path from a table; an address to be led to instead is a redirect."""

    def __init__(self, host, answers, tls=None):
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append(self.path)
                answer = answers[self.path]
                if isinstance(answer, str):
                    self.send_response(302)
                    self.send_header("Location", answer)
                    self.end_headers()
                    return
                self.send_response(200)
                if b"#EXT-X-" in answer:
                    # Newer ffmpegs know a playlist by its name or by this alone.
                    self.send_header("Content-Type", "application/vnd.apple.mpegurl")
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(answer)

            def log_message(self, *_arguments):
                pass

        self._server = QuietServer((host, 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def _internet(monkeypatch):
    for module in (guard, stream):
        monkeypatch.setattr(module, "is_public", lambda address: address == INTERNET)


@pytest.fixture
def serve():
    servers = []

    def start(*arguments):
        servers.append(Server(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def mp3(tmp_path):
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(2.0), 44100)
    return path.read_bytes()


def playlist(*urls):
    segments = "".join(f"#EXTINF:2,\n{url}\n" for url in urls)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{segments}#EXT-X-ENDLIST\n".encode()


async def test_a_stream_of_the_internet_is_heard_redirects_and_segments_too(serve, mp3):
    internet = serve(INTERNET, {"/a": "/list.m3u8", "/list.m3u8": playlist("/1.mp3", "/2.mp3"),
                                "/1.mp3": mp3, "/2.mp3": mp3})  # fmt: skip
    heard = Heard()
    async with running(StreamSource(f"{internet.url}/a"), heard):
        await heard.until(lambda: heard.n_samples > 3 * 44100)
    assert internet.requests[:2] == ["/a", "/list.m3u8"]


@pytest.mark.parametrize("way", ["redirect", "playlist"])
async def test_a_stream_of_the_internet_is_not_led_into_this_network(serve, mp3, way):
    private = serve(PRIVATE, {"/secret.mp3": mp3})
    goal = f"{private.url}/secret.mp3"
    internet = serve(INTERNET, {"/a.m3u8": goal if way == "redirect" else playlist(goal)})
    source, heard = StreamSource(f"{internet.url}/a.m3u8"), Heard()
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
    assert f"leads to {PRIVATE} ({PRIVATE}), which is in this network" in source.problem
    assert "allow_private = true" in source.problem
    assert private.requests == []
    assert heard.blocks == []


@pytest.mark.parametrize(
    "entry", ["{private}/secret.mp3", "{internet}/redirect", "{internet}/hls.m3u8"]
)
async def test_a_playlist_of_the_internet_does_not_lead_into_this_network(serve, mp3, entry):
    private = serve(PRIVATE, {"/secret.mp3": mp3})
    goal = f"{private.url}/secret.mp3"
    answers = {"/redirect": goal, "/hls.m3u8": playlist(goal)}
    internet = serve(INTERNET, answers)
    answers["/a.m3u"] = entry.format(private=private.url, internet=internet.url).encode()
    source, heard = StreamSource(f"{internet.url}/a.m3u"), Heard()
    async with running(source, heard):
        await eventually(lambda: source.problem is not None)
    assert f"leads to {PRIVATE} ({PRIVATE}), which is in this network" in source.problem
    assert private.requests == []
    assert heard.blocks == []


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp"])
@pytest.mark.parametrize("proxy", [False, True])
async def test_only_what_can_be_guarded_is_opened_from_a_playlist_of_the_internet(
    serve, monkeypatch, scheme, proxy
):
    with socket.create_server((PRIVATE, 0)) as private:
        private.setblocking(False)
        entry = f"{scheme}://{PRIVATE}:{private.getsockname()[1]}/a/b"
        internet = serve(INTERNET, {"/a.m3u": f"#EXTM3U\n{entry}\n".encode()})
        if proxy:
            monkeypatch.setenv("http_proxy", "")
        source = StreamSource(f"{internet.url}/a.m3u")
        async with running(source, Heard()):
            await eventually(lambda: source.problem is not None)
        assert "leads to no stream that can be played" in source.problem
        with pytest.raises(BlockingIOError):
            private.accept()


async def test_a_playlist_of_this_network_names_any_kind_of_stream(serve):
    private = serve(PRIVATE, {"/a.m3u": f"rtsp://{PRIVATE}:9/a".encode()})
    source = StreamSource(f"{private.url}/a.m3u")
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    assert source.problem == f"rtsp://{PRIVATE}:9/a: nothing answers there (connection refused)"


@pytest.mark.parametrize("path", ["a", "a.m3u"])
async def test_a_stream_may_be_allowed_to_lead_into_this_network(serve, mp3, path):
    private = serve(PRIVATE, {"/a.mp3": mp3})
    url = f"{private.url}/a.mp3"
    internet = serve(INTERNET, {"/a": url, "/a.m3u": url.encode()})
    heard = Heard()
    async with running(StreamSource(f"{internet.url}/{path}", allow_private=True), heard):
        await heard.until(lambda: heard.n_samples > 44100)


async def test_a_stream_of_this_network_leads_where_it_wants(serve, mp3):
    private = serve(PRIVATE, {"/b": "/c", "/c": mp3})
    heard = Heard()
    async with running(StreamSource(f"{private.url}/b"), heard):
        await heard.until(lambda: heard.n_samples > 44100)


async def test_over_tls_too_a_stream_is_heard_and_not_led_astray(serve, mp3, tmp_path, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = await a_certificate(tmp_path)
    context.load_cert_chain(certificate, key)
    # Newer ffmpegs look whether it is trusted.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    private = serve(PRIVATE, {"/a.mp3": mp3}, context)
    internet = serve(INTERNET, {"/a": mp3, "/b": f"{private.url}/a.mp3"}, context)
    heard = Heard()
    async with running(StreamSource(f"{internet.url}/a"), heard):
        await heard.until(lambda: heard.n_samples > 44100)
    astray = StreamSource(f"{internet.url}/b")
    async with running(astray, Heard()):
        await eventually(lambda: astray.problem is not None)
    assert "which is in this network" in astray.problem
    assert private.requests == []


async def test_a_server_that_cannot_be_reached_is_named(serve):
    gone = serve(INTERNET, {})
    gone.close()
    source = StreamSource(f"{gone.url}/a")
    async with running(source, Heard()):
        await eventually(lambda: source.problem is not None)
    assert source.problem.startswith(f"{INTERNET} cannot be reached: ")
