"""The command line: ``rtgenre run | demo | init | devices | classify | history | doctor | …``."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

# OpenBLAS's helper threads spin between windows, which costs more than they save. Read on import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rtgenre import __version__
from rtgenre.commands.process import (
    escape_what_cannot_be_written,
    replace_closed_streams,
    run_in_event_loop,
)
from rtgenre.config import Config, ConfigError, foreign_config_file, load_config
from rtgenre.errors import RtgenreError, WrongSettings, first_cause
from rtgenre.monitoring.logs import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Sequence


EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
SHELLS = ("bash", "zsh", "fish")

_EXAMPLES = {
    "run": """\
  rtgenre run                               listen to the default input
  rtgenre run --source "USB Audio"          listen to a device, by part of its name
  rtgenre run song.mp3                      play a file through, in real time
  rtgenre run --speed max *.flac --json     as fast as possible, one JSON document per window
  rtgenre run https://example.org/radio     listen to a stream
  arecord -f cd | rtgenre run -             listen to raw PCM on standard input
  rtgenre run --mqtt-host homeassistant.local
""",
    "demo": """\
  rtgenre demo                              hear four free recordings, on any machine
""",
    "init": """\
  rtgenre init                              ask what is there, and write a settings file
  rtgenre init --yes --source "USB Audio" --name Kitchen --mqtt-host broker
""",
    "hub": """\
  rtgenre hub --mqtt-host broker            one page and one history for the rooms of all machines
""",
    "devices": """\
  rtgenre devices                           list the input devices
  rtgenre devices --json                    the same for programs
""",
    "classify": """\
  rtgenre classify ~/Music/album            say what files are, over time and overall
  rtgenre classify --json *.flac            one JSON document per file
""",
    "tag": """\
  rtgenre tag ~/Music --output tags.csv     say what all songs of a library are, on all cores
  rtgenre tag ~/Music --output tags.jsonl --sample 60   hear a minute of each song
  rtgenre tag ~/Music --output tags.parquet --scheduler tcp://nas:8786
""",
    "learn": """\
  rtgenre learn ~/Music/genres              learn one genre from each folder in it
  rtgenre learn --keep ~/Music/genres       add them to the genres that it knows
  rtgenre learn --name party ~/Music/party  make a model of another name than mine
""",
    "models": """\
  rtgenre models                            list the models, and what they know
  rtgenre models --remove mine              remove one that was learnt
""",
    "history": """\
  rtgenre history                           print what was heard in the last seven days
  rtgenre history --since 24h --csv         the last day as comma-separated values
  rtgenre history --plot week.png           draw the last seven days
""",
    "teach": """\
  rtgenre teach jazz                        tell the running service what is playing
  rtgenre teach "drum-and-bass" --node den  a new genre, and which room
""",
    "doctor": """\
  rtgenre doctor                            try everything, and say what to do about what fails
  rtgenre doctor --source "USB Audio"       try another input than the configured one
""",
    "bench": """\
  rtgenre bench                             measure this machine; takes two minutes
""",
    "check": """\
  rtgenre config check                      say whether the settings here can be used
  rtgenre config check --config FILE        or those of another file
""",
    "show": """\
  rtgenre config show                       print every setting and where it comes from
""",
    "remove-discovery": """\
  rtgenre mqtt remove-discovery             take the devices away from Home Assistant
  rtgenre mqtt remove-discovery kitchen     only that of one room
""",
    "completion": """\
  rtgenre completion bash > ~/.local/share/bash-completion/completions/rtgenre
  rtgenre completion zsh > ~/.zfunc/_rtgenre       with fpath+=~/.zfunc before compinit in ~/.zshrc
  rtgenre completion fish > ~/.config/fish/completions/rtgenre.fish
""",
}
"""Of each command, as its help shows them; the program's own help has the first of each."""

logger = logging.getLogger("rtgenre")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 (failed) or 2 (wrong usage)."""
    closed = replace_closed_streams()
    escape_what_cannot_be_written()
    options = _parser().parse_args(arguments)
    if "stdout" in closed and options.command is not _run:
        print("rtgenre: standard output is closed", file=sys.stderr)
        return EXIT_FAILED
    try:
        code = int(options.command(options))
        # While what goes wrong with it can still be explained.
        print(end="", flush=True)
    except BaseExceptionGroup as group:
        return _explain(first_cause(group))
    except (RtgenreError, OSError, KeyboardInterrupt) as error:
        return _explain(error)
    return code


def _explain(error: BaseException) -> int:
    """Say in one line what ended the program; anything unexpected keeps its traceback."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_OK
    if isinstance(error, OSError) and error.errno in {errno.EPIPE, errno.ENOSPC}:
        # Nothing more is said when Python flushes the output at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # Whoever read the output has left, as `head` does.
            return EXIT_OK
        print(f"rtgenre: the output is incomplete: {error.strerror}", file=sys.stderr)
        return EXIT_FAILED
    if not isinstance(error, RtgenreError):
        raise error
    for line in str(error).splitlines():
        print(f"rtgenre: {line}", file=sys.stderr)
    return EXIT_USAGE if isinstance(error, WrongSettings) else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rtgenre",
        description="Listens to music as it plays and says which genre it is.",
        epilog=_examples(*_EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rtgenre {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_demo(commands)
    _add_init(commands)
    _add_hub(commands)
    _add_devices(commands)
    _add_classify(commands)
    _add_tag(commands)
    _add_learn(commands)
    _add_models(commands)
    _add_history(commands)
    _add_teach(commands)
    _add_doctor(commands)
    _add_bench(commands)
    _add_config(commands)
    _add_mqtt(commands)
    _add_completion(commands)
    return parser


def _examples(*names: str) -> str:
    """Return the examples of one command, or the first of each of several and all of ``run``."""
    lines = [line for name in names for line in _EXAMPLES[name].splitlines()]
    if len(names) > 1:
        firsts = [_EXAMPLES[name].splitlines()[0] for name in names if name != "run"]
        lines = _EXAMPLES["run"].splitlines() + firsts
    return "\n".join(["examples:", *lines])


def _add_command(commands: Any, name: str, summary: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_examples(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings (default: rtgenre.toml, if it exists)"
    )
    parser.set_defaults(command=run)
    return parser


def _add_setting(parser: argparse.ArgumentParser, flag: str, key: str, **kwargs: Any) -> None:
    """Add a flag that overrides the setting ``table.key``."""
    if not kwargs.keys() & {"action", "choices", "metavar"}:
        kwargs["metavar"] = flag.removeprefix("--").replace("-", "_").upper()
    parser.add_argument(flag, dest=f"setting:{key}", default=None, **kwargs)


def _add_run(commands: Any) -> None:
    parser = _add_command(commands, "run", "listen and publish the genre", _run)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="short for --source")
    _add_run_settings(parser)
    _add_readout(parser)


def _add_demo(commands: Any) -> None:
    parser = _add_command(commands, "demo", "listen to four free recordings in a loop", _demo)
    _add_page(parser)
    _add_model(parser)
    _add_readout(parser)


def _add_init(commands: Any) -> None:
    parser = _add_command(commands, "init", "ask what is there, and write a settings file", _init)
    parser.add_argument("--yes", action="store_true", help="ask nothing; take flags and defaults")
    _add_source(parser)
    _add_node(parser)
    _add_setting(parser, "--name", "source.name", help="what people see in its place")
    _add_broker(parser)


def _add_readout(parser: argparse.ArgumentParser) -> None:
    _add_setting(
        parser,
        "--json",
        "terminal.format",
        action="store_const",
        const="json",
        help="print one JSON document per window",
    )
    _add_setting(
        parser,
        "--quiet",
        "terminal.format",
        action="store_const",
        const="off",
        help="print no readout",
    )


def _add_run_settings(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    _add_setting(parser, "--channel", "source.channel", help="mix, left, right or a number")
    _add_setting(parser, "--speed", "source.speed", choices=["realtime", "max"], help="of files")
    _add_setting(
        parser, "--loop", "source.loop", action="store_true", help="play files again and again"
    )
    _add_node(parser)
    _add_setting(parser, "--pcm-rate-hz", "source.pcm_rate_hz", help="of standard input: 44100")
    _add_setting(parser, "--pcm-channels", "source.pcm_channels", help="of standard input: 2")
    _add_setting(
        parser, "--pcm-format", "source.pcm_format", help="of standard input: s16le or f32le"
    )
    _add_setting(
        parser, "--hop-seconds", "windows.hop_seconds", help="time between windows: 0.25 to 4"
    )
    _add_model(parser)
    _add_page(parser)
    _add_broker(parser)
    _add_setting(
        parser, "--log-format", "log.format", choices=["text", "json"], help="of log messages"
    )


def _add_hub(commands: Any) -> None:
    parser = _add_command(
        commands, "hub", "show what every rtgenre publishes to a broker, without listening", _hub
    )
    _add_broker(parser)
    _add_page(parser)
    _add_readout(parser)


def _add_devices(commands: Any) -> None:
    parser = _add_command(commands, "devices", "list the input devices", _devices)
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def _add_classify(commands: Any) -> None:
    parser = _add_command(
        commands, "classify", "say what files are, over time and overall", _classify
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files or folders")
    _add_setting(parser, "--hop-seconds", "windows.hop_seconds", help="time between windows")
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document per file")


def _add_tag(commands: Any) -> None:
    parser = _add_command(commands, "tag", "make a table of what the songs of a library are", _tag)
    parser.add_argument("places", nargs="+", metavar="FOLDER", help="folders, files or URLs")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="table: .parquet, .csv or .jsonl"
    )
    parser.add_argument(
        "--sample", type=float, metavar="SECONDS", help="hear only so much of each song"
    )
    parser.add_argument(
        "--write-genre", action="store_true", help="write the genre into files that have none"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --write-genre: into all files"
    )
    parser.add_argument("--processes", type=int, metavar="NUMBER", help="default: one a core")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster to run on, as tcp://host:8786"
    )
    _add_setting(parser, "--hop-seconds", "windows.hop_seconds", help="time between windows")
    _add_model(parser)


def _add_learn(commands: Any) -> None:
    parser = _add_command(commands, "learn", "learn own genres from folders of songs", _learn)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds a folder per genre")
    parser.add_argument("--name", default="mine", help="of the model that is made: mine")
    parser.add_argument(
        "--keep", action="store_true", help="keep the genres that the model knows, and add to them"
    )
    _add_model(parser)


def _add_models(commands: Any) -> None:
    parser = _add_command(commands, "models", "list models, or remove own ones", _models)
    parser.add_argument("--remove", metavar="NAME", help="remove a model that was learnt")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def _add_history(commands: Any) -> None:
    parser = _add_command(commands, "history", "print or draw what was heard", _history)
    parser.add_argument(
        "--since", default="7d", metavar="TIME", help="30m, 12h, 7d, 2w or a date: 7d"
    )
    parser.add_argument("--until", metavar="TIME", help="the same; the default is now")
    parser.add_argument("--node", metavar="NAME", help="of this room only")
    parser.add_argument("--hub", action="store_true", help="what `rtgenre hub` kept")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON document")
    output.add_argument("--csv", action="store_true", help="print comma-separated values")
    output.add_argument("--plot", type=Path, metavar="FILE", help="draw to a PNG, SVG or PDF file")


def _add_teach(commands: Any) -> None:
    parser = _add_command(commands, "teach", "tell the running service what is playing", _teach)
    parser.add_argument("genre", metavar="GENRE", help="one that is known, or a new one")
    parser.add_argument("--node", metavar="NAME", help="the room; needed if there are several")
    _add_setting(parser, "--host", "websocket.host", help="where the service is: 127.0.0.1")
    _add_setting(parser, "--port", "websocket.port", help="and its port: 8765")


def _add_doctor(commands: Any) -> None:
    parser = _add_command(commands, "doctor", "try everything that run needs", _doctor)
    _add_source(parser)
    _add_model(parser)
    _add_broker(parser)


def _add_bench(commands: Any) -> None:
    parser = _add_command(commands, "bench", "measure speed and memory on this machine", _bench)
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def _add_config(commands: Any) -> None:
    parser = commands.add_parser("config", help="check or show the settings")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary, run in (
        ("check", "say whether the settings can be used", _config_check),
        ("show", "print every setting and where it comes from, secrets masked", _config_show),
    ):
        _add_run_settings(_add_command(actions, name, summary, run))


def _add_mqtt(commands: Any) -> None:
    parser = commands.add_parser("mqtt", help="tidy up at the broker")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    removal = _add_command(
        actions, "remove-discovery", "take devices away from Home Assistant", _remove_discovery
    )
    removal.add_argument(
        "nodes", nargs="*", metavar="NODE", help="those of the settings if none is given"
    )
    _add_broker(removal)


def _add_completion(commands: Any) -> None:
    parser = commands.add_parser(
        "completion",
        help="print what lets a shell complete commands and flags",
        description="Print what lets a shell complete commands and flags with the Tab key.",
        epilog=_examples("completion"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    parser.set_defaults(command=_completion)


def _add_source(parser: argparse.ArgumentParser) -> None:
    _add_setting(
        parser, "--source", "source.input", help="device, file, URL, or - for standard input"
    )


def _add_node(parser: argparse.ArgumentParser) -> None:
    _add_setting(parser, "--node", "source.node", help="name in messages and MQTT topics")


def _add_page(parser: argparse.ArgumentParser) -> None:
    _add_setting(parser, "--host", "websocket.host", help="address to serve on: 127.0.0.1")
    _add_setting(parser, "--port", "websocket.port", help="port to serve on: 8765")


def _add_broker(parser: argparse.ArgumentParser) -> None:
    _add_setting(
        parser,
        "--mqtt-host",
        "mqtt.host",
        metavar="HOST",
        help="broker or broker:port; off if none",
    )
    _add_setting(parser, "--mqtt-port", "mqtt.port", help="broker's port: 1883")
    _add_setting(
        parser,
        "--mqtt-username",
        "mqtt.username",
        help="login at the broker; password: RTGENRE_MQTT__PASSWORD",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    _add_setting(
        parser, "--model", "model.folder", metavar="DIR", help="model name or folder: crnn"
    )


def _config(options: argparse.Namespace) -> Config:
    return load_config(options.config, _flags(options))


def _config_with_logging(options: argparse.Namespace) -> Config:
    config = _config(options)
    set_up_logging(config)
    foreign = foreign_config_file() if options.config is None else None
    if foreign is not None:
        logger.debug("%s is another program's and not read", foreign)
    return config


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for name, value in vars(options).items():
        if name.startswith("setting:") and value is not None:
            table, key = name.removeprefix("setting:").split(".")
            flags.setdefault(table, {})[key] = value
    inputs = getattr(options, "inputs", [])
    if inputs:
        if "input" in flags.get("source", {}):
            raise ConfigError(
                f"both --source {flags['source']['input']} and {inputs[0]} were given; give one"
            )
        flags.setdefault("source", {})["input"] = inputs[0] if len(inputs) == 1 else inputs
    return flags


def _hub(options: argparse.Namespace) -> int:
    from rtgenre.commands.hub import run_hub

    config = _config_with_logging(options)
    return run_hub(config, read_config=lambda: _config(options))


def _run(options: argparse.Namespace) -> int:
    from rtgenre.commands.run import run

    config = _config_with_logging(options)
    return run(config, read_config=lambda: _config(options))


def _demo(options: argparse.Namespace) -> int:
    from rtgenre.commands.run import run_demo

    config = _config_with_logging(options)
    return run_demo(config, read_config=lambda: _config(options))


def _init(options: argparse.Namespace) -> int:
    from rtgenre.commands.init import init

    return init(options.config, _flags(options), may_ask=not options.yes)


def _devices(options: argparse.Namespace) -> int:
    from rtgenre.commands.devices import print_devices

    return print_devices(as_json=options.json)


def _classify(options: argparse.Namespace) -> int:
    from rtgenre.commands.classify import classify_files

    config = _config_with_logging(options)
    return classify_files(options.files, config, as_json=options.json)


def _tag(options: argparse.Namespace) -> int:
    from rtgenre.commands.tag import TagOptions, tag_songs

    asked = TagOptions(
        places=options.places,
        output=options.output,
        scheduler=options.scheduler,
        processes=options.processes,
        sample_seconds=options.sample,
        write_genre=options.write_genre,
        overwrite=options.overwrite,
    )
    return tag_songs(asked, _config_with_logging(options))


def _learn(options: argparse.Namespace) -> int:
    from rtgenre.commands.learn import LearnOptions, learn

    config = _config_with_logging(options)
    return learn(LearnOptions(options.folder, options.name, options.keep), config)


def _models(options: argparse.Namespace) -> int:
    from rtgenre.commands.models import print_models, remove_model

    if options.remove is not None:
        return remove_model(options.remove)
    return print_models(as_json=options.json)


def _history(options: argparse.Namespace) -> int:
    from rtgenre.commands.history import run_history

    return run_history(options, _config(options))


def _teach(options: argparse.Namespace) -> int:
    from rtgenre.commands.teach import teach

    return teach(_config(options), options.genre, options.node)


def _doctor(options: argparse.Namespace) -> int:
    from rtgenre.commands.doctor import examine

    return run_in_event_loop(examine(_config(options)))


def _config_check(options: argparse.Namespace) -> int:
    from rtgenre.commands.config import check_config

    return check_config(options.config, _flags(options))


def _config_show(options: argparse.Namespace) -> int:
    from rtgenre.commands.config import show_config

    return show_config(options.config, _flags(options))


def _remove_discovery(options: argparse.Namespace) -> int:
    from rtgenre.commands.discovery import remove_discovery

    return run_in_event_loop(remove_discovery(_config(options), options.nodes))


def _completion(options: argparse.Namespace) -> int:
    from rtgenre.commands.completion import print_completion

    return print_completion(_parser(), options.shell)


def _bench(options: argparse.Namespace) -> int:
    from rtgenre.commands.bench import run_bench

    return run_bench(_config(options), as_json=options.json)
