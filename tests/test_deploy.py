"""What is in deploy/, as far as it can be checked without Docker and without systemd running."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import aiomqtt
import compose_spec
import pytest
import yaml
from packaging.requirements import Requirement

from rtgenre import __version__
from rtgenre.config import load_config
from rtgenre.messages.hub import Hub
from scripts.image import ImageError
from scripts.image import main as build_images
from scripts.lock import wanted
from tests.broker import MOSQUITTO, Broker
from tests.certificates import a_certificate
from tests.documents import a_websocket_output

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def dockerfile():
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    return text.replace("\\\n", " ")


def container_environment():
    """Return what the image sets for rtgenre."""
    return dict(re.findall(r"\b(RTGENRE_\w+)=(\S+)", dockerfile()))


def test_the_image_sets_settings_that_exist(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in container_environment().items():
        monkeypatch.setenv(name, value)
    config = load_config()
    assert config.websocket.host == "0.0.0.0"
    assert config.terminal.format == "off"


def test_the_image_runs_as_a_user_of_its_own_and_checks_its_health():
    text = dockerfile()
    final = text[text.rindex("FROM ") :]
    assert re.search(r"^USER rtgenre$", final, re.MULTILINE)
    assert final.index("USER rtgenre") < final.index("ENTRYPOINT")
    assert "HEALTHCHECK" in final
    assert "tensorflow" not in text.lower()


async def test_the_image_s_check_of_its_health_asks_no_proxy():
    (command,) = re.findall(r"HEALTHCHECK [^\[]*CMD (\[.*\])", dockerfile())
    (no_proxy,) = re.findall(r"\bNO_PROXY=(\S+)", dockerfile())
    environment = os.environ | {"NO_PROXY": no_proxy, "HTTP_PROXY": "http://127.0.0.1:9"}
    async with a_websocket_output(Hub()) as output:
        arguments = [one.replace(":8765/", f":{output.port}/") for one in json.loads(command)[1:]]
        asked = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=environment)
        assert await asked.wait() == 0


def test_the_image_is_labelled_with_this_version():
    (version,) = re.findall(r'image\.version="([^"]+)"', dockerfile())
    assert version == __version__


def test_every_file_that_the_image_takes_is_there_and_is_sent_to_the_builder():
    let_through = [
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile(), re.MULTILINE)
        for source in sources.split()
    ]
    assert sorted(copied) == sorted(let_through)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_both_images_are_built_on_the_same_pinned_base_for_every_architecture():
    texts = [DEPLOY / "Dockerfile", DEPLOY / "home-assistant" / "rtgenre" / "Dockerfile"]
    bases = [re.search(r"^ARG BASE=(\S+)$", path.read_text(), re.MULTILINE)[1] for path in texts]
    assert bases[0] == bases[1]
    assert re.fullmatch(
        r"docker\.io/library/debian:trixie-\d{8}-slim@sha256:[0-9a-f]{64}", bases[0]
    )
    for path in texts:
        # What names an architecture would be wrong on another one.
        assert not re.search(
            r"--platform|x86_64|amd64|aarch64", re.sub("#.*", "", path.read_text())
        )


def locked(path):
    """Return what a list of packages pins, and how many hashes each has."""
    found = []
    for entry in re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)):
        pin, *hashes = entry.split(" \\\n")
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}\s*", line) for line in hashes), entry
        found.append((Requirement(pin), len(hashes)))
    return found


@pytest.mark.parametrize("path", wanted(ROOT), ids=str)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_locked_packages_are_what_pyproject_asks_for_each_with_hashes(path, python):
    linux = {"python_version": python, "python_full_version": f"{python}.0"}
    linux |= {"sys_platform": "linux", "implementation_name": "cpython"}
    pins = {}
    for pin, hashes in locked(ROOT / path):
        assert hashes > 0, pin
        if pin.marker is None or pin.marker.evaluate(linux):
            assert pin.name not in pins
            ((pins[pin.name]),) = pin.specifier
    assert {pin.operator for pin in pins.values()} == {"=="}
    for requirement in map(Requirement, wanted(ROOT)[path]):
        version = pins[requirement.name].version
        assert requirement.specifier.contains(version), f"make lock: {requirement}, not {version}"


def test_the_image_is_not_built_where_something_for_it_is_missing(monkeypatch):
    monkeypatch.setattr("scripts.image.shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["image"])
    with pytest.raises(ImageError, match="apt-get install podman runc mmdebstrap"):
        build_images()


@pytest.fixture
def compose_text():
    return (DEPLOY / "compose.yaml").read_text()


def test_compose_follows_the_compose_specification(compose_text):
    compose = compose_spec.PyCompose.from_yaml(compose_text)
    assert set(compose.service_names()) == {"rtgenre", "hub", "mosquitto"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("read_only: true", "read_onli: true"),
        ("restart: unless-stopped", "restart: sometimes"),
        ("cap_drop: [ALL]", "cap_drop: 5"),
    ],
)
def test_the_check_of_compose_would_notice_a_mistake(compose_text, right, wrong):
    with pytest.raises(ValueError, match=r"services\.rtgenre"):
        compose_spec.PyCompose.from_yaml(compose_text.replace(right, wrong, 1))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_documented_check_finds_a_service_with_a_certificate_or_another_port_healthy(
    compose_text, tmp_path, scheme
):
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```yaml\n(    healthcheck:\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    with_check = compose_text.replace("  rtgenre:\n", f"  rtgenre:\n{lines}", 1)
    compose_spec.PyCompose.from_yaml(with_check)
    check = yaml.safe_load(with_check)["services"]["rtgenre"]["healthcheck"]["test"]
    cert_file, key_file = await a_certificate(tmp_path)
    files = {"cert_file": cert_file, "key_file": key_file} if scheme == "https" else {}
    async with a_websocket_output(Hub(), **files) as output:
        command = [
            part.replace("https:", f"{scheme}:").replace(":8765/", f":{output.port}/")
            for part in check[1:]
        ]
        asked = await asyncio.create_subprocess_exec(sys.executable, *command[1:])
        assert await asked.wait() == 0


def test_compose_builds_the_dockerfile_from_the_folder_that_it_copies_from(compose_text):
    compose = yaml.safe_load(compose_text)
    for service in (compose["services"][name] for name in ("rtgenre", "hub")):
        context = (DEPLOY / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()
        for name in service["build"].get("args", {}):
            assert f"ARG {name}=" in dockerfile()


def test_what_streams_need_is_in_the_image_again_after_an_update(compose_text):
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (name,) = re.findall(r"`echo (\w+)=ffmpeg >>\.env`", page)
    args = yaml.safe_load(compose_text)["services"]["rtgenre"]["build"]["args"]
    assert args[name] == f"${{{name}:-}}"


def test_compose_names_settings_files_and_secrets_that_exist(compose_text, monkeypatch, tmp_path):
    compose = yaml.safe_load(compose_text)
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("./mosquitto"):
                assert (DEPLOY / source).is_file()
            elif not source.startswith("./"):
                assert source in compose["volumes"]
    monkeypatch.chdir(tmp_path)
    for service in (compose["services"][name] for name in ("rtgenre", "hub")):
        with monkeypatch.context() as patch:
            for name, value in service["environment"].items():
                patch.setenv(name, value.replace("${NODE:-home}", "home"))
            config = load_config()
        assert config.mqtt.host in compose["services"]
        assert str(config.websocket.token_file).removeprefix("/run/secrets/") in service["secrets"]


def test_the_documentation_names_the_image_that_compose_builds(compose_text):
    compose = yaml.safe_load(compose_text)
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    named = re.findall(r"docker run .*--entrypoint \S+ (\S+)", page)
    assert named
    # Compose calls it so where the file says nothing else.
    assert {*named} <= {f"{compose['name']}-{service}" for service in compose["services"]}


def test_the_hub_is_started_only_where_it_is_asked_for_and_listens_to_no_sound(compose_text):
    hub = yaml.safe_load(compose_text)["services"]["hub"]
    assert hub["profiles"] == ["hub"]
    assert hub["command"] == ["hub"]
    assert "devices" not in hub


@pytest.mark.parametrize("name", ["rtgenre", "hub"])
def test_compose_lets_only_this_machine_in_and_gives_away_no_rights(compose_text, name):
    service = yaml.safe_load(compose_text)["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "privileged" not in service


def test_the_service_gets_the_sound_cards_and_nothing_else_of_the_machine(compose_text):
    rtgenre = yaml.safe_load(compose_text)["services"]["rtgenre"]
    assert rtgenre["devices"] == ["/dev/snd:/dev/snd"]


# ---- the broker ------------------------------------------------------------------------------


@pytest.fixture
def secrets(tmp_path):
    """Make the secrets as a user does, in a copy of the folder."""
    assert MOSQUITTO, "mosquitto is not installed: apt-get install mosquitto"
    folder = shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run(["sh", folder / "make-secrets.sh"], check=True, stdout=subprocess.PIPE)
    return folder / "secrets"


@pytest.fixture
async def broker(secrets, tmp_path):
    """Run a real mosquitto with the shipped settings, with paths of this machine."""
    lines = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text().splitlines()
    places = {
        "/mosquitto/config/passwords": secrets / "mosquitto_passwords",
        "/mosquitto/config/acl": DEPLOY / "mosquitto" / "acl",
        "/mosquitto/data/": f"{tmp_path}/",
    }
    settings = [line for line in lines if not line.startswith("listener")]
    for container_path, path in places.items():
        settings = [line.replace(container_path, str(path)) for line in settings]
    async with Broker(tmp_path, *settings) as broker:
        yield broker


def client(broker, secrets, user):
    password = (secrets / f"{user}_password").read_text().strip()
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=password)


async def test_the_shipped_broker_lets_nobody_in_without_a_password(broker):
    with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
        async with aiomqtt.Client("127.0.0.1", broker.port):
            pass


async def test_rtgenre_may_publish_what_it_has_to_and_nothing_else(broker, secrets):
    allowed = [
        "rtgenre/den/state",
        "homeassistant/device/rtgenre_den/config",
        "wled/tv/api",
        "wled/kitchen/strip/api",
        "wled/house/kitchen/strip/api",
        "zigbee2mqtt/Sofa/set",
        "zigbee2mqtt/House/Kitchen/Lamp/set",
    ]
    forbidden = ["homeassistant/status", "wled/tv", "wled/kitchen/strip", "lock/front-door/set"]
    async with (
        client(broker, secrets, "smarthome") as home,
        client(broker, secrets, "rtgenre") as rtgenre,
    ):
        await home.subscribe("#", qos=1)
        for topic in [*forbidden, *allowed]:
            await rtgenre.publish(topic, "x", qos=1)
        seen = []
        async with asyncio.timeout(20):
            async for message in home.messages:
                seen.append(str(message.topic))
                if seen[-1] == allowed[-1]:
                    break
    assert seen == allowed


async def test_rtgenre_hears_whether_lamps_are_on_also_of_those_with_a_slash_in_their_name(
    broker, secrets
):
    topics = [
        "wled/tv/g",
        "wled/kitchen/strip/g",
        "wled/house/kitchen/strip/g",
        "zigbee2mqtt/Sofa",
        "zigbee2mqtt/Kitchen/Lamp",
        "zigbee2mqtt/House/Kitchen/Lamp",
    ]
    async with (
        client(broker, secrets, "smarthome") as home,
        client(broker, secrets, "rtgenre") as rtgenre,
    ):
        for topic in topics:
            await rtgenre.subscribe(topic, qos=1)
            await home.publish(topic, "x", qos=1)
        async with asyncio.timeout(20):
            seen = [str((await anext(rtgenre.messages)).topic) for _ in topics]
    assert seen == topics


def test_secrets_are_made_once_and_other_users_are_kept_out(secrets):
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    subprocess.run(["sh", secrets.parent / "make-secrets.sh"], check=True, stdout=subprocess.PIPE)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert set(before) == {
        "token",
        "rtgenre_password",
        "smarthome_password",
        "mosquitto_passwords",
    }
    assert len(before["token"].strip()) >= 32
    assert before["rtgenre_password"].strip() not in before["mosquitto_passwords"]
    assert secrets.stat().st_mode & 0o077 == 0


# ---- systemd ---------------------------------------------------------------------------------


UNITS = {"rtgenre.service": "config.toml", "rtgenre-hub.service": "hub.toml"}
"""Each with its settings in /etc/rtgenre."""


@pytest.fixture(params=UNITS)
def unit(request, tmp_path):
    """Return a shipped unit with a program that exists on this machine."""
    text = (DEPLOY / request.param).read_text()
    path = tmp_path / request.param
    path.write_text(text.replace("/opt/rtgenre/bin/rtgenre", shutil.which("true") or "/bin/true"))
    return path


def systemd_analyze(*arguments):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    return subprocess.run([program, *arguments], check=False, capture_output=True, text=True)


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    result = systemd_analyze("verify", unit)
    assert result.returncode == 0, result.stderr
    assert unit.name not in result.stderr


def test_systemd_would_find_a_mistake_in_the_unit(unit):
    unit.write_text(unit.read_text().replace("Type=notify", "Type=notifie"))
    assert "notifie" in systemd_analyze("verify", unit).stderr


def test_the_unit_is_locked_down(unit):
    result = systemd_analyze("security", "--offline=true", "--threshold=20", unit)
    if "unrecognized option" in result.stderr:
        pytest.skip("this systemd-analyze is too old to rate a file")
    assert result.returncode == 0, result.stdout[-400:]


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_starts_a_command_that_exists_and_lets_the_microphone_binding_work(name):
    text = (DEPLOY / name).read_text()
    assert re.search(r"^Type=notify$", text, re.MULTILINE)
    assert re.search(r"^WatchdogSec=", text, re.MULTILINE)
    # sounddevice makes its callback at run time; with this, opening a device raises MemoryError.
    assert not re.search(r"^MemoryDenyWriteExecute=yes", text, re.MULTILINE)
    for variable in re.findall(r"^Environment=(RTGENRE_\w+)=", text, re.MULTILINE):
        assert variable.count("__") == 1
    command = re.search(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE).group(1).split()
    from rtgenre.commands.parser import build_parser

    options = build_parser().parse_args(command)
    assert vars(options)["setting:terminal.format"] == "off"
    assert os.fspath(options.config) == f"/etc/rtgenre/{UNITS[name]}"
    assert f"sudo install -m 644 deploy/{name} /etc/systemd/system/" in text


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("rtgenre.service", {"RTGENRE_HISTORY__FILE", "RTGENRE_TEACH__FILE"}),
        ("rtgenre-hub.service", {"RTGENRE_HISTORY__FILE"}),
    ],
)
def test_the_unit_keeps_what_it_remembers_in_the_one_folder_that_it_may_write(name, kept):
    text = (DEPLOY / name).read_text()
    (state,) = re.findall(r"^StateDirectory=(\S+)$", text, re.MULTILINE)
    files = dict(re.findall(r"^Environment=(RTGENRE_\w+__FILE)=(\S+)$", text, re.MULTILINE))
    assert files.keys() == kept
    assert {Path(file).parent for file in files.values()} == {Path("/var/lib", state)}
