"""What `make pythons` leaves behind when it fails, and whether it goes on."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "test-pythons.sh"
MAKE_NO_ROOT = 'echo half >"$root/half"; echo "E: no such suite" >&2; exit 100'
# Says that it has begun, and waits until it is stopped.
NEVER_END = 'echo half >"$root/half"; echo begun; exec sleep 60'


@pytest.fixture
def tools(tmp_path):
    """A user who is root, a Python that does as it is told, and a mmdebstrap of our own."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    def mmdebstrap(script):
        # As the real one: its last argument is the root, which has to be empty or new.
        refuse = '[ -z "$(ls "$root" 2>/dev/null)" ] || { echo "E: not empty" >&2; exit 1; }'
        add("mmdebstrap", f'for root; do :; done\n{refuse}\nmkdir -p "$root"\n{script}')

    add("id", "echo 0")
    add("python", "exit 0")
    return mmdebstrap


def start(tmp_path, *suites):
    """Start the script in a folder of its own."""
    return subprocess.Popen(
        [shutil.which("sh"), SCRIPT, "python", *suites],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_root_that_cannot_be_made_is_gone_and_the_next_suite_is_tried(tools, tmp_path):
    tools(MAKE_NO_ROOT)
    process = start(tmp_path, "bookworm", "trixie")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines() == [
        "make pythons: the root of bookworm cannot be made: E: no such suite",
        "make pythons: the root of trixie cannot be made: E: no such suite",
        "make pythons: these failed: bookworm trixie",
    ]
    assert not [path for path in (tmp_path / "build" / "pythons").iterdir() if path.is_dir()]


def test_a_root_that_a_killed_run_left_half_made_is_made_anew(tools, tmp_path):
    half = tmp_path / "build" / "pythons" / "trixie"
    half.mkdir(parents=True)
    (half / "half").touch()
    tools(MAKE_NO_ROOT)
    _, said = start(tmp_path, "trixie").communicate(timeout=30)
    assert "not empty" not in said
    assert not half.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_finds_no_half_made_root_and_waits_for_no_other_suite(tools, tmp_path, how):
    tools(NEVER_END.replace("echo begun", f"echo begun >{tmp_path / 'begun'}"))
    os.mkfifo(tmp_path / "begun")
    process = start(tmp_path, "bookworm", "trixie")
    (tmp_path / "begun").read_text()
    os.killpg(process.pid, how)
    _, said = process.communicate(timeout=30)
    assert process.returncode in {128 + how, -how}
    assert "these failed" not in said
    assert not (tmp_path / "build" / "pythons" / "bookworm").exists()
    assert not (tmp_path / "build" / "pythons" / "trixie").exists()


def test_who_is_not_root_is_told_so_in_a_line(tools, tmp_path):
    (tmp_path / "bin" / "id").write_text("#!/bin/sh\necho 1000\n")
    _, said = start(tmp_path, "trixie").communicate(timeout=30)
    assert said.count("\n") == 1
    assert "needs root" in said
