"""``make run`` on a fresh checkout, with a Python that only pretends to install."""

import fcntl
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
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/rtgenre"
        echo "command = $0 -m venv $(pwd -P)/$3" >"$3/pyvenv.cfg";;
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


def start_make_run(checkout, **environment):
    # Not as a part of the `make test` that this may be.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.Popen(
        ["make", "run", "PYTHON=./python"],
        cwd=checkout,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def make_run(checkout, **environment):
    process = start_make_run(checkout, **environment)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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


def test_an_environment_of_another_machine_or_of_a_python_that_is_gone_is_made_anew(checkout):
    make_run(checkout)
    # As of another processor, which scp brought along, or as a killed `make` leaves it.
    (checkout / ".venv" / "bin" / "python").write_text("#!/nowhere\n")
    (checkout / ".venv" / ".base").touch()
    *steps, last = make_run(checkout).stdout.splitlines()
    assert [step.split()[0] for step in steps] == ["Making", "Installing", "Installed"]
    assert last == "the service runs"


def test_in_a_folder_that_was_moved_or_copied_what_is_in_it_runs_and_not_what_was(checkout):
    make_run(checkout)
    moved = checkout.with_name(f"{checkout.name} moved")
    shutil.copytree(checkout, moved)
    assert "Installed" in make_run(moved).stdout
    assert make_run(moved).stdout == make_run(checkout).stdout == "the service runs\n"


@pytest.mark.skipif(shutil.which("flock") is None, reason="this system has no flock")
@pytest.mark.parametrize("script", ["make-venv.sh", "install-python.sh"])
def test_two_makes_at_once_do_not_install_into_one_folder(checkout, script):
    with (checkout / "scripts" / script).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = start_make_run(checkout)
        while not process.stdout.readline().startswith("Waiting for another make"):
            assert process.poll() is None
    assert process.communicate()[0].endswith("the service runs\n")


def install_packages(folder, kind, apt_get):
    """Install the system packages as root where none is there, by an apt-get that pretends."""
    for name, text in {"ldconfig": "", "id": "echo 0", "apt-get": apt_get}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for name in ("uname", "grep", "ls"):
        (folder / name).symlink_to(shutil.which(name))
    return subprocess.run(
        [shutil.which("sh"), ROOT / "scripts" / "install-packages.sh", kind],
        check=False,
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
    )


def test_a_source_of_packages_that_is_out_of_reach_does_not_keep_those_of_others_away(tmp_path):
    apt_get = f'[ "$1" = update ] && exit 100; echo "$*" >>{tmp_path}/said'
    assert install_packages(tmp_path, "base", apt_get).returncode == 0
    assert "libportaudio2" in (tmp_path / "said").read_text()


@pytest.mark.parametrize(("kind", "code"), [("base", 0), ("test", 1)])
def test_packages_that_cannot_be_installed_are_named_and_keep_only_the_tests_from_running(
    tmp_path, kind, code
):
    result = install_packages(tmp_path, kind, "exit 100")
    assert result.returncode == code
    assert "sudo apt install libportaudio2" in result.stderr


def test_make_pythons_that_was_stopped_while_it_made_a_root_makes_it_anew(tmp_path):
    root = tmp_path / "build" / "pythons" / "trixie"
    (root / "half").mkdir(parents=True)
    # As the real one it takes no folder that holds something.
    pretending = '#!/bin/sh\nfor root; do :; done\n[ -e "$root" ] && exit 1\nexit 42\n'
    (tmp_path / "mmdebstrap").write_text(pretending)
    (tmp_path / "mmdebstrap").chmod(0o755)
    result = subprocess.run(
        ["sh", ROOT / "scripts" / "test-pythons.sh", "true", "trixie"],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 42, result.stderr


def test_help_lists_every_command():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ].split()
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert sorted(line.split()[0] for line in listed.stdout.splitlines()) == sorted(targets)
