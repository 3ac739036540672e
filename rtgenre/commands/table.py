"""The commands in the order of the help, with their modules, summaries and examples.

A module has the rest: ``add_arguments`` says what the command takes, ``main`` does it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command of ``rtgenre``."""

    words: str
    """What follows ``rtgenre``: ``tag``, or ``config check``."""
    module: str
    """Of this package; it is imported when the command is asked for."""
    summary: str
    examples: str
    """Lines of its own help; the program's help has the first, and all of ``run``."""


GROUPS = {"config": "check or show the settings", "mqtt": "tidy up at the broker"}
"""The summaries of words that more than one command may begin with."""

COMMANDS = (
    Command(
        "run",
        "run",
        "listen and publish the genre",
        """\
  rtgenre run                               listen to the default input
  rtgenre run --source "USB Audio"          listen to a device, by part of its name
  rtgenre run song.mp3                      play a file through, in real time
  rtgenre run --speed max *.flac --json     as fast as possible, one JSON document per window
  rtgenre run https://example.org/radio     listen to a stream
  arecord -f cd | rtgenre run -             listen to raw PCM on standard input
  rtgenre run --mqtt-host homeassistant.local
""",
    ),
    Command(
        "demo",
        "demo",
        "listen to four free recordings in a loop",
        """\
  rtgenre demo                              hear four free recordings, on any machine
""",
    ),
    Command(
        "init",
        "init",
        "ask what is there, and write a settings file",
        """\
  rtgenre init                              ask what is there, and write a settings file
  rtgenre init --yes --source "USB Audio" --name Kitchen --mqtt-host broker
""",
    ),
    Command(
        "hub",
        "hub",
        "show what every rtgenre publishes to a broker, without listening",
        """\
  rtgenre hub --mqtt-host broker            one page and one history for the rooms of all machines
""",
    ),
    Command(
        "devices",
        "devices",
        "list the input devices",
        """\
  rtgenre devices                           list the input devices
  rtgenre devices --json                    the same for programs
""",
    ),
    Command(
        "classify",
        "classify",
        "say what files are, over time and overall",
        """\
  rtgenre classify ~/Music/album            say what files are, over time and overall
  rtgenre classify --json *.flac            one JSON document per file
""",
    ),
    Command(
        "tag",
        "tag",
        "make a table of what the songs of a library are",
        """\
  rtgenre tag ~/Music --output tags.csv     say what all songs of a library are, on all cores
  rtgenre tag ~/Music --output tags.jsonl --sample 60   hear a minute of each song
  rtgenre tag ~/Music --output tags.parquet --scheduler tcp://nas:8786
""",
    ),
    Command(
        "learn",
        "learn",
        "learn own genres from folders of songs",
        """\
  rtgenre learn ~/Music/genres              learn one genre from each folder in it
  rtgenre learn --keep ~/Music/genres       add them to the genres that it knows
  rtgenre learn --name party ~/Music/party  make a model of another name than mine
""",
    ),
    Command(
        "models",
        "models",
        "list models, or remove own ones",
        """\
  rtgenre models                            list the models, and what they know
  rtgenre models --remove mine              remove one that was learnt
""",
    ),
    Command(
        "history",
        "history",
        "print or draw what was heard",
        """\
  rtgenre history                           print what was heard in the last seven days
  rtgenre history --since 24h --csv         the last day as comma-separated values
  rtgenre history --plot week.png           draw the last seven days
  rtgenre history --genre jazz --since yesterday   when something was called jazz, and what
""",
    ),
    Command(
        "teach",
        "teach",
        "tell the running service what is playing, and keep what was taught",
        """\
  rtgenre teach jazz                        tell the running service what is playing
  rtgenre teach "drum-and-bass" --node den  a new genre, and which room
  rtgenre teach --export taught.jsonl       keep all that was taught in one file
  rtgenre teach --import taught.jsonl       and take it in again, here or elsewhere
""",
    ),
    Command(
        "doctor",
        "doctor",
        "try everything that run needs",
        """\
  rtgenre doctor                            try everything, and say what to do about what fails
  rtgenre doctor --source "USB Audio"       try another input than the configured one
  rtgenre doctor --hub                      try what `rtgenre hub` needs: the broker alone
""",
    ),
    Command(
        "bench",
        "bench",
        "measure speed and memory on this machine",
        """\
  rtgenre bench                             measure this machine; takes two minutes
""",
    ),
    Command(
        "config check",
        "config_check",
        "say whether the settings can be used",
        """\
  rtgenre config check                      say whether the settings here can be used
  rtgenre config check --config FILE        or those of another file
""",
    ),
    Command(
        "config show",
        "config_show",
        "print every setting and where it comes from, secrets masked",
        """\
  rtgenre config show                       print every setting and where it comes from
""",
    ),
    Command(
        "mqtt remove-discovery",
        "discovery",
        "take devices away from Home Assistant",
        """\
  rtgenre mqtt remove-discovery             take the devices away from Home Assistant
  rtgenre mqtt remove-discovery kitchen     only that of one room
""",
    ),
    Command(
        "completion",
        "completion",
        "print what lets a shell complete commands and flags",
        """\
  rtgenre completion bash > ~/.local/share/bash-completion/completions/rtgenre
  rtgenre completion zsh > ~/.zfunc/_rtgenre       with fpath+=~/.zfunc before compinit in ~/.zshrc
  rtgenre completion fish > ~/.config/fish/completions/rtgenre.fish
""",
    ),
)
