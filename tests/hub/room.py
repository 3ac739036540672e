"""A room that can be taught, with a service of its own, and what is asked over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Self

from rtgenre.learning.taught.notebook import Notebook
from rtgenre.service import teacher as teacher_module
from rtgenre.service.service import Service
from tests.networks import hearing_classifier, write_hearing_examples
from tests.outputs.mqtt.test_smarthome import settings
from tests.outputs.web.test_server import answer
from tests.signals import noise, tone
from tests.sources_in_memory import HandSource


class Room:
    """A room that can be taught, and publishes to a broker."""

    def __init__(self, folder, port, monkeypatch, **tables):
        monkeypatch.setattr(teacher_module, "LOOK_EVERY_SECONDS", 0.05)
        folder.mkdir(exist_ok=True)
        write_hearing_examples(folder)
        tables = {"websocket": {"enabled": False}} | tables
        config = settings(port, **tables)
        self.node = config.source[0].node
        self.source = HandSource()
        classifier = hearing_classifier()
        notebook = Notebook(folder / "taught.db", classifier.info, folder)
        teaches = config.teach.enabled
        self.service = Service(
            config, classifier, [(config.source[0], self.source)], notebook if teaches else None
        )
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.service.run(self._stop))
        self._playing = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, *exc_info):
        self._playing.cancel()
        self._stop.set()
        await self._running

    @property
    def port(self) -> int:
        """Where its own page is."""
        return self.service._web_socket.port

    async def _play(self):
        """Play a low sound, some times as fast as it would be heard."""
        captured_at = 1000.0
        while True:
            captured_at += 2.0
            sound = tone(700.0, 2) + noise(2, amplitude=0.003)
            self.source.play(sound, captured_at=captured_at)
            await asyncio.sleep(0.5)


async def ask(port: int, what: str, body: bytes = b"", token: str = "") -> tuple[int, Any]:
    """Ask a service or a hub over HTTP; return the status and the JSON, or the text."""
    method, target = what.split()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    status, _, found = await answer(reader, writer)
    with contextlib.suppress(ValueError):
        return status, json.loads(found)
    return status, found.decode()
