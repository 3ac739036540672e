"""The tables about what is heard and how it is judged: source, model, windows, smoothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from rtgenre.config.checks import FolderName, Name, Node, default_node
from rtgenre.config.table import SettingsTable
from rtgenre.tracking.smoothing import TrackerParams

_TRACKER = TrackerParams()


class SourceConfig(SettingsTable):
    """``[source]``, or several ``[[source]]``: where the music comes from."""

    input: str | int | tuple[str, ...] = ""
    """A device (index, name or part of it; empty: the default), file(s), a URL, or '-'."""
    node: Node = Field(default_factory=default_node)
    """Names this source in messages and MQTT topics: a room."""
    name: Name = ""
    """The room's name for people; empty: the node."""
    channel: Literal["mix", "left", "right"] | Annotated[int, Field(ge=1)] = "mix"
    """'mix', 'left', 'right' or a channel number counted from 1."""
    speed: Literal["realtime", "max"] = "realtime"
    """Of files: as they would be heard, or as fast as the machine can."""
    loop: bool = False
    """Files begin again after the last one."""
    allow_private: bool = False
    """Playlists and redirects of a server on the internet may lead into this network."""
    pcm_rate_hz: Annotated[int, Field(ge=8000, le=192000)] = 44100
    pcm_channels: Annotated[int, Field(ge=1, le=64)] = 2
    pcm_format: Literal["s16le", "f32le"] = "s16le"

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
    """A shipped model's name, or the path of a folder that holds model.json."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class WindowsConfig(SettingsTable):
    """``[windows]``: how often to look."""

    hop_seconds: Annotated[float, Field(ge=0.25, le=4.0)] = 2.0


class SmoothingConfig(SettingsTable):
    """``[smoothing]``: how calm the shown genre is."""

    time_constant_seconds: Annotated[float, Field(ge=0, le=600)] = _TRACKER.time_constant_seconds
    switch_margin: Annotated[float, Field(ge=0, le=1)] = _TRACKER.switch_margin
    switch_hold_seconds: Annotated[float, Field(ge=0, le=600)] = _TRACKER.switch_hold_seconds
    unknown_below: Annotated[float, Field(ge=0, le=1)] = _TRACKER.unknown_below
    music_below: Annotated[float, Field(ge=0, le=1)] = _TRACKER.music_below
    familiar_below: Annotated[float, Field(ge=0, le=1)] = _TRACKER.familiar_below
    silence_below_dbfs: Annotated[float, Field(ge=-120, le=0)] = _TRACKER.silence_below_dbfs
    silence_after_seconds: Annotated[float, Field(ge=0, le=3600)] = _TRACKER.silence_after_seconds

    def tracker_params(self) -> TrackerParams:
        """Return the same values as the tracker takes them."""
        return TrackerParams(**self.model_dump())
