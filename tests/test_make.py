"""``make run`` on a fresh checkout, with a Python that only pretends to install."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Makes the folder that `-m venv FOLDER` asks for, with itself and a service in it.
PRETENDING_PYTHON = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/rtgenre";;
    "-m pip install "*) exit ${PIP_EXIT:-0};;
    run*) echo "the service runs";;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    # Whatever this machine lacks is not installed by a test.
    (tmp_path / "scripts" / "install-packages.sh").write_text("")
    python = tmp_path / "python"
    python.write_text(PRETENDING_PYTHON)
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def make_run(checkout, **environment):
    # Not as a part of the `make test` that this may be.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "run", "PYTHON=./python"],
        check=False,
        cwd=checkout,
        env=inherited | environment,
        capture_output=True,
        text=True,
    )


def test_the_first_run_says_what_it_installs_and_how_long_that_takes(checkout):
    *steps, last = make_run(checkout).stdout.splitlines()
    assert [step.split()[0] for step in steps] == ["Making", "Installing", "Installed"]
    assert "200 MB" in steps[1]
    assert "minute" in steps[1]
    assert last == "the service runs"


def test_later_runs_install_nothing_and_say_nothing_of_it(checkout):
    make_run(checkout)
    assert make_run(checkout).stdout == "the service runs\n"


def test_an_installation_that_fails_says_how_to_go_on_and_is_tried_again(checkout):
    failed = make_run(checkout, PIP_EXIT="1")
    assert failed.returncode != 0
    assert "Run make again" in failed.stderr
    assert make_run(checkout).stdout.endswith("the service runs\n")


def test_help_lists_every_command():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ].split()
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert sorted(line.split()[0] for line in listed.stdout.splitlines()) == sorted(targets)
