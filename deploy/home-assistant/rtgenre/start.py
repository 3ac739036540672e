"""Starts rtgenre in Home Assistant: from the app's options, and from what the Supervisor knows."""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtgenre.config import ConfigError, node_called
from rtgenre.config.file import read_config_file

DATA = Path("/data")
"""Kept over restarts and updates, and part of backups."""
SETTINGS = Path("/config/rtgenre.toml")
"""What a user wrote who needs more than the options."""
SUPERVISOR = "http://supervisor"
INGRESS_FROM = "172.30.32.2"
"""The Supervisor's address in every Home Assistant, from which its ingress comes."""
PORT = 8765
"""That of config.yaml."""
ANSWER_SECONDS = 10.0

Options = Mapping[str, Any]


class NotToldError(Exception):
    """The Supervisor does not say; the message says why."""


def tell(message: str) -> None:
    """Write a line to the app's log."""
    print(f"start: {message}", file=sys.stderr, flush=True)


def ask_supervisor(path: str) -> dict[str, Any]:
    """Return what the Supervisor says about ``path``.

    Raises:
        NotToldError: it says nothing of use.
    """
    token = os.environ.get("SUPERVISOR_TOKEN", "")
    request = urllib.request.Request(
        f"{SUPERVISOR}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise NotToldError(_reason(error)) from None
    except (OSError, ValueError) as error:
        raise NotToldError(f"the Supervisor does not answer: {error}") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
        raise NotToldError("the Supervisor's answer is no JSON object with data")
    data: dict[str, Any] = answer["data"]
    return data


def _reason(error: urllib.error.HTTPError) -> str:
    """Return the message of an answer that is an error."""
    try:
        return str(json.load(error)["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"the Supervisor answered {error.code}"


def broker(options: Options, written: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of the broker: that of the options, else the one that an app offers.

    None where the settings file names one, and the options do not.
    """
    if options.get("mqtt_host"):
        return {
            f"RTGENRE_MQTT__{key.upper()}": str(options[f"mqtt_{key}"])
            for key in ("host", "port", "username", "password")
            if options.get(f"mqtt_{key}")
        }
    if _table(written, "mqtt").get("host"):
        return {}
    try:
        offered = ask_supervisor("/services/mqtt")
        host, port = str(offered["host"]), int(offered["port"])
    except NotToldError as error:
        tell(
            f"no MQTT broker is offered ({error}), so Home Assistant and lamps learn nothing; "
            "install the app Mosquitto broker, or fill in mqtt_host"
        )
        return {}
    except (KeyError, TypeError, ValueError):
        tell("an MQTT broker is offered without a host and a port; fill in mqtt_host")
        return {}
    settings = {
        "RTGENRE_MQTT__HOST": host,
        "RTGENRE_MQTT__PORT": str(port),
        "RTGENRE_MQTT__TLS": "true" if offered.get("ssl") is True else "false",
    }
    username = options.get("mqtt_username") or offered.get("username")
    password = options.get("mqtt_password") or offered.get("password")
    if username:
        settings["RTGENRE_MQTT__USERNAME"] = str(username)
    if username and password:
        settings["RTGENRE_MQTT__PASSWORD"] = str(password)
    if not (username and password):
        tell(
            f"the MQTT broker {host}:{port} is offered without a user name and a password, so it "
            "is tried without; if it refuses, fill in mqtt_username and mqtt_password"
        )
    return settings


def page() -> dict[str, str]:
    """Return where the page is in Home Assistant, for the devices that it shows."""
    try:
        slug = ask_supervisor("/addons/self/info")["slug"]
    except (NotToldError, KeyError) as error:
        tell(f"the devices in Home Assistant will not link to the page: {error}")
        return {}
    return {"RTGENRE_HOMEASSISTANT__LINK": f"homeassistant://hassio/ingress/{slug}"}


def token(options: Options, data: Path, written: Mapping[str, Any]) -> dict[str, str]:
    """Return the token of the options, else one that is made once and kept.

    None where the settings file has one, and the options do not.
    """
    if options.get("token"):
        return {"RTGENRE_WEBSOCKET__TOKEN": str(options["token"])}
    if {"token", "token_file"} & _table(written, "websocket").keys():
        return {}
    file = data / "token"
    # Empty where the disk was full, or the power went, when it was made.
    if not file.exists() or not file.stat().st_size:
        made = secrets.token_urlsafe()
        file.touch(mode=0o600)
        file.write_text(made)
        tell(f"programs that use the port under Network must show this token: {made}")
    return {"RTGENRE_WEBSOCKET__TOKEN_FILE": str(file)}


def _table(written: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table of the settings file; an empty one where it has none."""
    table = written.get(name)
    return table if isinstance(table, dict) else {}


def room(options: Options, written: Mapping[str, Any]) -> dict[str, str]:
    """Return what the room is called, unless the settings file calls it something.

    Args:
        options: what the user filled in.
        written: what is in the settings file.
    """
    name = str(options.get("room") or "")
    sources = written.get("source", {})
    if isinstance(sources, list) and len(sources) == 1:
        sources = sources[0]
    if not name or not isinstance(sources, dict) or "node" in sources:
        return {}
    shown = {} if "name" in sources else {"RTGENRE_SOURCE__NAME": name}
    return {"RTGENRE_SOURCE__NODE": node_called(name), **shown}


def read_settings(file: Path) -> dict[str, Any] | None:
    """Return what is in the settings file; None if there is none."""
    if not file.is_file():
        return None
    try:
        return read_config_file(file)
    except ConfigError:
        # rtgenre says what is wrong, and ends.
        return {}


def environment(
    options: Options, *, data: Path, written: Mapping[str, Any] | None
) -> dict[str, str]:
    """Return the settings that do not depend on the Supervisor.

    Args:
        options: what the user filled in.
        data: the folder that is kept.
        written: what is in the settings file; None if there is none.
    """
    found = {
        "RTGENRE_WEBSOCKET__HOST": "0.0.0.0",
        "RTGENRE_WEBSOCKET__PORT": str(PORT),
        "RTGENRE_WEBSOCKET__INGRESS_FROM": INGRESS_FROM,
        "RTGENRE_HISTORY__FILE": str(data / "history.db"),
        "RTGENRE_TEACH__FILE": str(data / "taught.db"),
        "RTGENRE_TERMINAL__FORMAT": "plain",
        # Its address inside of Home Assistant is nobody else's.
        "RTGENRE_MDNS__ENABLED": "false",
    }
    if written is None:
        # Its options say the rest; without a file of settings there is nowhere to keep others.
        found["RTGENRE_WEBSOCKET__CHANGE_SETTINGS"] = "false"
    found |= room(options, written or {})
    for option, setting in {
        "source": "RTGENRE_SOURCE__INPUT",
        "history_days": "RTGENRE_HISTORY__RETENTION_DAYS",
        "log_level": "RTGENRE_LOG__LEVEL",
    }.items():
        if options.get(option) not in {None, ""}:
            found[setting] = str(options[option])
    for lamps in ("wled", "zigbee2mqtt"):
        if names := [name for name in options.get(lamps) or [] if name]:
            found[f"RTGENRE_LIGHTS__{lamps.upper()}"] = json.dumps(names)
    return found


def main() -> None:
    """Become rtgenre."""
    options = json.loads((DATA / "options.json").read_text(encoding="utf-8"))
    written = read_settings(SETTINGS)
    settings = environment(options, data=DATA, written=written)
    settings |= token(options, DATA, written or {}) | broker(options, written or {}) | page()
    command = ["rtgenre", "run", *([] if written is None else ["--config", str(SETTINGS)])]
    os.execvpe(command[0], command, os.environ | settings)


if __name__ == "__main__":
    main()
