"""``rtgenre demo``: the service, on four free recordings in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.commands.options import (
    add_config_file,
    add_model,
    add_page,
    add_readout,
    config_of,
    config_with_logging,
)
from rtgenre.commands.run import run_demo

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_page(parser)
    add_model(parser)
    add_readout(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_with_logging(options)
    return run_demo(config, read_config=lambda: config_of(options))
