"""Questions in the terminal, each asked again until its answer can be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rtgenre.config import SourceConfig
from rtgenre.errors import RtgenreError
from rtgenre.outputs.words import source_name
from rtgenre.sources.base import SourceError
from rtgenre.sources.devices import InputDevice, choose_device
from rtgenre.sources.file import FileSource
from rtgenre.sources.names import told_path
from rtgenre.sources.open import open_source
from rtgenre.sources.portaudio import list_input_devices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Answer = TypeVar("Answer")


def say(text: str) -> None:
    """Print a line of the conversation."""
    print(text)


def ask(question: str, default: str, accept: Callable[[str], Answer]) -> Answer:
    """Ask until ``accept`` takes the answer, and return what it makes of it.

    Raises:
        EOFError: there are no more answers.
    """
    while True:
        answer = input(f"{question}{f' [{default}]' if default else ''}: ").strip() or default
        try:
            return accept(answer)
        except RtgenreError as error:
            say(f"  {error}")


def wants(question: str) -> bool:
    """Ask something that is done only after a clear yes."""
    return input(f"{question} [y/N]: ").strip().casefold() in {"y", "yes"}


def ask_for_input() -> str:
    """Ask what to listen to, and return it as ``[source] input`` has it."""
    try:
        devices = list_input_devices()
    except SourceError as error:
        say(f"  {error}")
        devices = []
    # "default" is one of ALSA's devices; where it is the default input, that is offered already.
    offered = [each for each in devices if not (each.is_default and each.name == "default")]
    say("What should it listen to?")
    choices = {"1": ""} | {
        str(number): _selector(device, devices) for number, device in enumerate(offered, start=2)
    }
    say("  1  the default input" + ("" if devices else ": there is none yet, so a demo plays"))
    for number, device in zip(list(choices)[1:], offered, strict=True):
        remark = "  (what this machine plays)" if device.is_monitor else ""
        say(f"  {number}  {source_name(f'device: {device.name}')}{remark}")

    def accept(answer: str) -> str:
        if answer in choices:
            return choices[answer]
        if answer.isdecimal():
            raise SourceError(f"there is no {answer}; the numbers go from 1 to {len(choices)}")
        source = open_source(SourceConfig(input=answer))
        if not isinstance(source, FileSource):
            return answer
        try:
            path = Path(answer).expanduser().absolute()
            found = path.exists()
        except (OSError, RuntimeError) as error:
            raise SourceError(f"{told_path(answer)} cannot be looked for: {error}") from None
        if not found:
            raise SourceError(f"there is no {path}")
        return str(path)

    return ask("A number, or a file, a folder or the address of a stream", "1", accept)


def _selector(device: InputDevice, devices: Sequence[InputDevice]) -> str:
    """Return what means this device, after a restart too if its name is its own."""
    for name in (device.stable_name, device.name):
        try:
            if choose_device(devices, name) is device:
                return name
        except SourceError:
            continue
    return str(device.index)
