"""A page of another site, open in the browser of somebody at home, learns nothing."""

import contextlib
import http.server
import threading

import pytest

from tests.documents import a_state

_LISTEN = """(url) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => done(data);
    socket.onclose = ({ code }) => done(`closed ${code}`);
})"""
_FETCH = """(url) => fetch(url).then((answer) => answer.text(), (error) => `refused: ${error}`)"""
_EMBED = """(url) => new Promise((done) => {
    const script = document.createElement("script");
    script.onload = () => done("ran");
    script.onerror = () => done("refused");
    script.src = url;
    document.head.append(script);
})"""


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Win a prize</title>")

    def log_message(self, *_):
        pass


@pytest.fixture
def other_site():
    """Return the origin of a site that has nothing to do with the service."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # The browser finds this name at 127.0.0.1.
        yield f"http://prizes.example:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Opens a page of another site, whose console may say what it likes."""
    with contextlib.ExitStack() as contexts:

        def visit(url):
            context = browser.new_context()
            contexts.callback(context.close)
            page = context.new_page()
            page.goto(url)
            return page

        yield visit


def test_a_page_of_another_site_is_refused_by_every_way_in(visit, puppet, other_site):
    service = puppet("den")
    service.publish(a_state(1))
    page = visit(other_site)
    websocket_url = service.url.replace("http", "ws") + "ws"
    assert page.evaluate(_LISTEN, websocket_url) == "closed 1006"
    for path in ("state", "history", "metrics", "healthz"):
        assert page.evaluate(_FETCH, service.url + path).startswith("refused")
    assert page.evaluate(_EMBED, service.url + "static/app.js") == "refused"


def test_a_site_that_the_settings_allow_may_listen(visit, puppet, other_site):
    service = puppet("den", allowed_origins=[other_site])
    service.publish(a_state(1))
    page = visit(other_site)
    websocket_url = service.url.replace("http", "ws") + "ws"
    assert '"hello"' in page.evaluate(_LISTEN, websocket_url)
    assert "jazz" in page.evaluate(_FETCH, service.url + "state")


def test_a_site_whose_name_was_pointed_at_the_service_is_refused(visit, puppet):
    service = puppet("den")
    service.publish(a_state(1))
    rebound = service.url.replace("127.0.0.1", "prizes.example")
    page = visit(rebound)
    assert "prizes.example" in page.locator("body").inner_text()
    assert page.evaluate(_LISTEN, rebound.replace("http", "ws") + "ws") == "closed 1006"
    assert "jazz" not in page.evaluate(_FETCH, rebound + "state")
