"""A service that is killed keeps its history, but for what was not written yet."""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime

import websockets

from rtgenre.demo import DEMO_RECORDING
from rtgenre.history.store import read_stretches
from rtgenre.outputs.history import WRITE_EVERY_SECONDS
from tests.broker import free_port

EVERY_SECONDS = 3.0
SLACK_SECONDS = 2.0
"""What a busy machine may take to write."""
HEARD_SECONDS = 9.0

# The whole command line, that writes more often so that the test need not take minutes.
_RTGENRE = f"""
import sys
from rtgenre.cli import main
from rtgenre.outputs.history import HistoryOutput
HistoryOutput.__init__.__kwdefaults__["write_every_seconds"] = {EVERY_SECONDS}
sys.exit(main())
"""


async def hear(port, seconds):
    """Return the times of all windows, for so long."""
    times = []
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as client:
        while not times or times[-1] - times[0] < seconds:
            document = json.loads(await client.recv())
            if document["type"] == "state":
                times.append(datetime.fromisoformat(document["time"]).timestamp())
    return times


async def test_a_killed_service_has_lost_no_more_than_the_time_between_two_writes(tmp_path):
    file, port = tmp_path / "history.db", free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RTGENRE, "run", str(DEMO_RECORDING), "--loop", "--quiet"),
        *("--port", str(port), "--node", "den", "--hop-seconds", "0.25"),
        env=os.environ | {"RTGENRE_HISTORY__FILE": str(file), "PYTHONPATH": "."},
        stderr=asyncio.subprocess.PIPE,
    )
    while b"listening to" not in await process.stderr.readline():
        pass
    times = await hear(port, HEARD_SECONDS)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    stretches = read_stretches(file, 0, 4e9)
    assert {stretch.node for stretch in stretches} == {"den"}
    assert stretches[0].started_at <= times[0]
    assert stretches[-1].ended_at >= times[-1] - EVERY_SECONDS - SLACK_SECONDS
    # Nothing is missing in between, either.
    ends = [stretch.ended_at for stretch in stretches]
    assert all(s.started_at <= end + 1 for s, end in zip(stretches[1:], ends, strict=False))


def test_what_is_heard_is_written_every_minute():
    assert WRITE_EVERY_SECONDS <= 60
