"""Start the service, be its client, and stop it, however slow the machine."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 900.0


def check_service(rtgenre: list[str], environment: dict[str, str]) -> str:
    """Play the demo until a WebSocket client hears music, then stop; say what was heard and when.

    Args:
        rtgenre: how its commands are started.
        environment: and with which environment.

    Raises:
        TimeoutError: no music in time, or it does not end well; with its last line.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        service = subprocess.Popen(
            [*rtgenre, "demo", "--quiet", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            states = _states(port, service, begun + PATIENCE_SECONDS)
            heard = next((state for state in states if state["state"] == "music"), None)
            seconds = time.monotonic() - begun
            service.send_signal(signal.SIGTERM)
            code: int | None = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = service.wait(PATIENCE_SECONDS)
        finally:
            service.kill()
            service.wait()
        log.seek(0)
        last = (log.read().splitlines() or ["it said nothing"])[-1]
    if heard is None:
        raise TimeoutError(f"a client of the service heard no music in {seconds:.0f} s: {last}")
    if code != 0:
        raise TimeoutError(f"the service ended with {code} when it was asked to stop: {last}")
    return f"a WebSocket client heard {heard['genre']} {seconds:.0f} s after the start"


def _states(port: int, service: subprocess.Popen[bytes], until: float) -> Iterator[dict[str, Any]]:
    """Yield the states that a client gets, until it is too late or the service has ended."""
    while time.monotonic() < until and service.poll() is None:
        with (
            contextlib.suppress(OSError, WebSocketException),
            connect(f"ws://127.0.0.1:{port}/ws", open_timeout=60) as client,
        ):
            while (left := until - time.monotonic()) > 0:
                document = json.loads(client.recv(left))
                if document["type"] == "state":
                    yield document
        time.sleep(0.5)
