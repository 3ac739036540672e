import asyncio
import contextlib
import errno
import io
import json
import os
import re
import threading

import pytest
from rich.console import Console

from rtgenre.messages.hub import Hub
from rtgenre.outputs import terminal
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.outputs.readout import Readout
from rtgenre.outputs.room_stack import stack
from rtgenre.outputs.terminal import TerminalOutput
from rtgenre.types import PlayState, UnknownReason
from tests.documents import a_state, a_status


async def print_all(output_format, documents, stream=None):
    stream = stream or io.StringIO()
    hub = Hub()
    output = TerminalOutput(output_format, colors=GENRE_COLORS, stream=stream)
    task = asyncio.create_task(output.run(hub))
    await asyncio.sleep(0)
    for document in documents:
        hub.publish(document)
        await hub.taken_by_lossless()
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


@pytest.mark.parametrize(("genre", "letters"), [("rock", "#ffffff"), ("jazz", "#000000")])
def test_the_shown_genre_can_be_read_on_its_colour(genre, letters):
    readout = Readout(GENRE_COLORS)
    readout.update(a_state(0, genre=genre))
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    (shown, *_), *_ = console.render_lines(readout.render())
    assert shown.text.strip() == genre.upper()
    assert shown.style.color.get_truecolor().hex == letters


async def test_plain_output_prints_a_line_per_change_and_nothing_between():
    genres = ["jazz", "jazz", "rock", "rock"]
    documents = [a_state(i, genre=genre, confidence=0.8) for i, genre in enumerate(genres)]
    documents += [a_state(4, state=PlayState.SILENCE), a_state(5, state=PlayState.UNKNOWN)]
    text = await print_all("plain", documents)
    lines = text.splitlines()
    assert [line.split()[2] for line in lines] == ["jazz", "rock", "silence", "not"]
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


class StoppedTerminal(io.StringIO):
    """Takes nothing once it was asked to stop, as after Ctrl-S."""

    def __init__(self):
        super().__init__()
        self.is_stopped, self.let_go, self.entered = False, threading.Event(), threading.Event()
        self.held_up = False

    def isatty(self):
        return True

    def write(self, text):
        if self.is_stopped:
            self.entered.set()
            self.held_up = not self.let_go.wait(5)
        return super().write(text)


async def test_a_terminal_that_takes_nothing_holds_up_no_stop(monkeypatch):
    monkeypatch.setattr(terminal, "GOODBYE_SECONDS", 0.1, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    hub, stream = Hub(), StoppedTerminal()
    output = TerminalOutput("live", colors=GENRE_COLORS, stream=stream)
    task = asyncio.create_task(output.run(hub))
    await asyncio.sleep(0)
    stream.is_stopped = True
    hub.publish(a_state())
    assert await asyncio.to_thread(stream.entered.wait, 10)
    task.cancel()
    await asyncio.wait({task})
    assert not stream.held_up
    stream.let_go.set()


def test_the_readout_shows_what_a_person_wants_to_see():
    clipping = a_state(45, genre="jazz", confidence=0.8) | {"clipped_samples": 3}
    text = draw([a_state(genre="rock"), clipping])
    assert " JAZZ   80%  for 1:30" in text
    assert text.count("█") == 8 + 32 + 0
    assert "-20 dBFS  clipping" in text
    assert "rock → " in text
    assert "den · a test" in text


def lines_of(renderable, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    return console.file.getvalue().splitlines()


def ten_genres(document):
    """Return a document as the shipped model's are."""
    labels = [label for label in GENRE_COLORS if label not in {"unknown", "silence"}]
    probabilities = dict.fromkeys(labels, 0.02) | {"jazz": 0.7, "rock": 0.12}
    return document | {"probabilities": probabilities, "raw_probabilities": probabilities}


def a_room(node, *, n_changes=8):
    readout = Readout(GENRE_COLORS)
    for sequence in range(n_changes):
        genre = ("jazz", "rock")[sequence % 2]
        clipping = {"clipped_samples": 3, "title": "a title " * 20, "source": "device: default"}
        readout.update(ten_genres(a_state(sequence, node=node, genre=genre) | clipping))
    return readout


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 24), (60, 20), (40, 12), (80, 60)])
@pytest.mark.parametrize("n_rooms", [1, 3])
def test_rooms_fit_the_terminal_and_the_shown_genre_has_its_bar(n_rooms, width, height):
    names = ["kitchen", "lounge", "attic"][:n_rooms]
    lines = lines_of(stack([a_room(name) for name in names], width, height), width)
    assert len(lines) <= height - 1
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.count(" ROCK ") == n_rooms
    for name in names:
        assert name in text
    if height >= 24:
        assert sum(line.lstrip().startswith("rock ") for line in lines) == n_rooms


def test_more_rooms_than_lines_for_each_have_one_line_with_the_genre_and_the_name():
    names = [f"room{i}" for i in range(20)]
    lines = lines_of(stack([a_room(name) for name in names], 80, 24), 80)
    assert [line.split()[-1] for line in lines] == names


def a_hundred_rooms():
    rooms = [a_room(f"room{number}") for number in range(100)]
    rooms[42].update(a_status("unplugged", node="room42"))
    rooms[17].update(a_status(None, hint="too slow: 12 % of windows skipped", node="room17"))
    return rooms


def test_of_a_hundred_rooms_those_that_need_attention_stand_above_and_the_others_take_turns():
    rooms, seen = a_hundred_rooms(), set()
    for page in range(5):
        lines = lines_of(stack(rooms, 80, 24, page=page), 80)
        assert len(lines) <= 23
        assert max(map(len, lines)) <= 80
        assert "room42  ! unplugged" in lines[0]
        assert "room17  too slow: 12 %" in lines[1]
        assert lines[-1].strip() == f"100 rooms, page {page + 1} of 5 · 2 need attention"
        shown = [re.search(r"room\d+", line).group() for line in lines[2:-1]]
        assert shown == sorted(shown, key=lambda name: int(name[4:]))
        assert not seen & set(shown)
        seen |= set(shown)
    assert len(seen) == 98
    assert lines_of(stack(rooms, 80, 24, page=5), 80)[5] == lines_of(stack(rooms, 80, 24), 80)[5]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 3), (20, 5), (200, 60)])
def test_rooms_that_all_need_attention_still_fit(width, height):
    rooms = [a_room(f"room{number}") for number in range(100)]
    for room in rooms:
        room.update(a_status("unplugged"))
    assert len(lines_of(stack(rooms, width, height), width)) <= height - 1


class Screen(io.StringIO):
    def isatty(self):
        return True


async def test_many_rooms_are_not_drawn_anew_for_each_window_and_the_last_is_drawn_in_the_end(
    monkeypatch,
):
    monkeypatch.setenv("TERM", "xterm")
    stream, hub = Screen(), Hub()
    output = TerminalOutput("live", colors=GENRE_COLORS, stream=stream)
    task = asyncio.create_task(output.run(hub))
    await asyncio.sleep(0)
    drawn = []
    for sequence in range(4):
        for number in range(20):
            genre = "jazz" if sequence < 3 else "metal"
            hub.publish(a_state(sequence, genre=genre, node=f"room{number}"))
            await hub.taken_by_lossless()
            drawn.append(len(stream.getvalue()))
    assert len(set(drawn)) < 40
    async with asyncio.timeout(30):
        while stream.getvalue().count("METAL") < 20:
            await asyncio.sleep(0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_what_was_before_is_called_as_it_was_shown():
    reasons = (UnknownReason.NOT_MUSIC, UnknownReason.UNSURE)
    unknown = [a_state(i, state=PlayState.UNKNOWN, reason=each) for i, each in enumerate(reasons)]
    assert re.search(r"recent \S+ no music → \S+ jazz\n", draw([*unknown, a_state(2)]))


def test_a_wide_terminal_shows_every_genre_and_how_likely_there_is_no_music():
    text = "\n".join(lines_of(a_room("den").render(100, 40), 100))
    for label in ("blues", "hiphop", "rock", "other music", "no music"):
        assert f"{label} " in text


def test_the_readout_says_why_nothing_is_heard():
    lost = a_status("USB is unplugged")
    assert "USB is unplugged" in draw([lost])
    assert "! USB is unplugged" in draw([a_state(), lost])
    assert "unplugged" not in draw([a_state(), lost, a_status(None)])


def test_a_room_that_was_never_heard_is_named_beside_its_problem():
    room = Readout({}, "Bad Süd")
    room.update(a_status("USB is missing"))
    assert lines_of(room.render(80, 10), 80) == ["Bad Süd  ! USB is missing"]
    room.update(a_status(None))
    assert lines_of(room.render(80, 10), 80) == ["Bad Süd  listening for the first window …"]


def test_in_silence_and_without_music_no_number_and_no_bar_names_a_genre():
    hum = a_state(state=PlayState.UNKNOWN, reason=UnknownReason.NOT_MUSIC)
    for document in (a_state(state=PlayState.SILENCE), hum | {"music_probability": 0.1}):
        text = draw([document])
        genres = text.partition("no music")[0]
        assert "%" not in genres
        assert "█" not in genres
    assert "90%" in text


def test_bars_leave_room_for_music_of_other_genres():
    text = draw([a_state(confidence=0.5, familiar=0.6)])
    shares = {line.strip()[:5]: line.split()[-1] for line in text.splitlines() if "%" in line}
    assert (shares["jazz "], shares["other"]) == ("30%", "40%")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not_music", " NO MUSIC "),
        ("unfamiliar", " UNKNOWN   music, but none of my genres"),
        ("unsure", " NOT SURE YET   perhaps jazz, 70%"),
    ],
)
async def test_why_no_genre_is_named_is_said_in_words(reason, words):
    document = a_state(state=PlayState.UNKNOWN) | {"reason": reason}
    assert words in draw([document])
    line = await print_all("plain", [document])
    assert words.strip().lower().replace("   ", "  ") in line


async def test_plain_output_says_which_file_plays():
    titles = ["a.flac", "a.flac", "b.flac"]
    documents = [a_state(i) | {"title": title} for i, title in enumerate(titles)]
    lines = (await print_all("plain", documents)).splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == [
        "playing a.flac",
        "jazz  70%  (-20 dBFS)",
        "playing b.flac",
    ]


def test_the_readout_names_the_room_the_input_and_what_plays_in_words():
    readout = Readout(GENRE_COLORS, "Küche")
    readout.update(
        a_state() | {"source": "device: default", "title": "So What", "artist": "Miles Davis"}
    )
    assert "Küche · default input · Miles Davis - So What" in "\n".join(
        lines_of(readout.render(), 80)
    )


async def test_a_hint_is_said_without_alarm():
    hint = a_status(None, hint="is it muted?")
    assert "\nis it muted?" in draw([a_state(), hint])
    assert "muted" not in draw([a_state(), hint, a_status(None)])
    assert "is it muted?" in await print_all("plain", [hint])


def test_silence_and_unknown_are_shown_as_such():
    assert " SILENCE " in draw([a_state(state=PlayState.SILENCE)])
    unfamiliar = a_state(state=PlayState.UNKNOWN, reason=UnknownReason.UNFAMILIAR)
    assert " UNKNOWN " in draw([unfamiliar])


def test_of_an_input_that_is_gone_no_genre_stays_in_the_readout():
    text = draw([a_state(), a_status("it has ended", gone=True)])
    assert "it has ended" in text
    assert "jazz" not in text.lower()


async def test_plain_output_says_once_that_an_input_is_lost_and_names_the_genre_anew():
    lost, gone = a_status("lost"), a_status("lost", gone=True)
    documents = [a_state(1), lost, gone, a_status(None), a_state(2)]
    lines = (await print_all("plain", documents)).splitlines()
    assert [line.split()[2] for line in lines] == ["jazz", "lost", "input", "jazz"]
