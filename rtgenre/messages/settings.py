"""The JSON documents about settings that the page can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from rtgenre.errors import RefusedError
from rtgenre.messages.fields import Color, Count, Moment, Node, SchemaVersion
from rtgenre.messages.payload import iso_utc
from rtgenre.messages.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.tracking.replay import Shown


class SettingsError(RefusedError):
    """Nothing was changed; the message says why, and what to do."""


class NumberSetting(TypedDict):
    """A number that says how calm the shown genre is."""

    key: str
    """What it is called in `[smoothing]`."""
    value: float
    """What is in force."""
    default: float
    """What it is where nothing is set."""
    minimum: float
    """The least that it may be."""
    maximum: float
    """The most that it may be."""


class RoomSettings(TypedDict):
    """What can be changed of one room."""

    node: Node
    """The name of the source in messages and MQTT topics."""
    name: str
    """What people see in place of the node. Empty where it has none."""
    input: str | None
    """A device, or empty for the default one. Null for files, streams and pipes, which the
    page does not change."""
    wled: list[str]
    """WLED devices that follow the music there: what stands behind `wled/` in their MQTT topic."""
    zigbee2mqtt: list[str]
    """Lamps and groups of Zigbee2MQTT that do, by their friendly names."""


class SettingsDocument(TypedDict):
    """The settings that can be changed, the answer to `GET /settings` and to a change."""

    schema: SchemaVersion
    type: Literal["settings"]
    file: str
    """Where they are written."""
    checksum: str
    """Names what the file holds now. A change says which it was made to. Empty: there is no file
    yet."""
    problem: str | None
    """Why nothing can be changed. Null while all is well."""
    rooms: list[RoomSettings]
    """Of each room, what was saved last."""
    smoothing: list[NumberSetting]
    """How calm the shown genre is."""
    colors: dict[str, Color]
    """As `#rrggbb`, by genre, and of unknown and silence."""
    broker: bool
    """Whether there is an MQTT broker. Lamps are reached through it."""
    restart: list[str]
    """What was changed and takes a new start to come into force."""


class PreviewStretch(TypedDict):
    """A time during which one thing is shown."""

    genre: str
    """A genre, or unknown or silence."""
    start: Moment
    """When it begins to be shown."""
    end: Moment
    """When something else is shown, or the newest window ended."""


class PreviewDocument(TypedDict):
    """The last ten minutes with the smoothing as it is set, and as somebody would set it."""

    schema: SchemaVersion
    type: Literal["preview"]
    node: Node
    """The room."""
    now: list[PreviewStretch]
    """As it is set, oldest first."""
    then: list[PreviewStretch]
    """As it would be set."""


class InputItem(TypedDict):
    """An input that can be chosen."""

    input: str
    """What the settings call it. Empty: the default one."""
    name: str
    """What people call it."""
    level_dbfs: Annotated[float, Field(ge=-120, le=60)] | None
    """How loud it is just now. Null where that is not known."""
    problem: str | None
    """Why it cannot be heard. Null while it can."""


class InputsDocument(TypedDict):
    """The inputs of this machine and how loud each is, the answer to `GET /settings/inputs`."""

    schema: SchemaVersion
    type: Literal["inputs"]
    inputs: list[InputItem]
    """The default one first."""
    more: Count
    """How many further inputs are not listed."""


def preview_document(node: str, now: Sequence[Shown], then: Sequence[Shown]) -> PreviewDocument:
    """Build the answer from what is shown in both cases."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "preview",
        "node": node,
        "now": _stretches(now),
        "then": _stretches(then),
    }


def _stretches(shown: Sequence[Shown]) -> list[PreviewStretch]:
    return [
        {"genre": each.genre, "start": iso_utc(each.started_at), "end": iso_utc(each.ended_at)}
        for each in shown
    ]
