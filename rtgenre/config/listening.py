"""The tables about what is heard and how it is judged: source, model, windows, smoothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from rtgenre.config.checks import FolderName, Name, Node, TopicOrNone, default_node
from rtgenre.config.table import TABLE_RULES, SettingsTable
from rtgenre.tracking.smoothing import TrackerParams


class SourceConfig(SettingsTable):
    """``[source]``, or several ``[[source]]``: where the music comes from."""

    input: str | int | tuple[str, ...] = ""
    """Empty: the default input device. Or a device's index, its name or a part of it; a file,
    ["several.flac", "files.mp3"], a folder or a playlist; a URL; a named pipe ("pipe:/srv/mpd.pcm":
    one that may come later), or "-" for standard input, with raw PCM in it."""
    node: Node = Field(default_factory=default_node, examples=["livingroom"])
    """Names this source in messages and MQTT topics. Default: the host name."""
    name: Name = ""
    """What people see in its place: "Wohnzimmer Süd"."""
    channel: Literal["mix", "left", "right"] | Annotated[int, Field(ge=1)] = "mix"
    """A channel's number is counted from 1."""
    speed: Literal["realtime", "max"] = "realtime"
    """Of files: as they would be heard, or as fast as the machine can."""
    loop: bool = False
    """true: files begin again after the last one."""
    allow_private: bool = False
    """true: a stream from the internet may lead to addresses of this network."""
    mpris: Literal["auto", "on", "off"] = "auto"
    """Title and artist from the media players of this desktop, on Linux. auto: where the input is
    what this computer plays; on: of whatever input. Needs: pip install 'rtgenre[mpris]'."""
    playing_topic: TopicOrNone = ""
    """The MQTT topic that another program fills with what plays here. Empty:
    <topic_prefix>/<node>/playing/set."""
    pcm_rate_hz: Annotated[int, Field(ge=8000, le=192000)] = 44100
    """This and the next two describe raw PCM, from standard input or a named pipe."""
    pcm_channels: Annotated[int, Field(ge=1, le=64)] = 2
    """How many channels it has."""
    pcm_format: Literal["s16le", "f32le"] = "s16le"
    """16 bit, little endian; or 32 bit floating point."""

    @property
    def shown_name(self) -> str:
        """What people are shown in place of the node."""
        return self.name or self.node

    @field_validator("input", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ModelConfig(SettingsTable):
    """``[model]``: what classifies."""

    folder: FolderName = "crnn"
    """A shipped model, "crnn" or "cnn", or a folder that holds model.json."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """For the network, of one window. One is enough for several rooms."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many windows are worked on at once. A machine's cores, for more than about 50 rooms."""


class WindowsConfig(SettingsTable):
    """``[windows]``: how often to look."""

    hop_seconds: Annotated[float, Field(ge=0.25, le=4.0)] = 2.0
    """How often a new 4 s window is classified. Smaller values cost more CPU."""


@dataclass(frozen=True, config=TABLE_RULES)
class SmoothingConfig(TrackerParams):
    """``[smoothing]``: how calm the shown genre is."""
