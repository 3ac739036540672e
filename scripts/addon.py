"""Make the folder that Home Assistant builds its app from, with rtgenre's own wheel in it.

    python -m scripts.addon

Into dist/home-assistant/; deploy/home-assistant/README.md says what to do with it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.release import ReleaseError, version_of

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "deploy" / "home-assistant"
TARGET = ROOT / "dist" / "home-assistant"

_VERSION = re.compile(r'^version: "([^"]+)"$', re.MULTILINE)


def make_addon(wheel: Path, version: str, target: Path) -> Path:
    """Put the app's files and the wheel into ``target``; return the app's folder.

    Raises:
        ReleaseError: the app says another version than the package.
    """
    found = _VERSION.findall((SOURCE / "rtgenre" / "config.yaml").read_text(encoding="utf-8"))
    if found != [version]:
        raise ReleaseError(
            f"deploy/home-assistant/rtgenre/config.yaml says version {', '.join(found)}; "
            f'write version: "{version}"'
        )
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(wheel, target / "rtgenre")
    return target / "rtgenre"


def build_addon() -> Path:
    """Build the wheel and put the app together; return the app's folder.

    Raises:
        ReleaseError: the app says another version than the package.
        subprocess.CalledProcessError: no wheel could be built; pip has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        subprocess.run([*command, "--wheel-dir", folder, str(ROOT)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return make_addon(wheel, version_of(ROOT), TARGET)


if __name__ == "__main__":
    try:
        print(f"{build_addon()} is complete; copy it into the folder addons of Home Assistant.")
    except (ReleaseError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
