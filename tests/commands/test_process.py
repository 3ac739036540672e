"""How a command runs in its process."""

import asyncio
import os
import signal
import threading

import pytest

from rtgenre.commands.process import until_stopped
from rtgenre.config import Config

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")


class Service:
    """Runs until it is stopped, and keeps the settings that it is given."""

    def __init__(self):
        self.runs = asyncio.Event()
        self.given = asyncio.Queue()

    async def run(self, stop, terminal=None):
        self.runs.set()
        await stop.wait()
        return 0

    def reload(self, config):
        self.given.put_nowait(config)


async def test_a_service_goes_on_and_ends_while_a_disk_hangs_under_its_settings():
    service = Service()
    asked, disk = threading.Event(), threading.Event()

    def read():
        asked.set()
        disk.wait(20)
        return Config()

    running = asyncio.create_task(until_stopped(service, None, read))
    await service.runs.wait()
    os.kill(os.getpid(), signal.SIGHUP)
    assert await asyncio.to_thread(asked.wait, 10)
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        async with asyncio.timeout(10):
            assert await running == 0
        assert not disk.is_set()
        assert service.given.empty()
    finally:
        disk.set()


async def test_settings_that_may_not_be_read_any_more_leave_the_present_ones(caplog):
    service = Service()
    answers = [PermissionError(13, "Permission denied", "/home/me/config.toml"), Config()]

    def read():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    running = asyncio.create_task(until_stopped(service, None, read))
    await service.runs.wait()
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(10):
        while "the settings stay as they were" not in caplog.text:
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGHUP)
    assert await service.given.get() == Config()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
