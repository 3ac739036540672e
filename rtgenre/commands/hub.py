"""``rtgenre hub``: one page and one history for every rtgenre that publishes to a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.commands.options import (
    add_broker,
    add_config_file,
    add_page,
    add_readout,
    config_of,
    config_with_logging,
)
from rtgenre.commands.process import run_in_event_loop, until_stopped
from rtgenre.config import Config, ConfigError
from rtgenre.hub.service import HubService
from rtgenre.outputs.terminal import open_terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_broker(parser)
    add_page(parser)
    add_readout(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_with_logging(options)
    return run_hub(config, read_config=lambda: config_of(options))


def run_hub(config: Config, *, read_config: Callable[[], Config]) -> int:
    """Run the hub until it is asked to stop, and return the exit code.

    Args:
        config: all settings.
        read_config: reads the settings again, when SIGHUP asks for it.

    Raises:
        ConfigError: no broker is set.
        OutputError: the port, a password, a token or a certificate cannot be used.
    """
    if not config.mqtt.host:
        raise ConfigError(
            "a hub shows what others publish to an MQTT broker: name it with --mqtt-host, "
            "RTGENRE_MQTT__HOST or [mqtt] host"
        )
    service = HubService(config)
    terminal = open_terminal(config, colors=config.colors, names=service.roster.names)
    return run_in_event_loop(until_stopped(service, terminal, read_config))
