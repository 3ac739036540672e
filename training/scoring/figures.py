"""The form of commands that measure on a model's examples: what they take, and how they tell it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rtgenre.learning.own_model import read_ground_examples
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError, read_model_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rtgenre.learning.examples import Examples


def figures_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Take a model, and whether figures alone are wanted."""
    parser = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="crnn", help="name or folder: crnn")
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    return parser


def examples_of(model: str, genres: Iterable[str] = ()) -> tuple[Examples, tuple[str, ...]]:
    """Read a model's examples and genres.

    Args:
        model: its name, or its folder.
        genres: some that it must have.

    Raises:
        RtgenreError: there is no such model, or it has no examples, or not these genres.
    """
    folder = find_model_folder(model)
    info = read_model_info(folder)
    missing = [genre for genre in genres if genre not in info.labels]
    if missing:
        raise ModelError(
            f"{info.name} has no {', '.join(missing)}; its genres are {', '.join(info.labels)}"
        )
    return read_ground_examples(folder, info), info.labels


def tell_figures(
    measured: Iterable[Any],
    *,
    line: Callable[[Any], str],
    table: Callable[[list[Any]], str],
    as_json: bool,
) -> None:
    """Print what is measured: a line each at once, on standard error, and all of it at the end.

    Args:
        measured: dataclasses, one after another.
        line: says one in short.
        table: says all, for people.
        as_json: say all for programs in its place.
    """
    found = []
    for one in measured:
        print(line(one), file=sys.stderr)
        found.append(one)
    print(json.dumps([asdict(one) for one in found]) if as_json else table(found))
