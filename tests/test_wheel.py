"""The package as users get it: built as a wheel, and installed where nothing else is."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pip
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from rtgenre import __version__
from rtgenre.demo import DEMO_RECORDINGS
from tests.broker import free_port

ROOT = Path(__file__).parent.parent
INSTALLED_LIMIT_MB = 220
IMAGE_LIMIT_MB = 250
SYSTEM_MB = 115
"""Debian with Python, PortAudio and certificates, rounded up; `make test-image` says it exactly."""

IMAGE_FILES = ("requirements.txt", "requirements-build.txt", "sbom.py")
DPKG_STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12+deb13u1
Description: a text
 of two lines

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

"""


@pytest.fixture
def checkout(tmp_path):
    """Copy what the Dockerfile copies, which is all that a build may need."""
    folder = tmp_path / "src"
    folder.mkdir()
    for name in ("rtgenre", "models"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "deploy").mkdir()
    files = ("pyproject.toml", "README.md", "LICENSE", "config.toml")
    for name in (*files, *(f"deploy/{file}" for file in IMAGE_FILES)):
        shutil.copy(ROOT / name, folder / name)
    return folder


def build_steps():
    """Return the RUN lines of the Dockerfile's build stage, but for those that need Debian."""
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    stage = text[text.index(" AS build") : text.rindex("FROM ")]
    steps = re.findall(r"^RUN (.*)$", stage, re.MULTILINE)
    return [step for step in steps if "apt-get" not in step]


def megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def check_bill(bill, packages):
    """Hold the bill of materials to CycloneDX's own schema, and to what is there."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    components = {component["bom-ref"]: component for component in bill["components"]}
    names = {component["name"].lower() for component in components.values()}
    for info in packages.glob("*.dist-info"):
        name = re.search(r"^Name: (.*)$", (info / "METADATA").read_text(), re.MULTILINE)[1].lower()
        assert name in names or name == bill["metadata"]["component"]["name"]
    assert f"model:crnn@{model_version('crnn')}" in components
    assert components["pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64"]["name"] == "libc6"
    assert "gone" not in names
    assert bill["metadata"]["component"]["version"] == __version__


def model_version(name):
    return json.loads((ROOT / "models" / name / "model.json").read_text())["version"]


def health_check(port):
    """Return the command that the image checks its health with, for another port."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    command = json.loads(re.search(r"^    CMD (\[.*\])$", text, re.MULTILINE).group(1))
    return [part.replace(":8765/", f":{port}/") for part in command]


def run(*command, **options):
    result = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{command}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
    return result.stdout


def make_builder(folder):
    """Make the environment that installs, with these tests' pip: `ensurepip` takes some seconds."""
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)
    program = folder / "bin" / "pip"
    program.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m pip "$@"\n')
    program.chmod(0o755)


def check_wheel(wheel):
    """Look whether it holds models, page, schema and demo, but no tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for model in (ROOT / "models").iterdir():
        if (model / "model.json").is_file():
            assert f"rtgenre/models/{model.name}/model.json" in names
            assert f"rtgenre/models/{model.name}/model.tflite" in names
    for name in (
        "outputs/web/page/index.html",
        "demo/README.md",
        "py.typed",
    ):
        if (ROOT / "rtgenre" / name).exists():
            assert f"rtgenre/{name}" in names
    for recording in DEMO_RECORDINGS:
        assert f"rtgenre/demo/{recording.name}" in names
    assert not [name for name in names if name.startswith(("tests/", "training/", "benchmarks/"))]
    # Training goes on from the first, and cards show the second; the service reads neither.
    assert not [name for name in names if name.endswith((".keras", ".png"))]
    assert wheel.stat().st_size < 6e6


@pytest.mark.timeout(900)
def test_the_dockerfiles_steps_build_a_whole_wheel_and_install_a_small_service_that_is_healthy(
    checkout, tmp_path
):
    opt = tmp_path / "opt" / "rtgenre"
    builder = tmp_path / "opt" / "builder"
    make_builder(builder)
    (builder / "status").write_text(DPKG_STATUS)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RTGENRE_", "PYTHON", "VIRTUAL_ENV"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    steps, installed_mb = build_steps(), []
    assert len(steps) == 8
    assert steps.pop(0) == "python3 -m venv /opt/builder"
    for step in steps:
        command = step.replace("/opt/", f"{opt.parent}/").replace("/src", str(checkout))
        run("sh", "-c", command, env=environment, cwd=checkout)
        installed_mb.append(megabytes(opt))
    check_wheel(*builder.glob("*.whl"))
    # The checkout is gone: what runs from here on is what was installed.
    shutil.rmtree(checkout)
    environment["PATH"] = f"{opt / 'bin'}:{environment['PATH']}"
    assert run("rtgenre", "--version", env=environment).strip() == f"rtgenre {__version__}"
    (packages,) = opt.glob("lib/python*/site-packages")
    installed = {path.name.lower() for path in packages.iterdir()}
    assert not installed & {"tensorflow", "keras", "torch", "librosa", "numba", "pip", "matplotlib"}
    # Before anything was taken away, as pip leaves it.
    assert max(installed_mb) < INSTALLED_LIMIT_MB
    assert installed_mb[-1] + SYSTEM_MB < IMAGE_LIMIT_MB
    check_bill(json.loads((opt / "sbom.cdx.json").read_text()), packages)

    demo = packages / "rtgenre" / "demo" / "classical.ogg"
    (line,) = run(
        "rtgenre", "classify", "--json", str(demo), env=environment, cwd=tmp_path
    ).splitlines()
    assert json.loads(line)

    settings = tmp_path / "init" / "config.toml"
    run("rtgenre", "init", "--yes", "--config", str(settings), env=environment, cwd=tmp_path)
    checked = run("rtgenre", "config", "check", "--config", str(settings), env=environment)
    assert "no problems; 0 settings are set" in checked
    assert "_shtab_rtgenre" in run("rtgenre", "completion", "bash", env=environment)

    port = free_port()
    service = subprocess.Popen(
        ["rtgenre", "demo", "--quiet", "--port", str(port)],
        env=environment | {"RTGENRE_HISTORY__FILE": str(tmp_path / "history.db")},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    try:
        while True:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5),
            ):
                break
            assert service.poll() is None, service.stderr.read()
            time.sleep(0.05)
        run(*health_check(port), env=environment)
    finally:
        service.terminate()
        _, err = service.communicate(timeout=20)
    assert service.returncode == 0, err
    unhealthy = subprocess.run(
        health_check(port), env=environment, check=False, capture_output=True
    )
    assert unhealthy.returncode != 0
