"""Options that several commands share, and the settings that options make.

What a flag gives for a setting, called ``table.key``, is stronger than files and the environment.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from rtgenre.config import Config, ConfigError, foreign_config_file, load_config
from rtgenre.monitoring.logs import set_up_logging

_PREFIX = "setting:"

logger = logging.getLogger("rtgenre")


def given_path(text: str) -> Path:
    """Read a path of the command line; the empty one of an unset variable is no folder.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    return Path(given_place(text))


def given_place(text: str) -> str:
    """Read a path or a URL of the command line.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("an empty name was given; the current folder is '.'")
    return text


def add_config_file(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``, the file of settings."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings (default: rtgenre.toml here, else your own config.toml)",
    )


def add_setting(parser: argparse.ArgumentParser, flag: str, key: str, **kwargs: Any) -> None:
    """Add a flag that overrides the setting ``table.key``."""
    if not kwargs.keys() & {"action", "choices", "metavar"}:
        kwargs["metavar"] = flag.removeprefix("--").replace("-", "_").upper()
    parser.add_argument(flag, dest=_PREFIX + key, default=None, **kwargs)


def add_readout(parser: argparse.ArgumentParser) -> None:
    """Add what the terminal shows of each window."""
    add_setting(
        parser,
        "--json",
        "terminal.format",
        action="store_const",
        const="json",
        help="print one JSON document per window",
    )
    add_setting(
        parser,
        "--quiet",
        "terminal.format",
        action="store_const",
        const="off",
        help="print no readout",
    )


def add_run_settings(parser: argparse.ArgumentParser) -> None:
    """Add all that ``rtgenre run`` takes, but for its readout."""
    add_source(parser)
    add_setting(parser, "--channel", "source.channel", help="mix, left, right or a number")
    add_setting(parser, "--speed", "source.speed", choices=["realtime", "max"], help="of files")
    add_setting(
        parser, "--loop", "source.loop", action="store_true", help="play files again and again"
    )
    add_node(parser)
    add_setting(parser, "--pcm-rate-hz", "source.pcm_rate_hz", help="of raw PCM: 44100")
    add_setting(parser, "--pcm-channels", "source.pcm_channels", help="of raw PCM: 2")
    add_setting(parser, "--pcm-format", "source.pcm_format", help="of raw PCM: s16le or f32le")
    add_setting(
        parser, "--hop-seconds", "windows.hop_seconds", help="time between windows: 0.25 to 4"
    )
    add_model(parser)
    add_page(parser)
    add_broker(parser)
    add_setting(
        parser, "--log-format", "log.format", choices=["text", "json"], help="of log messages"
    )


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what is listened to."""
    add_setting(
        parser,
        "--source",
        "source.input",
        help="device, file, URL, pipe, or - for standard input",
    )


def add_node(parser: argparse.ArgumentParser) -> None:
    """Add what the room is called."""
    add_setting(parser, "--node", "source.node", help="name in messages and MQTT topics")


def add_page(parser: argparse.ArgumentParser) -> None:
    """Add where the page is served."""
    add_setting(parser, "--host", "websocket.host", help="address to serve on: 127.0.0.1")
    add_setting(parser, "--port", "websocket.port", help="port to serve on: 8765")


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Add the MQTT broker, and who logs in."""
    add_setting(
        parser,
        "--mqtt-host",
        "mqtt.host",
        metavar="HOST",
        help="broker or broker:port; off if none",
    )
    add_setting(parser, "--mqtt-port", "mqtt.port", help="broker's port: 1883")
    add_setting(
        parser,
        "--mqtt-username",
        "mqtt.username",
        help="login at the broker; password: RTGENRE_MQTT__PASSWORD",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add which model judges."""
    add_setting(parser, "--model", "model.folder", metavar="DIR", help="model name or folder: crnn")


def flags_of(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the settings that flags give, by table and key.

    Raises:
        ConfigError: an input was given in both ways.
    """
    flags: dict[str, dict[str, Any]] = {}
    for name, value in vars(options).items():
        if name.startswith(_PREFIX) and value is not None:
            table, key = name.removeprefix(_PREFIX).split(".")
            flags.setdefault(table, {})[key] = value
    inputs = getattr(options, "inputs", [])
    if inputs:
        if "input" in flags.get("source", {}):
            raise ConfigError(
                f"both --source {flags['source']['input']} and {inputs[0]} were given; give one"
            )
        flags.setdefault("source", {})["input"] = inputs[0] if len(inputs) == 1 else inputs
    return flags


def config_of(options: argparse.Namespace) -> Config:
    """Read all settings.

    Raises:
        ConfigError: a file cannot be read, or a setting is unknown or out of range.
    """
    return load_config(options.config, flags_of(options))


def config_with_logging(options: argparse.Namespace) -> Config:
    """Read all settings as ``config_of``, and let log messages be written as they say."""
    config = config_of(options)
    set_up_logging(config)
    foreign = foreign_config_file() if options.config is None else None
    if foreign is not None:
        logger.debug("%s is another program's and not read", foreign)
    return config
