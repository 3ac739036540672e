"""Changes settings for the page: in their file, and in what runs."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rtgenre.config import ConfigError, limits_of, merge_layers, settings_of
from rtgenre.config.lamps import checked_lamps
from rtgenre.config.settings_file import ChangedMeanwhileError, SettingsFileError
from rtgenre.config.writing import changes_of
from rtgenre.messages.settings import (
    InputItem,
    InputsDocument,
    NumberSetting,
    PreviewDocument,
    RoomSettings,
    SettingsDocument,
    SettingsError,
    preview_document,
)
from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError, read_model_info
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.words import source_name
from rtgenre.service.outputs import check_files
from rtgenre.sources.base import SourceError
from rtgenre.sources.levels import measure_levels
from rtgenre.sources.open import looks_like_a_path
from rtgenre.threads import LimitedCalls
from rtgenre.tracking.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtgenre.config import Config, SourceConfig
    from rtgenre.config.settings_file import SettingsFile
    from rtgenre.config.writing import Changes
    from rtgenre.service.listener import Listener
    from rtgenre.sources.devices import InputDevice

FILE_SECONDS = 10.0
LEVELS_SECONDS = 15.0
_OF_ROOM = frozenset({"name", "input"})
_TABLES = frozenset({"source", "smoothing", "colors", "lights"})


class SettingsDesk:
    """Takes changes from the page, one after another."""

    def __init__(
        self,
        file: SettingsFile,
        listeners: Mapping[str, Listener],
        *,
        config: Callable[[], Config],
        colors: Callable[[], dict[str, str]],
        reload: Callable[[Config], None],
        restart: Callable[[], None],
        try_color: Callable[[str, str], None],
    ) -> None:
        """Prepare, without touching the disk.

        Args:
            file: where settings are written.
            listeners: by node.
            config: returns the settings in force.
            colors: returns the colours in force, by genre.
            reload: puts settings in force, as far as that goes while running, and has them noted.
            restart: begins anew.
            try_color: shows a colour on the lamps of a room for a moment.
        """
        self._file = file
        self._listeners = listeners
        self._config = config
        self._colors = colors
        self._reload = reload
        self._restart = restart
        self._try_color = try_color
        self._files = LimitedCalls(1)
        self._looks = LimitedCalls(1)
        # By node, the sources as they were read last, which a new start will bring into force.
        self._saved: dict[str, SourceConfig] = {}
        # What the settings may call the inputs that were listed last.
        self._known_inputs: set[str] = set()

    async def describe(self) -> SettingsDocument:
        """Say what may be changed, and what it is now.

        Raises:
            SettingsError: the file cannot be read.
        """
        try:
            written, problem = await self._files.call(
                lambda: (self._file.read(), self._file.problem()), FILE_SECONDS
            )
        except ConfigError as error:
            raise SettingsError(str(error), 503) from error
        except TimeoutError:
            raise SettingsError(f"the disk took longer than {FILE_SECONDS:g} s", 503) from None
        return {
            "schema": SCHEMA_VERSION,
            "type": "settings",
            "file": str(self._file.path),
            "checksum": written.checksum,
            "problem": problem,
            "rooms": [self._room(node) for node in self._listeners],
            "smoothing": _numbers(self._config()),
            "colors": self._colors(),
            "broker": bool(self._config().mqtt.host),
            "restart": self._waiting(),
        }

    async def change(
        self, node: str, changes: dict[str, Any], *, checksum: str
    ) -> SettingsDocument:
        """Write changes that were made to the file of that checksum, and put them in force.

        Raises:
            SettingsError: they cannot be used or written; nothing was changed.
        """
        try:
            asked = self._allowed(changes_of(changes))
            self._listener(node)
            new = await self._files.call(
                lambda: self._file.change(asked, checksum=checksum, node=node), FILE_SECONDS
            )
        except ChangedMeanwhileError as error:
            raise SettingsError(str(error), 409) from error
        except SettingsFileError as error:
            raise SettingsError(str(error), 403) from error
        except ConfigError as error:
            raise SettingsError(str(error)) from error
        except TimeoutError:
            raise SettingsError(f"the disk took longer than {FILE_SECONDS:g} s", 503) from None
        self._reload(new)
        return await self.describe()

    def note(self, config: Config) -> None:
        """Take what the settings are by now, of which some take a new start."""
        self._saved = {source.node: source for source in config.source}

    async def preview(self, node: str, smoothing: dict[str, Any]) -> PreviewDocument:
        """Show the last ten minutes with other smoothing.

        Raises:
            SettingsError: it is out of range, or there is no such room.
        """
        present = self._config().smoothing
        given = {each.name: getattr(present, each.name) for each in fields(present)}
        try:
            asked = merge_layers({"page": {"smoothing": given | smoothing}}).smoothing
        except ConfigError as error:
            raise SettingsError(str(error)) from error
        pipeline = self._listener(node).pipeline
        windows, labels = pipeline.last_minutes.windows(), pipeline.labels
        now, then = await asyncio.to_thread(
            lambda: [replay(windows, labels, params) for params in (present, asked)]
        )
        return preview_document(node, now, then)

    async def inputs(self) -> InputsDocument:
        """List the inputs and measure how loud they are.

        Raises:
            SettingsError: the sound system cannot be asked, or does not answer.
        """
        in_use = {
            listener.source.name.removeprefix("device: ") for listener in self._listeners.values()
        }
        try:
            levels, n_more = await self._looks.call(lambda: measure_levels(in_use), LEVELS_SECONDS)
        except SourceError as error:
            raise SettingsError(str(error), 503) from error
        except TimeoutError:
            raise SettingsError("the sound system does not answer", 503) from None
        names = Counter(level.device.stable_name for level in levels)
        items: list[InputItem] = [
            {
                "input": _selector(level.device, names),
                "name": source_name(f"device: {level.device.name}"),
                "level_dbfs": None if level.level_dbfs is None else round(level.level_dbfs, 1),
                "problem": level.problem,
            }
            for level in levels
        ]
        self._known_inputs = {item["input"] for item in items}
        return {
            "schema": SCHEMA_VERSION,
            "type": "inputs",
            "inputs": items,
            "more": n_more,
        }

    async def try_color(self, node: str, color: str) -> None:
        """Show a colour on the lamps of a room for a moment.

        Raises:
            SettingsError: it is no colour, there are no lamps, or no window comes with which they
                would be told.
        """
        try:
            merge_layers({"page": {"colors": {"unknown": color}}})
        except ConfigError as error:
            raise SettingsError(str(error)) from error
        listener = self._listener(node)
        room = self._room(node)
        if not room["wled"] and not room["zigbee2mqtt"]:
            raise SettingsError("no lamps follow this room; [lights] names them", 409)
        if not self._config().mqtt.host:
            raise SettingsError("lamps need an MQTT broker; [mqtt] host names it", 409)
        if listener.problem is not None:
            # It would flash up whenever the music comes back.
            raise SettingsError(
                f"lamps are told with the next window, and none comes: {listener.problem}", 409
            )
        self._try_color(node, color)

    async def restart(self) -> None:
        """Begin anew, with settings that take a new start.

        Raises:
            SettingsError: those in the file cannot be used; the service goes on as it is.
        """
        try:
            await self._files.call(self._try_the_file, FILE_SECONDS)
        except (ConfigError, ModelError, OutputError) as error:
            raise SettingsError(str(error), 409) from error
        except TimeoutError:
            raise SettingsError(f"the disk took longer than {FILE_SECONDS:g} s", 503) from None
        self._restart()

    def _try_the_file(self) -> None:
        config = self._file.load()
        read_model_info(find_model_folder(config.model.folder))
        check_files(config)

    def _room(self, node: str) -> RoomSettings:
        """Return what the file says of a room, which may not be in force yet."""
        config = self._config()
        source = self._saved.get(node) or self._source(node)
        first = node == next(iter(self._listeners))
        wled, zigbee2mqtt = config.lights.lamps(node, first=first)
        return {
            "node": source.node,
            "name": source.name,
            "input": _device(source),
            "wled": list(wled),
            "zigbee2mqtt": list(zigbee2mqtt),
        }

    def _source(self, node: str) -> SourceConfig:
        return next(source for source in self._config().source if source.node == node)

    def _waiting(self) -> list[str]:
        """Return what was saved and takes a new start, in words."""
        return [
            f"{key} of {node}"
            for node, saved in self._saved.items()
            if node in self._listeners
            for key in sorted(_OF_ROOM)
            if getattr(saved, key) != getattr(self._source(node), key)
        ]

    def _listener(self, node: str) -> Listener:
        if node not in self._listeners:
            rooms = ", ".join(self._listeners)
            raise SettingsError(f"there is no room {node!r}; the rooms are {rooms}")
        return self._listeners[node]

    def _allowed(self, changes: Changes) -> Changes:
        """Return what is to be changed; an input may be a device, but no file and no address.

        Raises:
            SettingsError: the page does not offer that.
        """
        if not changes or not changes.keys() <= _TABLES:
            raise SettingsError(
                f"the page changes {', '.join(sorted(_TABLES))}; change others in the file"
            )
        checked_lamps(changes.get("lights", {}))
        source = changes.get("source", {})
        if not source.keys() <= _OF_ROOM:
            raise SettingsError("of a source the page changes name and input; others in the file")
        # Not looked up in a set: a list, which a file's settings may hold, has no place in one.
        if source.get("input", "") not in ["", *self._known_inputs]:
            raise SettingsError(
                f"no input that was listed is called {source['input']!r}; list them again, or "
                "write it into the file",
                403,
            )
        name = source.get("name")
        if isinstance(name, str):
            # The file has what the settings are read as: blanks around a name are no part of it.
            return changes | {"source": source | {"name": name.strip()}}
        return changes


def _device(source: SourceConfig) -> str | None:
    """Return which device a source is; None where it is something else."""
    given = source.input
    if isinstance(given, tuple):
        return None
    if isinstance(given, str) and (given == "-" or looks_like_a_path(given)):
        return None
    # The page offers the default input once, whatever it is called in the file.
    return "" if given == "default" else str(given)


def _selector(device: InputDevice, names: Counter[str]) -> str:
    """Return what the settings call a device: its name, unless that means another or a file."""
    name = device.stable_name
    if name == "default" and device.is_default:
        return ""
    is_plain = names[name] == 1 and not re.search(r"[/\\]|^-$|^\d+$|://", name)
    return name if is_plain else str(device.index)


def _numbers(config: Config) -> list[NumberSetting]:
    smoothing = config.smoothing
    numbers: list[NumberSetting] = []
    for key, field in settings_of(type(smoothing)).items():
        minimum, maximum = limits_of(field)
        numbers.append(
            {
                "key": key,
                "value": getattr(smoothing, key),
                "default": field.default,
                "minimum": minimum,
                "maximum": maximum,
            }
        )
    return numbers
