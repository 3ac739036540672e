"""``rtgenre run``: the service, until its sources end or it is asked to stop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rtgenre.commands.options import (
    add_config_file,
    add_readout,
    add_run_settings,
    config_of,
    config_with_logging,
    flags_of,
)
from rtgenre.commands.process import run_in_event_loop, until_stopped
from rtgenre.config import SourceConfig
from rtgenre.config.settings_file import SettingsFile
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.learning.taught.store import taught_file
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.outputs.colors import complete_colors
from rtgenre.outputs.terminal import TerminalOutput, open_terminal
from rtgenre.service.service import Service
from rtgenre.sources.base import NoInputDevice
from rtgenre.sources.demo import DemoSource
from rtgenre.sources.open import open_source
from rtgenre.threads import share_heaps

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from rtgenre.config import Config
    from rtgenre.model.info import ModelInfo
    from rtgenre.sources.base import AudioSource

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="short for --source")
    add_run_settings(parser)
    add_readout(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    share_heaps()
    config = config_with_logging(options)
    settings_file = SettingsFile(options.config, flags_of(options))
    return run(config, read_config=lambda: config_of(options), settings_file=settings_file)


def run(
    config: Config, *, read_config: Callable[[], Config], settings_file: SettingsFile | None = None
) -> int:
    """Run the service and return the exit code.

    Args:
        config: all settings.
        read_config: reads the settings again, when SIGHUP or the page asks for it.
        settings_file: where the page writes settings; None: it can change none.

    Raises:
        ModelError: the model cannot be used.
        SourceError: a source cannot be used.
        OutputError: an output cannot be used.
    """
    # One of several inputs is waited for, and so is one that the demo has given way to.
    may_be_missing = len(config.source) > 1
    while True:
        classifier = _load_classifier(config)
        notebook = _notebook(config, classifier.info)
        sources = [(each, _open_source(each, may_be_missing)) for each in config.source]
        service = Service(config, classifier, sources, notebook, settings_file)
        terminal = _terminal(config, classifier.info.labels)
        code = run_in_event_loop(until_stopped(service, terminal, read_config))
        if service.begins_anew:
            logger.info("beginning anew with the settings that were changed on the page")
            config = read_config()
        elif service.gives_way:
            logger.info("this machine has an input now: listening to it instead of the demo")
            config = service.config
        else:
            return code
        may_be_missing = True


def run_demo(config: Config, *, read_config: Callable[[], Config]) -> int:
    """Run the service on the demo recordings, whatever inputs there are; as ``run``."""

    def with_demo(config: Config) -> Config:
        return config.model_copy(update={"source": (SourceConfig(),)})

    config, classifier = with_demo(config), _load_classifier(config)
    service = Service(
        config, classifier, [(config.source[0], DemoSource())], _notebook(config, classifier.info)
    )
    terminal = _terminal(config, classifier.info.labels)
    running = until_stopped(service, terminal, lambda: with_demo(read_config()))
    return run_in_event_loop(running)


def _notebook(config: Config, info: ModelInfo) -> Notebook | None:
    """Return what keeps what is taught; None where nothing may be."""
    if not config.teach.enabled:
        return None
    folder = find_model_folder(config.model.folder)
    return Notebook(taught_file(config.teach.file), info, folder)


def _load_classifier(config: Config) -> Classifier:
    folder = find_model_folder(config.model.folder)
    return Classifier.load(folder, threads=config.model.threads)


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
    names = {source.node: source.shown_name for source in config.source}
    return open_terminal(config, colors=complete_colors(config.colors, labels), names=names)
