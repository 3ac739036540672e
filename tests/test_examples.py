"""What is in examples/ works with what the service really sends."""

import asyncio
import contextlib
import functools
import http.server
import json
import re
import signal
import sys
import threading
from pathlib import Path

import jinja2
import pytest
import yaml

from rtgenre.config import Config, load_config
from rtgenre.messages.hub import Hub
from rtgenre.messages.news import GenreNews
from rtgenre.monitoring.metrics import Metrics, SourceTotals
from rtgenre.outputs.lights.extension import LightsExtension
from rtgenre.outputs.mqtt.homeassistant import DiscoveryParams, discovery_payload
from tests.chromium import find_chromium
from tests.documents import LABELS, a_state, a_websocket_output
from tests.networks import INFO

TOKEN = "a-token-of-enough-characters"
EXAMPLES = Path(__file__).parent.parent / "examples"


async def test_the_python_subscriber_prints_every_change_of_each_room():
    hub = Hub()
    hub.publish(a_state(1, genre="jazz"))
    async with a_websocket_output(hub) as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, EXAMPLES / "subscriber.py", output.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert await process.stdout.readline() == b"den jazz\n"
        hub.publish(a_state(1, node="hall", genre="blues"))
        assert await process.stdout.readline() == b"hall blues\n"
        hub.publish(a_state(2, genre="jazz"))
        hub.publish(a_state(3, genre="rock"))
        assert await process.stdout.readline() == b"den rock\n"
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"")


async def test_the_embedded_listener_ends_quietly_with_ctrl_c():
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLES / "embedded.py", "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    process.stdin.write(bytes(5 * 44100 * 4))
    assert await process.stdout.readline() == b"silence\n"
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@contextlib.contextmanager
def served(folder):
    """Serve a folder as another site does, and yield its origin."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.asynccontextmanager
async def browser_page():
    playwright = pytest.importorskip("playwright.async_api")
    chromium = find_chromium()
    assert chromium, "chromium is not installed: apt-get install chromium"
    async with playwright.async_playwright() as browsers:
        browser = await browsers.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield await browser.new_page()
        await browser.close()


async def test_the_browser_subscriber_shows_the_genre_in_its_colour():
    hub = Hub()
    hub.publish(a_state(1, genre="rock"))
    hub.publish(a_state(1, node="hall", genre="blues"))
    news = GenreNews()
    settings = {"token": TOKEN, "news": news}
    with served(EXAMPLES) as origin:
        async with (
            a_websocket_output(hub, allowed_origins=(origin,), **settings) as output,
            browser_page() as page,
        ):
            await page.goto(f"{origin}/subscriber.html?url={output.url}#token={TOKEN}")
            await page.get_by_text("rock", exact=True).wait_for()
            color = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert color == "rgb(255, 0, 0)"
            assert await page.evaluate("document.characterSet") == "UTF-8"
            news.publish({"type": "genres", "colors": {"techno": "#123456"}})
            hub.publish(a_state(2, genre="techno"))
            await page.get_by_text("techno", exact=True).wait_for()
            color = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert color == "rgb(18, 52, 86)"
            await page.goto(f"{origin}/subscriber.html?node=hall&url={output.url}#token={TOKEN}")
            await page.get_by_text("blues", exact=True).wait_for()


async def test_the_browser_subscriber_says_why_it_is_refused():
    with served(EXAMPLES) as origin:
        async with browser_page() as page:
            async with a_websocket_output(Hub()) as output:
                await page.goto(f"{origin}/subscriber.html?url={output.url}")
                await page.get_by_text(f'allowed_origins = ["{origin}"]').wait_for()
            async with a_websocket_output(Hub(), allowed_origins=(origin,), token=TOKEN) as output:
                await page.goto(f"{origin}/subscriber.html?url={output.url}#token=wrong")
                await page.get_by_text("The token is missing or wrong").wait_for()


def test_the_lights_settings_are_valid_and_move_every_lamp_they_name():
    config = load_config(EXAMPLES / "lights.toml")
    lamps = LightsExtension(
        config.lights,
        config.mqtt,
        colors=config.colors,
        nodes=[source.node for source in config.source],
    )
    topics = {
        node: [message.topic for message in lamps.on_document(a_state(node=node, genre="jazz"))]
        for node in ("kitchen", "lounge")
    }
    assert topics == {
        "kitchen": [
            "rtgenre/kitchen/color",
            "wled/kitchen-strip/api",
            "zigbee2mqtt/Kitchen lamps/set",
        ],
        "lounge": ["rtgenre/lounge/color", "wled/tv/api"],
    }


def entity_ids(node):
    """Return the entities as Home Assistant names them: slugs of the device's and their names."""
    params = DiscoveryParams(labels=LABELS, version="1", model="crnn")
    payload = discovery_payload(node, params)
    return {
        f"{component['p']}."
        + re.sub(r"[^a-z0-9]+", "_", f"{payload['dev']['name']} {component['name']}".lower())
        for component in payload["cmps"].values()
    }


@pytest.fixture
def automations():
    return yaml.safe_load((EXAMPLES / "home-assistant.yaml").read_text())


def test_home_assistants_automations_are_triggered_by_entities_that_discovery_makes(automations):
    for automation in automations:
        assert automation.keys() == {"alias", "mode", "triggers", "conditions", "actions"}
        for trigger in automation["triggers"]:
            assert trigger["trigger"] == "state"
            assert trigger["entity_id"] in entity_ids("livingroom")
        for action in automation["actions"]:
            assert action["action"] == "light.turn_on"
            assert action["target"] == {"entity_id": "light.lamp"}


def test_home_assistants_template_turns_a_colour_into_three_numbers(automations):
    template = automations[0]["actions"][0]["data"]["rgb_color"]
    # Home Assistant's own `int`, which takes a base.
    environment = jinja2.Environment()
    environment.globals["int"] = int
    trigger = {"to_state": {"state": "#1f9e89"}}
    assert environment.from_string(template).render(trigger=trigger).strip() == "[31, 158, 137]"


def test_node_reds_flow_is_wired_up_and_reads_topics_that_exist():
    nodes = {node["id"]: node for node in json.loads((EXAMPLES / "node-red.json").read_text())}
    for node in nodes.values():
        for outputs in node.get("wires", []):
            assert set(outputs) <= nodes.keys()
        if "broker" in node and node["type"].startswith("mqtt "):
            assert nodes[node["broker"]]["type"] == "mqtt-broker"
        for rule in node.get("rules", []):
            if rule.get("tot") == "json":
                assert json.loads(rule["to"])["state"] in {"ON", "OFF"}
    (source,) = [node for node in nodes.values() if node["type"] == "mqtt in"]
    assert source["topic"] == "rtgenre/livingroom/genre"
    (switch,) = [node for node in nodes.values() if node["type"] == "switch"]
    assert {rule["v"] for rule in switch["rules"]} <= Config().colors.keys()


def test_the_grafana_dashboard_asks_for_metrics_that_exist():
    metrics = Metrics()
    metrics.for_node("den")
    metrics.add_source("den", lambda: SourceTotals(True, *[0] * 7))
    metrics.observe_window(a_state(), inference_seconds=0.01, latency_seconds=0.02)
    metrics.set_info("1", INFO)
    metrics.websocket_refused.labels("token")
    text = metrics.text().decode()
    exported = set(re.findall(r"^([a-z_]+)[{ ]", text, re.MULTILINE))
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) >= 15
    for expression in expressions:
        names = set(re.findall(r"\b(?:rtgenre|process)_[a-z_]+", expression))
        assert names, expression
        assert names <= exported, f"{names - exported} of {expression}"


def test_every_example_is_explained():
    text = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.iterdir():
        if path.name not in {"README.md", "__pycache__"}:
            assert f"]({path.name})" in text
