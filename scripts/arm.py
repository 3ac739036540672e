"""Compare what rtgenre does on 64-bit ARM, emulated, with what it does here.

    python -m scripts.arm ROOT PLUGIN    # what scripts/test-arm.sh ends with

Writes docs/arm.json when all is well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtgenre import load_model
from scripts.arm_processors import PROCESSORS, Processor
from scripts.arm_record import (
    RECORD,
    ROOT,
    ArmRecord,
    Comparison,
    Counts,
    Differences,
    shipped_model,
)
from scripts.arm_service import check_service
from scripts.arm_windows import WINDOWS, said_of

if TYPE_CHECKING:
    from collections.abc import Callable

# The last is wider, for a reason that is not ARM's: the network rounds to 8 bits between its
# layers, so that sound which differs by a millionth can change a probability by some thousandths:
# on one machine by up to 9e-3, see training/README.md.
ALLOWED = Differences(network=1e-3, features=1e-3, probabilities=1e-2)
GENRE = "jazz"

_RTGENRE = ("/usr/bin/python3", "-m", "rtgenre")
_COUNT = re.compile(r"^instructions (\d+) vector (\d+)$", re.MULTILINE)


class ArmError(Exception):
    """What does not work on ARM, in one line."""


class EmulatedRoot:
    """A root of Debian for ARM, with the wheel and all that it needs in ``/packages``."""

    def __init__(self, folder: Path, processor: Processor) -> None:
        """Describe the processor to the programs: the network's kernels are chosen by it."""
        self.folder = folder
        self.processor = processor
        self.packages = folder / "packages"
        description = folder / "proc" / "cpuinfo"
        # The same file can be another root's.
        description.unlink(missing_ok=True)
        description.write_text(processor.description(), encoding="utf-8")

    def as_on(self, processor: Processor) -> EmulatedRoot:
        """Return a root of the same files, linked, for what runs as on this processor."""
        folder = self.folder.with_name(f"{self.folder.name}-{processor.name}")
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("etc", "proc", "sys", "usr"):
            shutil.copytree(self.folder / name, folder / name, symlinks=True, copy_function=os.link)
        (folder / "lib").symlink_to("usr/lib")
        root = EmulatedRoot(folder, processor)
        root.packages = self.packages
        return root

    @property
    def environment(self) -> dict[str, str]:
        """What the programs of the root see."""
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": "/usr/sbin:/usr/bin",
            "PYTHONPATH": "/packages",
            "QEMU_CPU": self.processor.name,
        }

    def command(self, *words: str) -> list[str]:
        """Return how a program of the root is started, with ``environment``."""
        return ["chroot", str(self.folder), *words]

    def rtgenre(self, *words: str) -> str:
        """Run a command of rtgenre and return what it printed.

        Raises:
            ArmError: it failed.
        """
        return run(self.command(*_RTGENRE, *words), self.environment)

    def judge(self, plugin: Path, out: Path) -> Counts:
        """Judge the windows, and count what that takes.

        Without a change of root: the plugin's libraries are those of this machine.

        Raises:
            ArmError: it failed, or the plugin did not count.
        """
        environment = {"PYTHONPATH": str(self.packages), "OPENBLAS_NUM_THREADS": "1"}
        python = (self.folder / "usr" / "bin" / "python3").resolve()
        command = [
            "qemu-aarch64", "-cpu", self.processor.name, "-L", str(self.folder),
            "-plugin", str(plugin), str(python), "scripts/arm_windows.py", str(out),
        ]  # fmt: skip
        marks = np.array(_COUNT.findall(run(command, environment)), np.int64)
        if len(marks) != 3 * WINDOWS:
            raise ArmError(f"the plugin counted {len(marks)} times, not {3 * WINDOWS}")
        before, between, after = marks.reshape(WINDOWS, 3, 2).transpose(1, 0, 2)
        # The first window also loads what all others use.
        spectrogram, all_of_it = np.median([between - before, after - before], axis=1) / 1e6
        return Counts(
            million_instructions=round(float(all_of_it[0]), 1),
            million_on_vectors=round(float(all_of_it[1]), 1),
            million_for_the_spectrogram=round(float(spectrogram[0]), 1),
        )


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run a program and return all that it printed.

    Raises:
        ArmError: it failed.
    """
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if result.returncode:
        said = result.stderr.strip() or result.stdout.strip() or "it said nothing"
        raise ArmError(
            f"{' '.join(command)} ended with {result.returncode}: {said.splitlines()[-1]}"
        )
    return result.stdout + result.stderr


def differences(
    here: Path, there: Path, network: Callable[[np.ndarray], np.ndarray]
) -> Differences:
    """Return how far two judgements of the same windows are apart.

    Args:
        here: this machine's.
        there: ARM's.
        network: turns one window's features into its outputs, on this machine.

    Raises:
        ArmError: their shapes differ, or something is further apart than it may be.
    """
    with np.load(here) as arrays, np.load(there) as theirs:
        ours, arm = dict(arrays), dict(theirs)
    for name in ("features", "outputs"):
        if ours[name].shape != arm[name].shape:
            raise ArmError(f"{name} have shape {arm[name].shape}, here {ours[name].shape}")
    same_input = np.array([network(features) for features in arm["features"]])
    found = Differences(
        network=float(np.abs(same_input - arm["outputs"]).max()),
        features=float(np.abs(ours["features"] - arm["features"]).max()),
        probabilities=float(np.abs(ours["outputs"] - arm["outputs"]).max()),
    )
    for field in fields(Differences):
        apart, allowed = getattr(found, field.name), getattr(ALLOWED, field.name)
        # Nothing compares with what is no number.
        if not apart <= allowed:
            raise ArmError(
                f"{field.name} differ by {apart:.2g} from x86's; at most {allowed:g} may be"
            )
    return found


def compare(root: EmulatedRoot, here: Path, plugin: Path) -> Comparison:
    """Judge the windows as on the root's processor, and compare with ``here``.

    Raises:
        ArmError: it fails, or says something else.
    """
    there = here.with_name(f"{root.processor.name}.npz")
    counts = root.judge(plugin, there)
    classifier = load_model().classifier
    found = differences(here, there, lambda features: said_of(features, classifier))
    found = found.of_two_digits()
    print(
        f"{root.processor.name}, as in a {root.processor.board}: the network differs by at most "
        f"{found.network}, features by {found.features}, sound to probability by "
        f"{found.probabilities}; a window takes {counts.million_instructions} million instructions",
        flush=True,
    )
    return Comparison(found, counts)


def check_commands(root: EmulatedRoot) -> None:
    """Classify a recording, load PortAudio, write settings and read them.

    Raises:
        ArmError: one of them fails, or the recording is called something else.
    """
    said = root.rtgenre("classify", f"/packages/rtgenre/demo/{GENRE}.ogg")
    if f": {GENRE}" not in said:
        raise ArmError(f"rtgenre classify says of {GENRE}.ogg: {said.strip()}")
    # The command itself ends with 1 where there is no input, as in this root.
    listing = "from rtgenre.sources.portaudio import list_input_devices as find; print(find())"
    run(root.command("/usr/bin/python3", "-c", listing), root.environment)
    (root.folder / "settings.toml").unlink(missing_ok=True)
    root.rtgenre("init", "--yes", "--config", "/settings.toml")
    root.rtgenre("config", "check", "--config", "/settings.toml")
    print(f"{GENRE}.ogg is {GENRE}; PortAudio loads; settings are written and read", flush=True)


def main(folder: Path, plugin: Path) -> None:
    """Check everything, print each step and write the record.

    Raises:
        ArmError: something does not work on ARM.
    """
    begun = time.monotonic()
    root = EmulatedRoot(folder.resolve(), PROCESSORS[0])
    here = plugin.resolve().with_name("here.npz")
    # Of this checkout, which the wheel is made of: the Python may hold another one's rtgenre.
    ours = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    run([sys.executable, "scripts/arm_windows.py", str(here)], ours)
    commit = run(["git", "describe", "--always", "--dirty"], dict(os.environ)).strip()
    with ThreadPoolExecutor() as pool:
        waiting = {it.name: pool.submit(compare, root.as_on(it), here, plugin) for it in PROCESSORS}
        commands = pool.submit(check_commands, root)
        service = pool.submit(check_service, root.command(*_RTGENRE), root.environment)
        compared = {name: future.result() for name, future in waiting.items()}
        commands.result()
        print(service.result(), flush=True)
    version = run(root.command("/usr/bin/python3", "--version"), root.environment)
    ArmRecord(
        date=datetime.now(UTC).date().isoformat(),
        commit=commit,
        model=shipped_model(),
        python=version.split()[-1],
        windows=WINDOWS,
        processors=compared,
        minutes=round((time.monotonic() - begun) / 60),
    ).save()
    print(f"all is well on ARM; {RECORD.relative_to(ROOT)} says so")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (ArmError, TimeoutError) as error:
        sys.exit(f"make test-arm: {error}")
