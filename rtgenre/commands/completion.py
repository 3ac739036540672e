"""``rtgenre completion``: what lets a shell complete commands, flags and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shtab

from rtgenre.commands.parser import build_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")

_PATHS = {"FILE", "FOLDER", "INPUT", "DIR", "SOURCE"}
"""What arguments are called in the help whose values shells complete as paths."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.description = "Print what lets a shell complete commands and flags with the Tab key."
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return print_completion(build_parser(), options.shell)


def print_completion(parser: argparse.ArgumentParser, shell: str) -> int:
    """Print the script that a shell reads; return the exit code.

    Args:
        parser: the whole command line.
        shell: bash, zsh or fish.
    """
    for action in _actions(parser):
        if action.metavar in _PATHS:
            path: Any = action
            path.complete = shtab.FILE
    print(shtab.complete(parser, shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from _actions(command)
