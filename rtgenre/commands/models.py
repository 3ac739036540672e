"""``rtgenre models``: lists models, and removes own ones."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from rtgenre.commands.options import add_config_file
from rtgenre.config import ConfigError
from rtgenre.learning.own_model import LEARNT_ON
from rtgenre.model.folders import own_models, shipped_models
from rtgenre.model.info import ModelError, read_model_info

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from rtgenre.model.info import ModelInfo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("--remove", metavar="NAME", help="remove a model that was learnt")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    if options.remove is not None:
        return remove_model(options.remove)
    return print_models(as_json=options.json)


def print_models(*, as_json: bool) -> int:
    """Print what each model knows, and where it comes from."""
    named = {**own_models(), **shipped_models()}
    documents = [_document(name, folder) for name, folder in named.items()]
    if as_json:
        print(json.dumps(documents, indent=2))
        return 0
    for one in documents:
        print(_lines(one))
    return 0


def remove_model(name: str) -> int:
    """Remove an own model.

    Raises:
        ConfigError: there is none of that name, or it is a shipped one.
    """
    own = own_models()
    if name not in own:
        found = f"own models: {', '.join(own) or 'none'}"
        reason = "is shipped and stays" if name in shipped_models() else "is no model"
        raise ConfigError(f"{name!r} {reason}; {found}")
    try:
        if own[name].is_symlink():
            own[name].unlink()
        else:
            shutil.rmtree(own[name])
    except OSError as error:
        raise ModelError(f"{own[name]} cannot be removed: {error.strerror}") from error
    print(f"removed the model {name}")
    return 0


def _document(name: str, folder: Path) -> dict[str, Any]:
    try:
        info = read_model_info(folder)
    except ModelError as error:
        return {"name": name, "folder": str(folder), "problem": str(error)}
    return {
        "name": name,
        "folder": str(folder),
        "version": info.version,
        "genres": list(info.labels),
        "songs": info.data.get("songs"),
        "accuracy": _accuracy(info),
        "made_at": info.data.get("learnt_at"),
        "made_by": info.data.get("learnt_by"),
        "learnt_on": info.data.get(LEARNT_ON),
    }


def _accuracy(info: ModelInfo) -> float | None:
    """Return the accuracy on recordings by other artists, as the model's own file says it."""
    found = info.scores.get("accuracy")
    for collection in dict(info.scores.get("collections") or {}).values():
        found = found or dict(collection).get("accuracy")
    return float(found) if isinstance(found, int | float) else None


def _lines(one: dict[str, Any]) -> str:
    if "problem" in one:
        return f"{one['name']}\n    {one['problem']}"
    songs = one["songs"] or {}
    genres = [
        f"{genre} ({songs[genre]} songs)" if genre in songs else genre for genre in one["genres"]
    ]
    lines = [f"{one['name']}  {one['version']}", f"    genres: {', '.join(genres)}"]
    if one["accuracy"] is not None:
        lines.append(f"    right: {one['accuracy']:.0%} of songs by other artists")
    if one["made_at"]:
        lines.append(f"    made: {one['made_at']} by {one['made_by']}, on {one['learnt_on']}")
    return "\n".join(lines)
