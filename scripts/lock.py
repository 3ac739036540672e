"""Write which Python packages the container image is made of, each with its hashes.

    python -m scripts.lock [--upgrade]

Without --upgrade what is listed stays as long as pyproject.toml allows it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEPLOY = Path("deploy")
APP = DEPLOY / "home-assistant" / "rtgenre"

# Its later versions are for Python 3.10 and older, a limit that uv leaves out of account.
_CONSTRAINTS = "backports-strenum<1.3\n"
# For radio streams; less than half as large as Debian's.
_FFMPEG = "imageio-ffmpeg"
_NAMES = re.compile(r"^[\w.-]+==", re.MULTILINE)


def wanted(root: Path) -> dict[Path, list[str]]:
    """Return what each list has to satisfy, by the list's path below ``root``."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    service = project["project"]["dependencies"]
    build = project["build-system"]["requires"]
    return {
        DEPLOY / "requirements.txt": service,
        DEPLOY / "requirements-build.txt": build,
        APP / "requirements.txt": [*service, _FFMPEG],
    }


def lock(root: Path, options: list[str]) -> None:
    """Write all lists.

    Raises:
        subprocess.CalledProcessError: no versions fit together, or the index is out of reach.
    """
    build = root / "build"
    build.mkdir(exist_ok=True)
    constraints = build / "lock-constraints.txt"
    constraints.write_text(_CONSTRAINTS, encoding="utf-8")
    for path, requirements in wanted(root).items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *options]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--constraint", str(constraints), "--no-annotate", "--no-header"]
        text = "\n".join(requirements)
        subprocess.run(
            [*command, "--output-file", str(path), "-"], check=True, cwd=root, input=text, text=True
        )
        listed = (root / path).read_text(encoding="utf-8")
        (root / path).write_text("# Made by `make lock`.\n" + listed, encoding="utf-8")
        print(f"{path}: {len(_NAMES.findall(listed))} packages")


if __name__ == "__main__":
    try:
        lock(ROOT, sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"uv found no list of packages; the lines above say why ({error.returncode})")
