"""A browser, the running service, and a service whose documents the test chooses."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright
from websockets.sync.client import connect

from rtgenre.config import HistoryConfig
from rtgenre.demo import DEMO_RECORDING
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.outputs.history import HistoryOutput
from tests.broker import free_port
from tests.chromium import find_chromium
from tests.documents import a_websocket_output

REPOSITORY = Path(__file__).parents[4]
expect.set_options(timeout=30_000)
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names for the tests of other sites.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
PHONE, TABLET, WALL = (390, 844), (1180, 820), (1920, 1080)


@pytest.fixture(scope="package")
def browser():
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("the page is tested in Chromium: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens an address, fails on whatever the browser complains about, and closes at the end."""
    complaints = []
    with ExitStack() as contexts:

        def open_page(url, *, size=TABLET, theme="dark", **options):
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=theme,
                locale="en-GB",
                **options,
            )
            contexts.callback(context.close)
            context.set_default_timeout(30_000)
            page = context.new_page()
            note_complaints(page, complaints)
            page.goto(url)
            return page

        yield open_page
    assert not complaints, "the browser complained:\n" + "\n".join(complaints)


_EXPECTED = (
    "ERR_CONNECTION",  # A service that the test stopped,
    "WebSocket connection",  # and what became of its connection;
    "status of 400",  # a file of another kind that it sends,
    "status of 401",  # a token that the test leaves out,
    "status of 403",  # teaching that it turns off,
    "status of 404",  # a history that it leaves out,
    "status of 409",  # a lesson that it refuses,
    "status of 502",  # a room that a hub cannot ask,
    "status of 503",  # or that it breaks;
    "willReadFrequently",  # and how the test looks at canvases.
)


def note_complaints(page, complaints):
    """Add whatever a page's browser complains about to a list of texts, with where it was."""

    def note(message):
        unexpected = not any(text in message.text for text in _EXPECTED)
        if message.type in {"error", "warning"} and unexpected:
            place = message.location
            complaints.append(f"{message.text}\n    at {place['url']}:{place['lineNumber'] + 1}")

    page.on("pageerror", lambda error: complaints.append(error.stack or error.message))
    page.on("console", note)


def refuse_to_delete(page):
    """Have what the page asks to delete from the history be refused: the disk is full."""
    page.route(
        "**/history?*",
        lambda route: (
            route.fulfill(status=503, json={"message": "the disk is full"})
            if route.request.method == "DELETE"
            else route.fallback()
        ),
    )


IS_DRAWN = """() => {
    const canvas = document.getElementById("spectrogram");
    const { data } = canvas.getContext("2d").getImageData(0, 64, canvas.width, 1);
    return data.some((value, i) => i % 4 === 0 && value > 200);
}"""
"""Whether anything loud is on the page's spectrogram."""


def draw_spectrogram(page, service):
    """Have a page draw loud columns of den."""
    deadline = time.monotonic() + 30
    while not page.evaluate(IS_DRAWN):
        assert time.monotonic() < deadline
        now = page.evaluate("performance.now() / 1000")
        service.publish_column("den", np.full(128, 255, np.uint8), now, now)


def second_click(page, button):
    """Click as the second time of a double click."""
    box = button.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)


class RunningService:
    """``rtgenre run`` of the demo recording, as a process that can be stopped and started."""

    def __init__(self, folder):
        self.port = free_port()
        self.history_file = folder / "history.db"
        self._process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "rtgenre", "run", str(DEMO_RECORDING), "--loop"),
                *("--node", "kitchen", "--port", str(self.port), "--quiet"),
            ],
            cwd=self.history_file.parent,
            env=os.environ
            | {"PYTHONPATH": str(REPOSITORY), "RTGENRE_HISTORY__FILE": str(self.history_file)},
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.hello()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the service did not start")

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def hello(self):
        with connect(f"ws://127.0.0.1:{self.port}/ws") as client:
            return json.loads(client.recv())

    def next_state(self):
        """Return a state document that was just sent."""
        with connect(f"ws://127.0.0.1:{self.port}/ws") as client:
            n_states = 0
            while True:
                document = json.loads(client.recv())
                n_states += document["type"] == "state"
                # The first one may be as old as a hop.
                if n_states == 2:
                    return document


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = RunningService(tmp_path_factory.mktemp("service"))
    service.start()
    yield service
    service.stop()


class PuppetService:
    """The real port with a hub that the test publishes to, in a thread of its own."""

    def __init__(self, folder, nodes, **options):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._hub = Hub()
        self._columns = ColumnHub(nodes)
        self._history = HistoryOutput(
            HistoryConfig(file=folder / "history.db"),
            self._hub,
            model_of=dict.fromkeys(nodes, "crnn 4").get,
        )
        options = {"columns": self._columns, "routes": self._history.routes()} | options
        self._output = a_websocket_output(self._hub, *nodes, **options)
        self._history_task = self._call(self._open())

    async def _open(self):
        await self._output.__aenter__()
        return asyncio.create_task(self._history.run())

    @property
    def url(self):
        return f"http://127.0.0.1:{self._output.port}/"

    def publish(self, document):
        self._loop.call_soon_threadsafe(self._hub.publish, document)

    def soon(self, call):
        self._loop.call_soon_threadsafe(call)

    def publish_column(self, *arguments):
        self._loop.call_soon_threadsafe(self._columns.publish, *arguments)

    def close(self):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self):
        self._history_task.cancel()
        await asyncio.wait({self._history_task})
        await self._output.__aexit__(None, None, None)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


@pytest.fixture
def puppet(tmp_path):
    with ExitStack() as puppets:

        def start(*nodes, **options):
            puppet = PuppetService(tmp_path, nodes or ("den",), **options)
            puppets.callback(puppet.close)
            return puppet

        yield start
