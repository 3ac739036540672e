"""``rtgenre mqtt remove-discovery``: takes the devices away from Home Assistant again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from rtgenre.commands.options import add_broker, add_config_file, config_of
from rtgenre.commands.process import run_in_event_loop
from rtgenre.config import Config, ConfigError, Node
from rtgenre.outputs.mqtt.broker import publish_once
from rtgenre.outputs.mqtt.homeassistant import device_id, removal_message

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument(
        "nodes", nargs="*", metavar="NODE", help="those of the settings if none is given"
    )
    add_broker(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return run_in_event_loop(remove_discovery(config_of(options), options.nodes))


async def remove_discovery(config: Config, nodes: Sequence[str]) -> int:
    """Remove the devices of ``nodes``, or of the configured sources; return the exit code.

    Raises:
        ConfigError: no broker is set, or a node's name is none.
        OutputError: the broker cannot be reached or refuses.
    """
    if not config.mqtt.host:
        raise ConfigError("no broker: set [mqtt] host, RTGENRE_MQTT__HOST or --mqtt-host")
    try:
        checked = TypeAdapter(list[Node]).validate_python(list(nodes))
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{error.errors()[0]['input']!r} is no node: {reason}") from None
    removed = checked or [source.node for source in config.source]
    prefix = config.homeassistant.discovery_prefix
    await publish_once(config.mqtt, [removal_message(node, prefix) for node in removed])
    for node in removed:
        print(f"removed the device {device_id(node)}")
    if config.homeassistant.enabled:
        print(
            "a running service announces it again when it connects next or Home Assistant starts; "
            "[homeassistant] enabled = false prevents that"
        )
    return 0
