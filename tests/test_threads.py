from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from rtgenre.threads import DaemonThreads


async def test_results_and_errors_come_back_to_the_loop():
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    assert await asyncio.to_thread(lambda: threading.current_thread().daemon)
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)


def test_a_blocked_thread_does_not_keep_the_process_from_ending():
    script = (
        "import asyncio, threading\n"
        "from rtgenre.threads import DaemonThreads\n"
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    loop.set_default_executor(DaemonThreads())\n"
        "    loop.run_in_executor(None, threading.Event().wait)\n"
        "asyncio.run(main())\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert finished.returncode == 0
