"""``rtgenre devices``: the input devices, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rtgenre.commands.options import add_config_file
from rtgenre.outputs.words import source_name
from rtgenre.sources.portaudio import list_input_devices, supported_rates_hz

if TYPE_CHECKING:
    import argparse

    from rtgenre.sources.devices import InputDevice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return print_devices(as_json=options.json)


def print_devices(*, as_json: bool) -> int:
    """Print every input device; return 1 if there is none, else 0.

    Raises:
        SourceError: PortAudio is missing.
    """
    devices = list_input_devices()
    if as_json:
        print(json.dumps([asdict(device) for device in devices], indent=2))
        return 0 if devices else 1
    if not devices:
        print(
            "rtgenre: there is no input device; plug one in, or name a file or a stream: "
            "rtgenre run song.mp3",
            file=sys.stderr,
        )
        return 1
    table = Table(box=None, header_style="bold")
    for heading in ("", "index", "name", "system", "channels", "native rates", "latency", ""):
        table.add_column(
            heading,
            justify="right" if heading in {"index", "channels"} else "left",
            # Either is what a device is chosen by, and to be read however narrow the terminal is.
            no_wrap=heading in {"index", "name"},
        )
    for device in devices:
        table.add_row(
            "*" if device.is_default else "",
            str(device.index),
            Text(device.name),
            Text(device.host_api),
            str(device.n_channels),
            _rates(device),
            f"{1000 * device.latency_seconds:.0f} ms",
            _remark(device),
        )
    console = Console()
    console.print(table)
    console.print("* the default; choose another with: rtgenre run --source INDEX or NAME")
    return 0


def _remark(device: InputDevice) -> str:
    """Say what a name means that says little."""
    if device.is_monitor:
        return "monitor"
    said = source_name(f"device: {device.name}")
    return "" if said == device.stable_name else said


def _rates(device: InputDevice) -> str:
    """Write the rates a device records at, its own one first, in kHz."""
    others = [rate for rate in supported_rates_hz(device) if rate != device.default_rate_hz]
    text = ", ".join(f"{rate / 1000:g}" for rate in others)
    return f"{device.default_rate_hz / 1000:g} kHz" + (f" ({text})" if text else "")
