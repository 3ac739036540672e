"""The service in a process of its own, for the length of a ``with`` block."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.broker import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 20.0


@dataclass(frozen=True)
class Service:
    """A service that answers."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextlib.contextmanager
def running_service(*arguments: str, **settings: str) -> Iterator[Service]:
    """Run ``rtgenre run`` with these arguments on a free port, from when it answers.

    ``settings`` are settings by ``TABLE__KEY``, as the environment has them.
    """
    port = free_port()
    process = subprocess.Popen(command(port, *arguments), env=environment(**settings))
    try:
        wait_until_it_answers(port)
        yield Service(process, port)
    finally:
        process.terminate()
        process.wait()


def command(port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "rtgenre", "run", *arguments, "--quiet", "--port", str(port)]


def environment(**settings: str) -> dict[str, str]:
    # This user's own settings would be measured, and their broker be told. Nobody can make a
    # folder there, as PulseAudio's client tries to.
    own = os.environ | {"XDG_CONFIG_HOME": f"{os.devnull}/settings"}
    return own | {f"RTGENRE_{name}": value for name, value in settings.items()}


def wait_until_it_answers(port: int) -> None:
    gives_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > gives_up_at:
                raise SystemExit(f"the service did not start: {error}") from None
            time.sleep(0.05)
        else:
            return
