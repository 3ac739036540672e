"""``run.json``: what a training run was, beside its ``model.keras``, for ``training.export``."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgenre.model.feature_params import FeatureParams
from training.data.dataset import DatasetError, Track
from training.data.whole_file import PART

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILE_NAME = "run.json"
KERAS_FILE_NAME = "model.keras"
OPTIONS_FILE_NAME = "options.json"
"""In a folder where a stopped run can go on: what it is made with."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A trained network and where it came from."""

    name: str
    """Of the model folder it becomes: ``crnn``."""
    about: str
    """What the network is, in a sentence or two, for the card."""
    labels: tuple[str, ...]
    has_music_output: bool
    data: dict[str, Any]
    """What it was trained on, for people: sources, splits, counts, fingerprint."""
    credits: tuple[str, ...]
    """One line for each thing that went in, with its licence."""
    has_familiar_output: bool = False
    embedding_size: int = 0
    features: FeatureParams = field(default_factory=FeatureParams)
    """What the network hears."""
    config: dict[str, Any] = field(default_factory=dict)
    """Every option of the run."""
    git_commit: str = "unknown"


def read_run(folder: Path) -> RunInfo:
    """Read ``folder/run.json``.

    Raises:
        DatasetError: there is none, or it lacks a field.
    """
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["labels"] = tuple(document["labels"])
        document["credits"] = tuple(document["credits"])
        document["features"] = FeatureParams(**document.get("features", {}))
        return RunInfo(**document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} does not describe a training run: {error}") from error


def write_run(run: RunInfo, folder: Path) -> None:
    """Write ``run`` to ``folder/run.json``, which ``read_run`` gives back unchanged."""
    text = json.dumps(asdict(run), indent=2, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def claim_folder(folder: Path, options: dict[str, Any], *made: str) -> None:
    """Note in a folder what its files are made with, so that no other run goes on with them.

    Args:
        folder: made where it is missing.
        options: all that the files depend on.
        made: patterns of the names of these files.

    Raises:
        DatasetError: the files that are there were made with other options.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / OPTIONS_FILE_NAME
    text = json.dumps(options, indent=2) + "\n"
    paths = (one for pattern in made for one in folder.glob(pattern))
    found = sorted(one.name for one in paths if not one.stem.endswith(PART))
    if not found or not path.exists():
        if found:
            print(f"{folder}: goes on with {found[0]}, whose options nobody noted", file=sys.stderr)
        path.write_text(text, encoding="utf-8")
        return
    changed = _changes(path, json.loads(text))
    if changed:
        raise DatasetError(
            f"{folder} holds {found[0]} of another run ({changed}); name another folder, or "
            "remove this one"
        )


def data_fingerprint(tracks: Sequence[Track]) -> str:
    """Name a set of tracks by what they hold: 16 hexadecimal digits, whatever their order."""
    digest = hashlib.sha256()
    for track in sorted(tracks, key=lambda one: one.name):
        digest.update(track.name.encode())
        digest.update(track.columns.tobytes())
    return digest.hexdigest()[:16]


def names_fingerprint(names: Iterable[str]) -> str:
    """Name a set of recordings by their names: 16 hexadecimal digits, whatever their order."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def git_commit() -> str:
    """Name the commit of this checkout, marked where files differ from it; or ``unknown``."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        result = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()


def _changes(path: Path, options: dict[str, Any]) -> str:
    """Say in what options differ from those in a file; nothing where they do not."""
    try:
        kept = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return f"{path.name} cannot be read"
    return ", ".join(
        f"{name} is {kept.get(name)!r}, not {options.get(name)!r}"
        for name in sorted({*kept, *options})
        if kept.get(name) != options.get(name)
    )
