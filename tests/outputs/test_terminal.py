import asyncio
import contextlib
import errno
import io
import json
import os

from rich.console import Console

from rtgenre.config import GENRE_COLORS
from rtgenre.hub import Hub
from rtgenre.outputs.terminal import Readout, TerminalOutput
from rtgenre.types import PlayState
from tests.documents import a_state, a_status


async def print_all(output_format, documents, stream=None):
    stream = stream or io.StringIO()
    hub = Hub()
    output = TerminalOutput(output_format, colors=GENRE_COLORS, stream=stream)
    task = asyncio.create_task(output.run(hub))
    await asyncio.sleep(0)
    for document in documents:
        hub.publish(document)
        await hub.taken_by_patient()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return stream.getvalue()


def draw(documents, width=100):
    readout = Readout(GENRE_COLORS)
    for document in documents:
        readout.update(document)
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(readout.render())
    return console.file.getvalue()


async def test_plain_output_prints_a_line_per_change_and_nothing_between():
    genres = ["jazz", "jazz", "rock", "rock"]
    documents = [a_state(i, genre=genre, confidence=0.8) for i, genre in enumerate(genres)]
    documents += [a_state(4, state=PlayState.SILENCE), a_state(5, state=PlayState.UNKNOWN)]
    text = await print_all("plain", documents)
    lines = text.splitlines()
    assert [line.split()[2] for line in lines] == ["jazz", "rock", "silence", "unknown"]
    assert "80%" in lines[0]
    assert "-20 dBFS" in lines[0]


async def test_plain_output_keeps_rooms_apart():
    documents = [a_state(0), a_state(0, genre="rock", node="bath"), a_state(1)]
    text = await print_all("plain", documents)
    assert [line.split()[1:3] for line in text.splitlines()] == [
        ["den", "jazz"],
        ["bath", "rock"],
    ]


async def test_json_output_is_every_document_unchanged():
    documents = [a_state(i) for i in range(50)]
    text = await print_all("json", documents)
    assert [json.loads(line) for line in text.splitlines()] == documents


class FullDisk(io.StringIO):
    """Has no space left for the first few lines."""

    def __init__(self, n_lines):
        super().__init__()
        self._n_lines = n_lines

    def flush(self):
        if self._n_lines:
            self._n_lines -= 1
            self.seek(0)
            self.truncate()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_disk_that_is_full_for_a_while_only_misses_lines_and_is_said_once(caplog):
    caplog.set_level("INFO")
    documents = [a_state(i) for i in range(6)]
    text = await print_all("json", documents, FullDisk(n_lines=4))
    assert [json.loads(line) for line in text.splitlines()] == documents[4:]
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "standard output cannot be written",
        "standard output is written again",
    ]


async def test_live_output_shows_the_genre():
    assert "JAZZ" in await print_all("live", [a_state()])


def test_the_readout_shows_what_a_person_wants_to_see():
    clipping = a_state(45, genre="jazz", confidence=0.8) | {"clipped_samples": 3}
    text = draw([a_state(genre="rock"), clipping])
    assert " JAZZ   80%  for 1:30" in text
    assert text.count("█") == 8 + 32 + 0
    assert "-20 dBFS  clipping" in text
    assert "rock → " in text
    assert "den · a test" in text


def test_the_readout_says_why_nothing_is_heard():
    lost = a_status("USB is unplugged")
    assert "USB is unplugged" in draw([lost])
    assert "! USB is unplugged" in draw([a_state(), lost])
    assert "unplugged" not in draw([a_state(), lost, a_status(None)])


def test_silence_and_unknown_are_shown_as_such():
    assert " SILENCE " in draw([a_state(state=PlayState.SILENCE)])
    assert " UNKNOWN " in draw([a_state(state=PlayState.UNKNOWN)])
