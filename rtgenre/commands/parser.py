"""The command line as argparse has it."""

from __future__ import annotations

import argparse
import difflib
import re
from importlib import import_module
from typing import TYPE_CHECKING

from rtgenre import __version__
from rtgenre.commands.table import COMMANDS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line; what its command does not take ends the program with exit code 2."""
    options, unknown = build_parser(words).parse_known_args(words)
    if unknown:
        # Files on both sides of a flag, which argparse reads only when it is asked to.
        rest = words[len(options.command.split()) :]
        options, unknown = options.parser.parse_known_intermixed_args(rest)
    if unknown:
        _refuse(options.parser, unknown)
    return options


def build_parser(words: Container[str] | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        words: only the commands among these get their options, since the modules that hold them
            are slow to import; all commands if None.
    """
    parser = argparse.ArgumentParser(
        prog="rtgenre",
        description="Listens to music as it plays and says which genre it is.",
        epilog=_examples(_overview()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rtgenre {__version__}")
    places = {"": parser.add_subparsers(title="commands", metavar="COMMAND", required=True)}
    for command in COMMANDS:
        group, _, name = command.words.rpartition(" ")
        if group not in places:
            of_group = places[""].add_parser(group, help=GROUPS[group])
            places[group] = of_group.add_subparsers(
                title="commands", metavar="COMMAND", required=True
            )
        of_command = places[group].add_parser(
            name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            epilog=_examples(command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if words is None or name in words:
            module = import_module(f"rtgenre.commands.{command.module}")
            module.add_arguments(of_command)
            of_command.set_defaults(command=command.words, main=module.main, parser=of_command)
    return parser


def _refuse(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> None:
    """Say it without the usage, which fills a page for some commands."""
    flags = re.findall(r"(?<!\S)--[a-z][a-z-]*", parser.format_help())
    similar = difflib.get_close_matches(unknown[0].partition("=")[0], flags, n=1)
    meant = f"did you mean {similar[0]}? " if similar else ""
    parser.exit(
        2,
        f"{parser.prog}: error: it does not take {' '.join(unknown)}; "
        f"{meant}'{parser.prog} --help' lists what it takes\n",
    )


def _overview() -> str:
    """Return all examples of ``run``, and the first of each other command."""
    return "".join(
        command.examples if command.words == "run" else command.examples.splitlines(True)[0]
        for command in COMMANDS
    )


def _examples(lines: str) -> str:
    return "examples:\n" + lines.rstrip("\n")
