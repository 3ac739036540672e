"""``rtgenre run``: the service, until its sources end or it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from rtgenre.commands.process import run_in_event_loop
from rtgenre.config import Config, ConfigError, SourceConfig
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.outputs.colors import complete_colors
from rtgenre.outputs.terminal import TerminalOutput
from rtgenre.service.service import Service
from rtgenre.sources.base import NoInputDevice
from rtgenre.sources.demo import DemoSource
from rtgenre.sources.open import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtgenre.sources.base import AudioSource

logger = logging.getLogger(__name__)


def run(config: Config, *, read_config: Callable[[], Config]) -> int:
    """Run the service and return the exit code.

    Args:
        config: all settings.
        read_config: reads the settings again, when SIGHUP asks for it.

    Raises:
        ModelError: the model cannot be used.
        SourceError: a source cannot be used.
        OutputError: an output cannot be used.
    """
    classifier = _load_classifier(config)
    # One of several inputs is waited for, and so is one that the demo has given way to.
    may_be_missing = len(config.source) > 1
    while True:
        sources = [(each, _open_source(each, may_be_missing)) for each in config.source]
        service = Service(config, classifier, sources)
        terminal = _terminal(config, classifier.info.labels)
        code = run_in_event_loop(_until_stopped(service, terminal, read_config))
        if not service.gives_way:
            return code
        logger.info("this machine has an input now: listening to it instead of the demo")
        config, may_be_missing = service.config, True


def run_demo(config: Config, *, read_config: Callable[[], Config]) -> int:
    """Run the service on the demo recordings, whatever inputs there are; as ``run``."""

    def with_demo(config: Config) -> Config:
        return config.model_copy(update={"source": (SourceConfig(),)})

    config, classifier = with_demo(config), _load_classifier(config)
    service = Service(config, classifier, [(config.source[0], DemoSource())])
    terminal = _terminal(config, classifier.info.labels)
    running = _until_stopped(service, terminal, lambda: with_demo(read_config()))
    return run_in_event_loop(running)


def _load_classifier(config: Config) -> Classifier:
    folder = find_model_folder(config.model.folder)
    return Classifier.load(folder, threads=config.model.threads)


async def _until_stopped(
    service: Service, terminal: TerminalOutput | None, read_config: Callable[[], Config]
) -> int:
    """Run the service until it ends or the process is asked to stop; SIGHUP reads settings."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' event loops take no signal handlers.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if hasattr(signal, "SIGHUP"):
        in_terminal = sys.stdout.isatty()

        def hang_up() -> None:
            if in_terminal and _terminal_is_gone():
                stop.set()
            else:
                _reload(service, read_config)

        loop.add_signal_handler(signal.SIGHUP, hang_up)
    return await service.run(stop, terminal)


def _reload(service: Service, read_config: Callable[[], Config]) -> None:
    """Read the settings again; ones that cannot be used leave the present ones in force."""
    try:
        service.reload(read_config())
    except ConfigError as error:
        for line in str(error).splitlines():
            logger.warning("the settings stay as they were: %s", line)


def _terminal_is_gone() -> bool:
    """Say whether the terminal was closed, which sends SIGHUP, too."""
    try:
        os.tcgetpgrp(sys.stdout.fileno())
    except OSError:
        return True
    return False


def _open_source(config: SourceConfig, may_be_missing: bool) -> AudioSource:
    """Make a source; in place of an only default input that is missing it is the demo."""
    if not may_be_missing and config.input == "":
        from rtgenre.sources.portaudio import find_input_device

        try:
            find_input_device(config.input)
        except NoInputDevice as error:
            logger.warning("%s; playing the demo recordings until there is one", error)
            return DemoSource(until_input=True)
    return open_source(config, may_be_missing=may_be_missing)


def _terminal(config: Config, labels: Sequence[str]) -> TerminalOutput | None:
    chosen = config.terminal.format
    if chosen == "off":
        return None
    if chosen == "auto":
        chosen = "live" if sys.stdout.isatty() else "plain"
    names = {source.node: source.shown_name for source in config.source}
    return TerminalOutput(chosen, colors=complete_colors(config.colors, labels), names=names)
