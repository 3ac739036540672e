import os
import subprocess
import sys

TALK = """
import logging, os, sys, threading
from rtgenre.config import Config
from rtgenre.monitoring.logs import set_up_logging
from rtgenre.model.standard_error import quiet_libraries
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
from rtgenre.model.standard_error import quiet_libraries
with quiet_libraries():
    print("opened")
"""

TWO_DECODERS = """
import os, threading
from rtgenre.model.standard_error import keep_messages, quiet_below
keep_messages()
inside, leave = threading.Event(), threading.Event()
def decode():
    with quiet_below():
        inside.set()
        leave.wait()
with quiet_below():
    thread = threading.Thread(target=decode)
    thread.start()
    inside.wait()
os.write(2, b"noise while the other still decodes\\n")
leave.set()
thread.join()
os.write(2, b"said later\\n")
"""

LOADED = """
import rtgenre
print(rtgenre.load_model(taught=False).info.name)
"""

LOADED_AT_ONCE = """
import os, threading
from ai_edge_litert import interpreter
from rtgenre.model.classifier import LiteRtNetwork
from rtgenre.model.folders import find_model_folder
path = find_model_folder("crnn") / "model.tflite"
loading = threading.Event()
class Interpreter(interpreter.Interpreter):
    def __init__(self, *arguments, **keywords):
        if threading.current_thread() is second:
            loading.set()
            first.join()
        else:
            loading.wait()
        super().__init__(*arguments, **keywords)
interpreter.Interpreter = Interpreter
first, second = (threading.Thread(target=LiteRtNetwork, args=(path, 1)) for _ in range(2))
first.start()
second.start()
second.join()
os.write(2, b"said later\\n")
"""

EMBEDDED = """
import os
from rtgenre.model.standard_error import quiet_below
with quiet_below():
    os.write(2, b"of the program itself\\n")
"""

READOUT = """
import asyncio, io, os
from rtgenre.messages.hub import Hub
from rtgenre.outputs.terminal import TerminalOutput
from rtgenre.model.standard_error import keep_messages
keep_messages()
async def main():
    task = asyncio.create_task(TerminalOutput("live", colors={}, stream=io.StringIO()).run(Hub()))
    await asyncio.sleep(0)
    os.write(2, b"PortAudio, of an unplugged device\\n")
    task.cancel()
    await asyncio.wait([task])
asyncio.run(main())
os.write(2, b"said later\\n")
"""


def _run(program, *, options="", ending=""):
    command = ["sh", "-c", f'exec {sys.executable} {options} -c "$PROGRAM" {ending}']
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


def test_a_program_that_opens_a_device_is_told_of_nothing_that_was_left_open():
    assert _run(OPEN, options="-W always").stderr == ""


def test_standard_error_comes_back_when_the_last_of_several_decoders_is_done():
    assert _run(TWO_DECODERS).stderr == "said later\n"


def test_with_standard_error_closed_a_program_loads_a_model_all_the_same():
    assert _run(LOADED, ending="2>&-").stdout == "crnn\n"


def test_standard_error_comes_back_after_two_threads_loaded_models_at_once():
    assert _run(LOADED_AT_ONCE).stderr == "said later\n"


def test_a_program_that_embeds_rtgenre_keeps_what_it_writes_while_a_file_is_read():
    assert _run(EMBEDDED).stderr == "of the program itself\n"


def test_what_libraries_write_does_not_tear_the_readout_apart():
    assert _run(READOUT).stderr == "said later\n"
