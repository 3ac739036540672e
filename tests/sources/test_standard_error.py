import os
import subprocess
import sys

TALK = """
import logging, os, sys, threading
from rtgenre.config import Config
from rtgenre.monitoring.logs import set_up_logging
from rtgenre.sources.standard_error import quiet_libraries
set_up_logging(Config())
log = logging.getLogger("rtgenre")
with quiet_libraries():
    thread = threading.Thread(target=log.warning, args=("said meanwhile",))
    thread.start()
    thread.join()
    os.write(2, b"a library's noise\\n")
os.write(2, b"said later\\n")
"""

OPEN = """
from rtgenre.sources.standard_error import quiet_libraries
with quiet_libraries():
    print("opened")
"""


def _run(program, *, ending=""):
    command = ["sh", "-c", f'exec {sys.executable} -c "$PROGRAM" {ending}']
    environment = os.environ | {"PROGRAM": program}
    return subprocess.run(
        command, check=True, env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_message_of_another_thread_is_not_lost_while_a_device_opens():
    first, second = _run(TALK).stderr.splitlines()
    assert first.endswith("WARNING said meanwhile")
    assert second == "said later"


def test_with_standard_error_closed_a_device_opens_all_the_same():
    assert _run(OPEN, ending="2>&-").stdout == "opened\n"
