"""Completion as the shells do it: each reads the script and is asked what could follow."""

import contextlib
import functools
import shutil
import subprocess

import pytest

from rtgenre.cli import main

BASH = """
source {script}
COMP_WORDS=({words} "{last}")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE="{words} {last}"
COMP_POINT=${{#COMP_LINE}}
$(complete -p rtgenre | sed -E 's/.*-F ([^ ]+).*/\\1/') rtgenre "{last}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=({script.parent} $fpath); autoload -U compinit; compinit -u -D; print READY'
zpty -r -m z line '*READY*READY*'
zpty -w -n z '{words} {last}'$'\\t\\t'
repeat 300 {{ zpty -r -t z part && found+=$part; sleep 0.1; [[ $found == *{wanted}* ]] && break }}
print -r -- $found
zpty -d z
"""
"""Tab is pressed in a terminal of its own: zsh has no other way to ask."""

CASES = [
    ("rtgenre", "de", "demo"),
    ("rtgenre", "in", "init"),
    ("rtgenre run", "--mqtt-h", "--mqtt-host"),
    ("rtgenre config", "sh", "show"),
    ("rtgenre completion", "fi", "fish"),
    ("rtgenre classify", "so", "song.flac"),
    ("rtgenre run", "so", "song.flac"),
]
PATHS = [
    ("rtgenre run --source", "so", "song.flac"),
    ("rtgenre tag", "so", "song.flac"),
    ("rtgenre learn", "so", "song.flac"),
]
"""Asked of one shell, the quickest: the others are told of paths in the same way."""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Write the script for a shell, under the name by which zsh finds it."""

    def write(shell):
        path = tmp_path_factory.mktemp(shell) / "_rtgenre"
        with path.open("w") as file, contextlib.redirect_stdout(file):
            assert main(["completion", shell]) == 0
        return path

    return functools.cache(write)


@pytest.fixture
def shell(tmp_path):
    def run(*command):
        assert shutil.which(command[0]), f"{command[0]} is not installed: make test installs it"
        (tmp_path / "songs").mkdir(exist_ok=True)
        (tmp_path / "songs" / "song.flac").touch()
        result = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path / "songs",
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb"},
        )
        return result.stdout + result.stderr

    return run


@pytest.mark.parametrize(("words", "last", "wanted"), CASES + PATHS)
def test_bash_completes(script, shell, words, last, wanted):
    text = BASH.format(script=script("bash"), words=words, last=last)
    assert wanted in shell("bash", "--norc", "-c", text).split()


@pytest.mark.parametrize(("words", "last", "wanted"), CASES)
def test_fish_completes(script, shell, words, last, wanted):
    text = f"source {script('fish')}; complete -C '{words} {last}'"
    found = [line.split("\t")[0] for line in shell("fish", "-N", "-c", text).splitlines()]
    assert wanted in found


@pytest.mark.parametrize(("words", "last", "wanted"), CASES)
def test_zsh_completes(script, shell, words, last, wanted):
    text = ZSH.format(script=script("zsh"), words=words, last=last, wanted=wanted)
    assert wanted in shell("zsh", "-f", "-c", text)
