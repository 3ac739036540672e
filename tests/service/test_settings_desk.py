"""Settings that are changed over HTTP, in a service that runs."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.sync.client import connect

from rtgenre.config import load_config
from rtgenre.config.settings_file import SettingsFile
from rtgenre.demo import DEMO_RECORDING
from rtgenre.service.service import Service
from rtgenre.sources.base import SourceError
from rtgenre.sources.devices import InputDevice
from rtgenre.sources.levels import InputLevel
from tests.broker import free_port
from tests.networks import tone_classifier
from tests.signals import tone
from tests.sources_in_memory import HandSource

REPOSITORY = Path(__file__).parents[2]

TEXT = """\
# mine
[source]
node = "den"   # a room

[websocket]
port = 0

[history]
enabled = false

[mqtt]
host = "127.0.0.1:1"

[lights]
wled = ["shelf"]
"""


class Page:
    """What the page asks of a service."""

    def __init__(self, service, source):
        self.service, self.source = service, source

    async def ask(self, path, body=None, method=None):
        url = f"{self.service._web_socket.http_url}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        try:
            with await asyncio.to_thread(urllib.request.urlopen, request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    async def change(self, changes, checksum=None):
        if checksum is None:
            _, settings = await self.ask("settings")
            checksum = settings["checksum"]
        asked = {"node": "den", "changes": changes, "checksum": checksum}
        return await self.ask("settings", asked)


@contextlib.asynccontextmanager
async def serving(file, text=TEXT):
    if text is not None:
        file.write_text(text)
    config, source = load_config(file), HandSource()
    service = Service(
        config, tone_classifier(), [(config.source[0], source)], None, SettingsFile(file, {})
    )
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    while service._web_socket is None and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield Page(service, source)
    finally:
        stop.set()
        await task


async def test_a_disk_that_hangs_while_settings_are_looked_at_holds_up_nothing_else(
    tmp_path, monkeypatch
):
    answers = threading.Event()
    monkeypatch.setattr(SettingsFile, "problem", lambda _: answers.wait(20) and None)
    async with serving(tmp_path / "rtgenre.toml") as page:
        looking = asyncio.create_task(page.ask("settings"))
        done, _ = await asyncio.wait({looking}, timeout=0.5)
        assert not done
        assert (await page.ask("healthz"))[0] in {200, 503}
        assert not answers.is_set()
        answers.set()
        assert (await looking)[0] == 200


async def test_a_change_is_in_the_file_and_in_force_and_every_comment_stays(tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        status, settings = await page.change(
            {"smoothing": {"switch_margin": 0.35}, "colors": {"jazz": "#123456"}}
        )
        assert status == 200
        (listener,) = page.service._listeners
        assert listener.pipeline.tracker.params.switch_margin == 0.35
        assert page.service.hello()["colors"]["jazz"] == "#123456"
        assert page.service.hello()["settings"] is True
    assert file.read_text().startswith(TEXT)
    assert "switch_margin = 0.35" in file.read_text()
    (margin,) = [each for each in settings["smoothing"] if each["key"] == "switch_margin"]
    assert margin == {
        "key": "switch_margin", "value": 0.35, "default": 0.25, "minimum": 0, "maximum": 1
    }  # fmt: skip
    assert settings["colors"]["jazz"] == "#123456"
    assert (settings["restart"], settings["problem"]) == ([], None)


async def test_what_takes_a_new_start_is_told_and_a_page_can_ask_for_one(tmp_path):
    async with serving(tmp_path / "rtgenre.toml") as page:
        _, settings = await page.change({"source": {"name": "Küche"}})
        assert settings["rooms"][0]["name"] == "Küche"
        assert settings["restart"] == ["name of den"]
        assert not page.service.begins_anew
        assert (await page.ask("settings/restart", method="POST"))[0] == 200
        assert page.service.begins_anew


@pytest.mark.parametrize(("typed", "name"), [("   ", ""), (" Küche ", "Küche")])
async def test_blanks_around_a_name_are_not_written_into_the_file(typed, name, tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        status, settings = await page.change({"source": {"name": typed}})
        assert (status, settings["rooms"][0]["name"]) == (200, name)
    assert tomllib.loads(file.read_text())["source"]["name"] == name


async def test_what_an_editor_changed_waits_for_a_new_start_once_settings_are_read_again(tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        await page.change({"source": {"name": "Küche"}})
        file.write_text(file.read_text().replace("Küche", "Bad"))
        page.service.reload(load_config(file))
        _, settings = await page.ask("settings")
        assert settings["rooms"][0]["name"] == "Bad"
        assert settings["restart"] == ["name of den"]
        file.write_text(TEXT)
        page.service.reload(load_config(file))
        _, settings = await page.ask("settings")
        assert (settings["rooms"][0]["name"], settings["restart"]) == ("", [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT + "[smoothing", "is not valid TOML"),
        (TEXT.replace("port = 0", "port = 70000"), "it must be 0 to 65535"),
        (TEXT.replace("port = 0", 'host = "0.0.0.0"'), "clients must show a token"),
        (TEXT.replace("port = 0", 'cert_file = "a"\nkey_file = "b"'), "both must be PEM files"),
        (
            TEXT.replace("[lights]", 'username = "a"\npassword_file = "b"\n[lights]'),
            "'b' cannot be",
        ),
        (TEXT + '[model]\nfolder = "nonsense"', "nonsense"),
    ],
)
async def test_a_mistake_that_an_editor_left_in_the_file_does_not_end_the_service_at_a_new_start(
    tmp_path, text, told
):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        file.write_text(text)
        status, answer = await page.ask("settings/restart", method="POST")
        assert (status, page.service.begins_anew) == (409, False)
        assert told in answer["message"]
        file.write_text(TEXT)
        assert (await page.ask("settings/restart", method="POST"))[0] == 200


async def test_the_second_of_two_pages_is_refused_and_nothing_of_the_first_is_lost(tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        _, settings = await page.ask("settings")
        seen = settings["checksum"]
        answers = await asyncio.gather(
            *(page.change({"colors": {genre: "#123456"}}, seen) for genre in ("jazz", "rock"))
        )
    assert sorted(status for status, _ in answers) == [200, 409]
    assert file.read_text().count("#123456") == 1
    (refused,) = [answer for status, answer in answers if status == 409]
    assert "changed meanwhile" in refused["message"]


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"smoothing": {"switch_margin": 2}}, 400, "it must be 0 to 1"),
        ({"smoothing": {"margin": 2}}, 400, "there is no such setting"),
        ({"colors": {"jazz": "red"}}, 400, "a colour is written #rrggbb"),
        ({"source": {"name": "x" * 65}}, 400, "at most 64 characters"),
        ({"source": {"input": "/etc/passwd"}}, 403, "no input that was listed"),
        ({"source": {"node": "x"}}, 400, "name and input"),
        ({"websocket": {"token": ""}}, 400, "the page changes colors, lights, smoothing, source"),
        ({"lights": {"wled": ["a/#"]}}, 400, "a topic has no '#'"),
        ({"lights": {"wled": [""]}}, 400, "a device's name is not empty"),
        ({"lights": {"wled": "tv"}}, 400, "each a list of at most 64 names"),
        ({"lights": {"wled": ["a"] * 65}}, 400, "each a list of at most 64 names"),
        ({"lights": {"wled": {"den": ["tv"]}}}, 400, "values by key"),
        ({"lights": {"hold_seconds": 3}}, 400, "[lights] of a room takes wled and zigbee2mqtt"),
        ({"colors": 3}, 400, "values by key"),
        ({}, 400, "the page changes"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_the_file_stays(tmp_path, changes, status, told):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        answer = await page.change(changes)
    assert answer[0] == status
    assert told in answer[1]["message"]
    assert file.read_text() == TEXT


async def test_a_read_only_file_is_told_before_and_when_somebody_saves(tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        file.chmod(0o400)
        _, settings = await page.ask("settings")
        assert "read-only" in settings["problem"]
        status, answer = await page.change({"colors": {"jazz": "#123456"}})
    assert (status, "read-only" in answer["message"]) == (403, True)
    assert file.read_text() == TEXT


async def test_nothing_can_be_changed_where_that_is_off(tmp_path):
    off = TEXT.replace("port = 0", "port = 0\nchange_settings = false")
    async with serving(tmp_path / "rtgenre.toml", off) as page:
        for path, body in (("settings", None), ("settings", {"changes": {}})):
            status, answer = await page.ask(path, body)
            assert status in {400, 403}
        status, answer = await page.ask("settings")
        assert page.service.hello()["settings"] is False
    assert (status, "change_settings" in answer["message"]) == (403, True)


async def test_the_last_minutes_are_shown_as_other_smoothing_would_have_shown_them(tmp_path):
    async with serving(tmp_path / "rtgenre.toml") as page:
        with page.service.hub.subscribe() as documents:
            page.source.play(tone(200, 4.0))
            while (await documents.get())["type"] != "state":
                pass
        asked = {"node": "den", "smoothing": {"unknown_below": 1.0}}
        status, preview = await page.ask("settings/preview", asked)
        assert status == 200
        assert [each["genre"] for each in preview["now"]] == ["jazz"]
        assert [each["genre"] for each in preview["then"]] == ["unknown"]
        status, answer = await page.ask(
            "settings/preview", asked | {"smoothing": {"unknown_below": 7}}
        )
        assert (status, "it must be 0 to 1" in answer["message"]) == (400, True)
        assert (await page.ask("settings/preview", asked | {"node": "attic"}))[0] == 400


async def test_an_input_can_be_chosen_once_it_was_listed(tmp_path, monkeypatch):
    device = InputDevice(3, "USB Audio: Mic (hw:1,0)", "ALSA", 1, 48000, 0.01, False, True)
    heard = ([InputLevel(device, -21.26)], 4)
    monkeypatch.setattr("rtgenre.service.settings_desk.measure_levels", lambda _: heard)
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        _, listed = await page.ask("settings/inputs")
        assert listed["inputs"] == [
            {"input": "USB Audio: Mic", "name": "USB Audio: Mic", "level_dbfs": -21.3,
             "problem": None}
        ]  # fmt: skip
        assert listed["more"] == 4
        _, settings = await page.change({"source": {"input": "USB Audio: Mic"}})
    assert settings["restart"] == ["input of den"]
    assert 'input = "USB Audio: Mic"' in file.read_text()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('""', ""),
        ('"default"', ""),
        ("2", "2"),
        ('"song.mp3"', None),
        ('"-"', None),
        ('"pipe:a"', None),
    ],
)
async def test_the_default_input_is_one_by_any_name_and_what_is_no_device_is_not_offered(
    tmp_path, given, shown
):
    text = TEXT.replace('node = "den"', f'node = "den"\ninput = {given}')
    async with serving(tmp_path / "rtgenre.toml", text) as page:
        _, settings = await page.ask("settings")
    assert settings["rooms"][0]["input"] == shown


async def test_a_sound_system_that_fails_is_told(tmp_path, monkeypatch):
    def fail(_):
        raise SourceError("PortAudio is missing")

    monkeypatch.setattr("rtgenre.service.settings_desk.measure_levels", fail)
    async with serving(tmp_path / "rtgenre.toml") as page:
        assert (await page.ask("settings/inputs"))[1]["message"] == "PortAudio is missing"


async def test_a_colour_is_tried_on_the_lamps_of_a_room_and_goes_again(tmp_path):
    async with serving(tmp_path / "rtgenre.toml") as page:
        _, settings = await page.ask("settings")
        assert settings["rooms"][0]["wled"] == ["shelf"]
        assert (await page.ask("settings/try?node=den&color=%23ff0000", method="POST"))[0] == 200
        assert page.service._lights._tried == {"den": ("#ff0000", None)}
        for query in ("node=den&color=red", "node=attic&color=%23ff0000", ""):
            assert (await page.ask(f"settings/try?{query}", method="POST"))[0] == 400


async def test_no_colour_is_tried_while_the_input_is_lost_to_flash_up_when_it_is_back(tmp_path):
    async with serving(tmp_path / "rtgenre.toml") as page:
        page.source.problem = "the device is gone"
        answer = await page.ask("settings/try?node=den&color=%23ff0000", method="POST")
        assert page.service._lights._tried == {}
    assert (answer[0], "the device is gone" in answer[1]["message"]) == (409, True)


async def test_lamps_are_changed_in_the_file_and_follow_the_music_at_once(tmp_path):
    file = tmp_path / "rtgenre.toml"
    async with serving(file) as page:
        status, settings = await page.change({"lights": {"zigbee2mqtt": ["Sofa lamp"]}})
        assert status == 200
        assert settings["rooms"][0]["zigbee2mqtt"] == ["Sofa lamp"]
        assert settings["restart"] == []
        page.service._lights.try_color("den", "#ff0000")
        state = {"type": "state", "node": "den", "window_end_seconds": 1.0}
        commands = page.service._lights.on_document(state)
        assert [each.topic for each in commands] == [
            "wled/shelf/api", "zigbee2mqtt/Sofa lamp/set"
        ]  # fmt: skip
    assert 'wled = ["shelf"]' in file.read_text()


async def test_without_a_broker_no_lamp_can_be_tried(tmp_path):
    async with serving(tmp_path / "rtgenre.toml", TEXT.replace("127.0.0.1:1", "")) as page:
        _, settings = await page.ask("settings")
        assert (settings["broker"], settings["rooms"][0]["wled"]) == (False, ["shelf"])
        answer = await page.ask("settings/try?node=den&color=%23ff0000", method="POST")
    assert (answer[0], "MQTT broker" in answer[1]["message"]) == (409, True)


async def test_garbage_is_told_what_to_send(tmp_path):
    async with serving(tmp_path / "rtgenre.toml") as page:
        for body in ([], {"changes": []}, "x"):
            status, answer = await page.ask("settings", body)
            assert (status, answer["message"]) == (400, "send JSON with changes, checksum, node")
        half_a_character = await page.change({"colors": {"\ud800": "#112233"}})
        assert half_a_character[0] == 400
        status, answer = await page.change({"source": {"input": ["song.flac"]}})
        assert (status, "no input that was listed" in answer["message"]) == (403, True)


def _asked(url, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _name_told(port):
    with connect(f"ws://127.0.0.1:{port}/ws") as client:
        return json.loads(client.recv())["sources"][0]["name"]


def test_a_process_begins_anew_on_its_port_with_what_was_saved(tmp_path):
    port, file = free_port(), tmp_path / "rtgenre.toml"
    file.write_text(
        f'[source]\ninput = "{DEMO_RECORDING}"\nloop = true\nnode = "den" # a room\n'
        f"[websocket]\nport = {port}\n[history]\nenabled = false\n[teach]\nenabled = false\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "rtgenre", "run", "--quiet", "--config", str(file)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            if "listening to" in line:
                break
        url = f"http://127.0.0.1:{port}/settings"
        checksum = _asked(url)["checksum"]
        changes = {"source": {"name": "Wohnzimmer"}}
        saved = _asked(url, {"node": "den", "changes": changes, "checksum": checksum})
        assert saved["restart"] == ["name of den"]
        # Files are changed in the file.
        assert saved["rooms"][0]["input"] is None
        assert _name_told(port) == "den"
        # So does what an editor changed meanwhile.
        file.write_text(f'{file.read_text()}[model]\nfolder = "cnn"\n')
        _asked(f"{url}/restart", method="POST")
        for line in process.stderr:
            if "listening to" in line:
                break
        assert _name_told(port) == "Wohnzimmer"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as metrics:
            assert 'model="cnn"' in metrics.read().decode()
        assert _asked(url)["restart"] == []
    finally:
        process.terminate()
        assert process.wait(30) == 0
