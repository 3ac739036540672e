"""What OpenBLAS's helper threads do in a program that imports rtgenre as a library."""

from __future__ import annotations

import os
import subprocess
import sys

_PROGRAM = """
import time
{setup}
def helpers():
    return time.process_time() - time.thread_time()
{call}
time.sleep(0.3)
before = helpers()
for _ in range(5):
    {call}
    time.sleep(0.05)
print(helpers() - before)
"""


def helpers_are_idle(setup: str, call: str) -> bool:
    """Say whether five calls leave the helper threads asleep.

    Each of them that is woken waits for more in a busy loop, for a tenth of a second or until the
    next call.
    """
    environment = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(setup=setup, call=call)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout) < 0.02
