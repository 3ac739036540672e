"""``rtgenre history``: print or draw what was heard."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from rtgenre.commands.options import add_config_file, config_of, given_path
from rtgenre.history.moments import parse_span
from rtgenre.history.report import (
    chosen,
    clipped,
    history_csv,
    history_document,
    history_text,
    nothing_text,
)
from rtgenre.history.store import HistoryError, read_stretches
from rtgenre.outputs.colors import complete_colors
from rtgenre.outputs.history import FILE_NAME, HUB_FILE_NAME, history_file

if TYPE_CHECKING:
    import argparse

    from rtgenre.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument(
        "--since", default="7d", metavar="TIME", help="30m, 12h, 7d, yesterday or a date: 7d"
    )
    parser.add_argument("--until", metavar="TIME", help="the same; the default is now")
    parser.add_argument("--node", metavar="NAME", help="of this room only")
    parser.add_argument("--genre", metavar="NAME", help="of this genre only: what was called so")
    parser.add_argument("--hub", action="store_true", help="what `rtgenre hub` kept")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON document")
    output.add_argument("--csv", action="store_true", help="print comma-separated values")
    output.add_argument(
        "--plot", type=given_path, metavar="FILE", help="draw to a PNG, SVG or PDF file"
    )


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return run_history(options, config_of(options))


def run_history(options: argparse.Namespace, config: Config) -> int:
    """Print or draw the history; return the exit code."""
    try:
        _show(options, config)
    except (HistoryError, ValueError) as error:
        print(f"rtgenre: {error}", file=sys.stderr)
        return 1
    return 0


def _show(options: argparse.Namespace, config: Config) -> None:
    now = time.time()
    since, until = parse_span(options.since, options.until, now)
    file = history_file(config.history, HUB_FILE_NAME if options.hub else FILE_NAME)
    heard = clipped(read_stretches(file, since, until), since, until)
    node, genre = options.node, options.genre
    stretches = chosen(heard, node=node, genre=genre)
    if options.plot is not None:
        from rtgenre.history.plot import plot_history

        colors = complete_colors(config.colors, {stretch.genre for stretch in stretches})
        plot_history(options.plot, stretches, since=since, until=until, colors=colors)
        return
    if options.json:
        text = json.dumps(history_document(stretches, since=since, until=until)) + "\n"
    elif options.csv:
        text = history_csv(stretches)
    else:
        said = history_text(stretches) if stretches else nothing_text(heard, node, genre)
        text = f"history: {file}\n\n{said}"
    sys.stdout.write(text)
    sys.stdout.flush()
