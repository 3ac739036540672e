"""Recorded voices, sound effects and music under free licences, from Debian's archive.

``fetch_packages`` downloads and unpacks them and installs nothing. Train and valid hold different
speakers, and sound effects from different packages.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.data.acoustics import SAMPLE_RATE_HZ, rms
from training.data.dataset import DatasetError, FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIXES = {".wav", ".ogg", ".opus", ".g722", ".gsm"}


@dataclass(frozen=True, slots=True)
class Source:
    """Sounds of one kind from one Debian package."""

    package: str
    licence: str
    kind: str
    """``speech`` or ``noise``."""
    split: str
    files: str
    """A glob within the unpacked package; files of one folder are one speaker or sort of sound."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Files of one speaker, or of one sort of sound."""

    package: str
    folder: str
    paths: tuple[Path, ...]


_PROMPTS = "usr/share/asterisk/sounds/*/*"
_TALES = "usr/share/games/fillets-ng/sound/*/*/*"
_LETTERS = "usr/share/klettres/{}/*/*"
_WORDS = "usr/share/ktuberling/sounds/{}/*"
_SHOUTS = "usr/share/games/hedgewars/Data/Sounds/voices/{}/*"
_TRAIN_LETTERS = ("ar", "cs", "da", "de", "en", "es", "fr", "he", "hu", "ml", "nds", "nl")
_VALID_LETTERS = ("en_GB", "it", "lt", "nb", "pt_BR", "tn")
_TRAIN_WORDS = ("ca", "da", "de", "en", "fr", "gl", "nn", "ru", "uk", "wa")
_VALID_WORDS = ("el", "fi", "pt", "sl", "sv")
_TRAIN_SHOUTS = ("Classic", "Default", "Default_pl", "Default_ru", "HillBilly", "Pirate")
_VALID_SHOUTS = ("British", "Default_es", "Mobster", "Surfer")

SOURCES = (
    # One person speaks both English and Mexican Spanish, so they stay on one side.
    Source("asterisk-core-sounds-en-g722", "CC-BY-SA-3.0", "speech", "train", _PROMPTS),
    Source("asterisk-core-sounds-es-g722", "CC-BY-SA-3.0", "speech", "train", _PROMPTS),
    Source("asterisk-core-sounds-it-g722", "CC-BY-SA-3.0", "speech", "train", _PROMPTS),
    Source("asterisk-core-sounds-ru-g722", "CC-BY-SA-3.0", "speech", "train", _PROMPTS),
    Source("asterisk-core-sounds-fr-g722", "CC-BY-SA-3.0", "speech", "valid", _PROMPTS),
    Source("asterisk-prompt-es-co", "GPL-2", "speech", "train", _PROMPTS),
    Source("asterisk-prompt-it-menardi-wav", "CC-BY-SA-3.0", "speech", "valid", _PROMPTS),
    Source("fillets-ng-data-nl", "GPL-2+", "speech", "train", _TALES),
    Source("fillets-ng-data-cs", "GPL-2+", "speech", "valid", _TALES),
    *(
        Source(package, licence, "speech", split, pattern.format(folder))
        for package, licence, pattern, split, folders in (
            ("klettres-data", "GPL-2+", _LETTERS, "train", _TRAIN_LETTERS),
            ("klettres-data", "GPL-2+", _LETTERS, "valid", _VALID_LETTERS),
            ("ktuberling-data", "GPL-2+", _WORDS, "train", _TRAIN_WORDS),
            ("ktuberling-data", "GPL-2+", _WORDS, "valid", _VALID_WORDS),
            ("hedgewars-data", "GPL-2", _SHOUTS, "train", _TRAIN_SHOUTS),
            ("hedgewars-data", "GPL-2", _SHOUTS, "valid", _VALID_SHOUTS),
        )
        for folder in folders
    ),
    # The patterns leave out what is music: fanfares, war drums, single notes.
    Source(
        "wesnoth-1.16-data",
        "GPL-2+",
        "noise",
        "train",
        "usr/share/games/wesnoth/1.16/data/core/sounds/ambient/[!w]*",
    ),
    Source(
        "wesnoth-1.16-data",
        "GPL-2+",
        "noise",
        "train",
        "usr/share/games/wesnoth/1.16/data/core/sounds/[!fm]*",
    ),
    Source(
        "hedgewars-data",
        "GPL-2",
        "noise",
        "valid",
        "usr/share/games/hedgewars/Data/Sounds/[a-q]*",
    ),
)


def fetch_sources(folder: Path, *kinds: str) -> None:
    """Fetch the packages of the sources of some kinds; see ``fetch_packages``."""
    fetch_packages(folder, {source.package for source in SOURCES if source.kind in kinds})


def fetch_packages(folder: Path, packages: Iterable[str]) -> None:
    """Download and unpack the packages that ``folder`` does not have yet, each into its own folder.

    Raises:
        DatasetError: this is not Debian, or a package cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted(packages):
        if (folder / package).exists():
            continue
        print(f"fetching {package}")
        with tempfile.TemporaryDirectory() as download:
            try:
                _run("apt-get", "download", package, cwd=Path(download))
                (archive,) = Path(download).glob("*.deb")
                # Beside, and renamed: half of a package would be taken for all of it.
                unpacked = folder / f"{package}.part"
                shutil.rmtree(unpacked, ignore_errors=True)
                _run("dpkg-deb", "--extract", str(archive), str(unpacked))
                unpacked.rename(folder / package)
            except (OSError, subprocess.CalledProcessError, ValueError) as error:
                said = getattr(error, "stderr", b"").decode(errors="replace").strip()
                raise DatasetError(
                    f"the Debian package {package} cannot be fetched: {said or error}; on another "
                    "system, "
                    f"unpack it as {folder / package}"
                ) from error


def find_voices(folder: Path, kind: str, split: str) -> list[Voice]:
    """List what ``fetch_packages`` put into ``folder``; empty if it holds nothing of this kind."""
    groups: dict[Path, list[Path]] = {}
    for source in SOURCES:
        if (source.kind, source.split) == (kind, split):
            for path in sorted((folder / source.package).glob(source.files)):
                if path.suffix in _SUFFIXES and path.parent.name != "silence":
                    groups.setdefault(path.parent, []).append(path)
    return [
        Voice(parent.relative_to(folder).parts[0], "/".join(parent.parts[-2:]), tuple(paths))
        for parent, paths in groups.items()
    ]


def string_together(voice: Voice, rng: np.random.Generator, n_samples: int) -> FloatArray:
    """Play random files of one voice one after another, with pauses of up to 0.8 s.

    Returns:
        ``(n_samples,)`` float32, every file with the same RMS.
    """
    pieces: list[FloatArray] = []
    remaining = n_samples
    while remaining > 0:
        pause = np.zeros(int(rng.uniform(0.02, 0.8) * SAMPLE_RATE_HZ), dtype=np.float32)
        try:
            piece = decode(voice.paths[rng.integers(len(voice.paths))])
        except subprocess.CalledProcessError:
            piece = pause  # a few prompts are empty or damaged
        pieces += [(0.1 / rms(piece)) * piece, pause]
        remaining -= len(piece) + len(pause)
    return np.concatenate(pieces)[:n_samples].astype(np.float32)


def decode(path: Path) -> FloatArray:
    """Read any audio file with ffmpeg: mono, at the features' rate."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(SAMPLE_RATE_HZ)]
    output = _run(*command, "-f", "f32le", "-")
    return np.frombuffer(output, dtype="<f4").astype(np.float32)


def _run(*command: str, cwd: Path | None = None) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, cwd=cwd).stdout
