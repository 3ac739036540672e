"""Build the wheel and the sdist, and try both as users get them. Uploads nothing.

    python -m scripts.release

Refuses when version, changelog, images and models disagree, or when something is not committed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "rtgenre" / "demo" / "classical.ogg"

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_APP = "deploy/home-assistant/rtgenre"
_IMAGES = {
    "deploy/Dockerfile": re.compile(r'image\.version="([^"]+)"'),
    f"{_APP}/config.yaml": re.compile(r'^version: "([^"]+)"$', re.MULTILINE),
    f"{_APP}/CHANGELOG.md": re.compile(r"\A.*?^## (.+?)$", re.MULTILINE | re.DOTALL),
}
"""Where the images say their version: by file, what to find it by."""


class ReleaseError(Exception):
    """What is in the way of a release, one thing a line."""


def version_of(root: Path) -> str:
    """Return the version that the package says."""
    match = _VERSION.search((root / "rtgenre" / "__init__.py").read_text(encoding="utf-8"))
    if match is None:
        raise ReleaseError('rtgenre/__init__.py has no line __version__ = "…"')
    return match[1]


def disagreements(root: Path) -> list[str]:
    """Return what version, changelog, images and models say that does not fit together."""
    version = version_of(root)
    found = []
    if not _SEMANTIC.fullmatch(version):
        found.append(f"the version {version!r} is not semantic; write for example 1.2.0")
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading, section = _newest(changes)
    if not re.fullmatch(rf"\[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d", heading):
        found.append(
            f"CHANGELOG.md begins with {heading!r}, the version is {version}; "
            f"write '## {version} - YYYY-MM-DD'"
        )
    for name, wanted in _IMAGES.items():
        said = wanted.findall((root / name).read_text(encoding="utf-8"))
        if said != [version]:
            found.append(f"{name} says {', '.join(said) or 'none'}, the version is {version}")
    for folder in sorted(path.parent for path in (root / "models").glob("*/model.json")):
        found += _model_disagreements(folder, heading, section)
    return found


def _newest(changes: str) -> tuple[str, str]:
    """Return the heading and the text of the first section that holds something."""
    parts = _HEADING.split(changes)[1:]
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        if re.search(r"^- ", text, re.MULTILINE):
            return heading, text
    return "nothing", ""


def _model_disagreements(folder: Path, heading: str, section: str) -> list[str]:
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    name, version = document["name"], document["version"]
    found = []
    if name != folder.name:
        found.append(f"models/{folder.name}/model.json calls itself {name!r}")
    card = (folder / "README.md").read_text(encoding="utf-8").splitlines()[0]
    if card != f"# {name} {version}":
        found.append(
            f"models/{folder.name}/README.md begins with {card!r}, model.json says "
            f"{name} {version}; export it again"
        )
    if f"{name} {version}" not in section:
        found.append(
            f"CHANGELOG.md does not say under {heading!r} that {name} {version} ships; "
            f"add a line such as '- Models: {name} {version}'"
        )
    return found


def release(root: Path) -> None:
    """Build into dist/ and try what was built.

    Raises:
        ReleaseError: something disagrees, or is not committed.
        subprocess.CalledProcessError: a step failed; it has said why.
    """
    problems = disagreements(root)
    status = _run("git", "status", "--porcelain", cwd=root, capture=True).splitlines()
    if status:
        files = ", ".join(line.split(maxsplit=1)[1] for line in status)
        problems.append(f"not committed: {files}")
    if problems:
        raise ReleaseError("\n".join(problems))
    version, dist = version_of(root), root / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--outdir", str(dist), cwd=root)
    built = sorted(dist.iterdir())
    _run(sys.executable, "-m", "twine", "check", "--strict", *map(str, built), cwd=root)
    for archive in built:
        try_archive(archive, version)
    try_runners(*dist.glob("*.whl"))
    print(f"dist/ holds {' and '.join(path.name for path in built)}; nothing was uploaded.")
    print(f"Next: git tag v{version}, push it, and upload with: python -m twine upload dist/*")


def try_archive(archive: Path, version: str) -> None:
    """Install an archive where nothing else is, and classify the demo recording with it.

    Raises:
        ReleaseError: it has another version, or finds no genre.
        subprocess.CalledProcessError: a step failed; it has said why.
    """
    print(f"Trying {archive.name} in a fresh environment …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        bin_folder = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(str(bin_folder / "python"), *install, str(archive), cwd=folder)
        program = str(bin_folder / "rtgenre")
        said = _run(program, "--version", cwd=folder, capture=True)
        if said != f"rtgenre {version}":
            raise ReleaseError(f"{archive.name} says {said!r}; the version is {version}")
        verdict = json.loads(
            _run(program, "classify", "--json", str(DEMO), cwd=folder, capture=True)
        )
        if not verdict.get("genre"):
            raise ReleaseError(f"{archive.name} finds no genre in the demo recording")
        print(f"{archive.name}: {said} hears {verdict['genre']}", flush=True)


def try_runners(wheel: Path) -> None:
    """Classify the demo recording by the two programs that run a package without installing it.

    Raises:
        ReleaseError: one of them finds no genre.
        subprocess.CalledProcessError: a step failed; it has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        # What either kept of an earlier wheel of this version would be tried in its place.
        own = {"PIPX_HOME": f"{folder}/pipx", "UV_CACHE_DIR": f"{folder}/uv"}
        for module, *arguments in (("pipx", "run", "--spec"), ("uv", "tool", "run", "--from")):
            command = [sys.executable, "-m", module, *arguments, str(wheel)]
            command += ["rtgenre", "classify", "--json", str(DEMO)]
            verdict = json.loads(_run(*command, cwd=folder, capture=True, own=own))
            if not verdict.get("genre"):
                raise ReleaseError(f"{module} finds no genre in the demo recording")
            print(f"{module} {arguments[0]}: hears {verdict['genre']}", flush=True)


def _run(
    *command: str, cwd: str | Path, capture: bool = False, own: dict[str, str] | None = None
) -> str:
    """Run a command, with settings of its own; return what it printed if that is captured."""
    # What is tried is what was installed, by default settings, and not this checkout.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHONPATH", "RTGENRE_", "MAKE"))
    }
    result = subprocess.run(
        command,
        check=True,
        cwd=cwd,
        env=environment | (own or {}),
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    return (result.stdout or "").strip()


if __name__ == "__main__":
    try:
        release(ROOT)
    except ReleaseError as error:
        sys.exit(f"This is no release yet:\n{error}")
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"{Path(error.cmd[0]).name} {' '.join(error.cmd[1:4])} … failed with {error.returncode}"
        )
