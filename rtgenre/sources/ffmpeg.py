"""Running ffmpeg: finding it, and what its processes have in common."""

from __future__ import annotations

import shutil
import subprocess
import sys

from rtgenre.sources.base import SourceError

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


def start_ffmpeg(arguments: list[str], *, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start ffmpeg with its output piped to us; it never reads our standard input.

    Raises:
        SourceError: ffmpeg is not installed, or cannot be run.
    """
    program = find_ffmpeg()
    if program is None:
        raise SourceError(f"this input needs ffmpeg, which is not installed: {INSTALL_HINT}")
    command = [program, "-nostdin", "-hide_banner", *arguments]
    try:
        return subprocess.Popen(  # noqa: S603 - a list, no shell; paths come after -i
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            # Ctrl-C is ours to handle: ffmpeg is stopped by us, in order.
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"ffmpeg at {program} cannot be run: {error}") from error


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and wait for it, so that nothing of it is left."""
    process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
