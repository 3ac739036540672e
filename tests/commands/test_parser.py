import subprocess
import sys
from pathlib import Path

import pytest

from rtgenre import commands
from rtgenre.commands.parser import build_parser, parse
from rtgenre.commands.table import COMMANDS

HEAVY = {"numpy", "pydantic", "asyncio", "rich", "soundfile", "sounddevice", "websockets"}


def help_of(words, capsys, *, only=None):
    with pytest.raises(SystemExit):
        build_parser(only).parse_args([*words, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_what_needs_no_command_imports_nothing_heavy(flag):
    program = (
        "import sys\nfrom rtgenre.cli import main\n"
        f"try: main(['{flag}'])\n"
        "except SystemExit: print('modules', *sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = {name.split(".")[0] for name in result.stdout.rpartition("modules")[2].split()}
    assert "argparse" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_a_command_has_all_its_options_when_only_it_is_asked_for(command, capsys):
    words = command.words.split()
    alone = help_of(words, capsys, only=words)
    assert "--config FILE" in alone or words == ["completion"]
    assert alone == help_of(words, capsys)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "run --sorce hall.wav",
            "run: error: it does not take --sorce; did you mean --source? 'rtgenre run --help'",
        ),
        (
            "history report --every=3",
            "history: error: it does not take report --every=3; 'rtgenre history --help'",
        ),
    ],
)
def test_what_a_command_does_not_take_is_told_in_its_name_with_what_was_meant(line, told, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"rtgenre {told} lists what it takes\n"


@pytest.mark.parametrize(
    ("line", "argument", "found"),
    [
        ("run a.wav --json b.wav --speed max c.wav", "inputs", ["a.wav", "b.wav", "c.wav"]),
        ("tag jazz --output tags.csv rock", "places", ["jazz", "rock"]),
        ("classify --json a.wav --hop-seconds 2 b.wav", "files", [Path("a.wav"), Path("b.wav")]),
    ],
)
def test_files_may_stand_on_both_sides_of_a_flag(line, argument, found):
    assert getattr(parse(line.split()), argument) == found


@pytest.mark.parametrize(
    "words",
    [
        ["classify", ""],
        ["tag", "", "--output", "tags.csv"],
        ["learn", ""],
        ["history", "--plot", ""],
    ],
    ids=lambda words: words[0],
)
def test_an_empty_name_is_not_taken_for_the_current_folder(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert "an empty name was given" in capsys.readouterr().err


def test_every_module_that_is_a_command_can_be_called():
    folder = Path(commands.__file__).parent
    found = {
        path.stem
        for path in folder.glob("*.py")
        if "\ndef main(options: " in path.read_text(encoding="utf-8")
    }
    assert found == {command.module for command in COMMANDS}
