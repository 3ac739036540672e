"""Running ffmpeg: finding it, and what its processes have in common."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from rtgenre.sources.base import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALL_HINT = (
    "install it with 'winget install ffmpeg'"
    if sys.platform == "win32"
    else "install it with 'brew install ffmpeg'"
    if sys.platform == "darwin"
    else "install it with 'sudo apt install ffmpeg' or your system's package manager"
)


def find_ffmpeg() -> str | None:
    """Return ffmpeg's path, or None where it is not installed."""
    return shutil.which("ffmpeg")


def start_ffmpeg(
    arguments: list[str],
    environment: dict[str, str] | None = None,
    *,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start ffmpeg with its output and messages piped to us; it never reads our standard input.

    Without an ``environment`` of its own it has ours.

    Raises:
        SourceError: ffmpeg is not installed, or cannot be run.
    """
    program = find_ffmpeg()
    if program is None:
        raise SourceError(f"this input needs ffmpeg, which is not installed: {INSTALL_HINT}")
    command = [*_ends_with_us(), program, "-nostdin", "-hide_banner", *arguments]
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            # Ctrl-C is ours to handle: ffmpeg is stopped by us, in order.
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"ffmpeg at {program} cannot be run: {error}") from error


@functools.cache
def _ends_with_us() -> tuple[str, ...]:
    """Return what goes before a command that is to end when the thread that starts it does.

    Otherwise ffmpeg would outlive us when we are killed while its server is silent. It is
    util-linux's; elsewhere ffmpeg's own limits on network calls must do.
    """
    setpriv = shutil.which("setpriv")
    if sys.platform != "linux" or setpriv is None:
        return ()
    command = (setpriv, "--pdeathsig", "KILL", "--")
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, timeout=5)
    except (OSError, subprocess.SubprocessError):  # busybox's knows no such option
        return ()
    return command


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and wait for it, so that nothing of it is left."""
    process.kill()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


class LastMessage:
    """Reads a process's messages as they come, and keeps the last that is no mere information."""

    def __init__(
        self, process: subprocess.Popen[bytes], told: Callable[[str], None] = lambda _: None
    ) -> None:
        """Begin to read.

        Args:
            process: whose messages; with levels where it was started with ``-loglevel level+…``.
            told: called from a thread with each message that is mere information.
        """
        self._process = process
        self._told = told
        self._line = ""
        self._thread = threading.Thread(target=self._read, name="ffmpeg-messages", daemon=True)
        self._thread.start()

    def wait(self) -> str:
        """Wait until the process says no more and return its last line."""
        self._thread.join(timeout=1.0)
        return self._line

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as messages:
            for message in messages:
                # Without ffmpeg's "[tcp @ 0x55d0c8a0]", which differs from run to run.
                text = re.sub(r"^(\[[^\]]* @ [^\]]*\] ?)+", "", _decoded(message))
                level, text = re.fullmatch(r"(\[\w+\] )?(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
                if level in {"[info] ", "[verbose] "}:
                    self._told(text.strip())
                else:
                    self._line = text.strip() or self._line


def _decoded(message: bytes) -> str:
    """Decode what radios write in UTF-8, or else in Latin-1."""
    try:
        return message.decode()
    except UnicodeDecodeError:
        return message.decode("latin-1")
