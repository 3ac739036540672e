"""What Home Assistant documents of an app's ``config.yaml`` and translations, as checks.

Its own validator is part of the Supervisor, which is in no package index. These are its rules as
developers.home-assistant.io/docs/apps/configuration gives them.
"""

from __future__ import annotations

import re
from typing import Any

REQUIRED = {"name", "version", "slug", "description", "arch"}
OPTIONAL = {
    "machine", "url", "startup", "webui", "boot", "ports", "ports_description", "host_network",
    "host_ipc", "host_dbus", "host_pid", "host_uts", "devices", "homeassistant", "hassio_role",
    "hassio_api", "homeassistant_api", "docker_api", "privileged", "full_access", "apparmor", "map",
    "environment", "audio", "video", "gpio", "usb", "uart", "udev", "devicetree", "kernel_modules",
    "stdin", "legacy", "options", "schema", "image", "timeout", "tmpfs", "discovery", "services",
    "auth_api", "ingress", "ingress_port", "ingress_entry", "ingress_stream", "panel_icon",
    "panel_title", "panel_admin", "backup", "backup_pre", "backup_post", "backup_exclude", "stage",
    "init", "watchdog", "realtime", "journald", "breaking_versions", "ulimits",
}  # fmt: skip
SWITCHES = {"ingress", "panel_admin", "audio", "init", "host_network", "hassio_api", "apparmor"}
DEFAULTS = {"startup": "application", "boot": "auto", "init": True, "ingress_port": 8099,
            "panel_admin": True, "stage": "stable", "backup": "hot", "timeout": 10}  # fmt: skip
MAPS = {
    "homeassistant_config", "addon_config", "all_addon_configs", "addons", "ssl", "backup", "share",
    "media", "data",
}  # fmt: skip
ELEMENT = re.compile(
    r"(bool|email|url|port"
    r"|device(\(subsystem=[a-z]+\))?"
    r"|(str|password)(\(\d*,\d*\))?"
    r"|int(\(-?\d*,-?\d*\))?"
    r"|float(\([\d.]*,[\d.]*\))?"
    r"|match\(.*\)"
    r"|list\([^()]+\))\??"
)
PORT = re.compile(r"\d{1,5}/(tcp|udp)")


def mistakes(config: dict[str, Any]) -> list[str]:
    """Return what Home Assistant would refuse, or a reviewer complain about."""
    found = [f"{key} is missing" for key in REQUIRED - config.keys()]
    found += [f"there is no {key}" for key in config.keys() - REQUIRED - OPTIONAL]
    found += [f"{key} is what it is anyway" for key in DEFAULTS if config.get(key) == DEFAULTS[key]]
    found += [
        f"{key} is no bool" for key in SWITCHES if not isinstance(config.get(key, True), bool)
    ]
    if not re.fullmatch(r"[-_.A-Za-z0-9]+", str(config.get("slug"))):
        found.append("the slug cannot be part of an address")
    if not isinstance(config.get("version"), str):
        found.append("the version is no text; put it into quotation marks")
    if not set(config.get("arch", [])) <= {"aarch64", "amd64"} or not config.get("arch"):
        found.append("arch is not among aarch64 and amd64")
    if config.get("backup", "cold") not in {"hot", "cold"}:
        found.append("backup is neither hot nor cold")
    if not re.fullmatch(
        r"(https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*", config.get("watchdog", "")
    ):
        found.append("the watchdog is no address of [HOST]")
    if config.get("ingress") and "webui" in config:
        found.append("webui is not needed beside ingress")
    found += [f"port {port}" for port in config.get("ports", {}) if not PORT.fullmatch(port)]
    found += [f"map {each}" for each in config.get("map", []) if each.get("type") not in MAPS]
    found += [
        f"service {each}"
        for each in config.get("services", [])
        if not re.fullmatch(r"(mqtt|mysql):(provide|want|need)", each)
    ]
    return found + option_mistakes(config.get("options", {}), config.get("schema", {}))


def option_mistakes(options: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Return what is wrong with the options and their types."""
    found = [f"option {key} has no type" for key in options.keys() - schema.keys()]
    for key, kind in schema.items():
        element = kind[0] if isinstance(kind, list) and len(kind) == 1 else kind
        if not isinstance(element, str) or not ELEMENT.fullmatch(element):
            found.append(f"{key}: there is no type {kind}")
        elif element.endswith("?") and key in options:
            found.append(f"{key}: a default makes it required")
        elif not element.endswith("?") and key not in options:
            found.append(f"{key}: nobody can start it before filling this in")
    return found


def translation_mistakes(translation: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return what a language lacks, or has for nothing."""
    found = [f"there is no {key}" for key in translation.keys() - {"configuration", "network"}]
    named = translation.get("configuration", {})
    found += [f"{key} has no words" for key in config["schema"].keys() - named.keys()]
    found += [f"{key} is no option" for key in named.keys() - config["schema"].keys()]
    for key, words in named.items():
        if words.keys() != {"name", "description"} or not all(map(str.strip, words.values())):
            found.append(f"{key} needs a name and a description")
    if translation.get("network", {}).keys() != config["ports"].keys():
        found.append("the ports under network differ from those of the app")
    return found
