"""From a setting to a source."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rtgenre.sources.base import AudioSource, SourceError
from rtgenre.sources.device import DeviceSource
from rtgenre.sources.file import FileSource
from rtgenre.sources.folders import AUDIO_SUFFIXES, PLAYLIST_SUFFIXES
from rtgenre.sources.named_pipe import NamedPipeSource
from rtgenre.sources.pcm import PcmFormat
from rtgenre.sources.pipe import PipeSource
from rtgenre.sources.stream import StreamSource
from rtgenre.sources.stream_command import masked_url

if TYPE_CHECKING:
    from rtgenre.config import SourceConfig

PIPE_PREFIX = "pipe:"


def open_source(config: SourceConfig, *, may_be_missing: bool = False) -> AudioSource:
    """Return the source that ``config.input`` means.

    ``-`` is standard input; what begins with ``pipe:`` a named pipe, which may come later; what has
    ``://`` in it a stream; a number a device; a path that exists, or looks like one, a named pipe,
    a file or a folder; anything else (part of) a device's name, and nothing the default device.
    Several are files and folders. A device that may be missing is looked for again when the source
    runs, until it is there.

    Raises:
        NoInputDevice: the default device was asked for and there is none.
        SourceError: no device matches, or several; or a stream's address is not one. Whether a
            file or a stream works is found out when it runs.
    """
    given = config.input
    if isinstance(given, tuple):
        if len(given) != 1:
            return _open_files(given, config)
        given = given[0]
    if isinstance(given, int) or given.isdecimal():
        return DeviceSource(given, channel=config.channel, may_be_missing=may_be_missing)
    if given == "-":
        return PipeSource(_pcm(config))
    if "://" in given and not given.startswith(PIPE_PREFIX):
        return StreamSource(given, allow_private=config.allow_private)
    if looks_like_a_path(given):
        return _open_path(given, config)
    return DeviceSource(given, channel=config.channel, may_be_missing=may_be_missing)


def _open_path(name: str, config: SourceConfig) -> AudioSource:
    if name.startswith(PIPE_PREFIX):
        path = _path(name.removeprefix(PIPE_PREFIX).removeprefix("//"))
        return NamedPipeSource(path, _pcm(config), may_be_missing=True)
    path = _path(name)
    try:
        is_named_pipe = path.is_fifo()
    except (OSError, ValueError):  # a name too long, or a null byte in it
        is_named_pipe = False
    if not is_named_pipe:
        return _open_files((name,), config)
    return NamedPipeSource(path, _pcm(config))


def _path(name: str) -> Path:
    """Return a path; no shell has replaced the tilde of one in a settings file."""
    with suppress(RuntimeError, ValueError):  # no user is called so, or can be
        return Path(name).expanduser()
    return Path(name)


def _pcm(config: SourceConfig) -> PcmFormat:
    return PcmFormat(config.pcm_format, config.pcm_rate_hz, config.pcm_channels)


def _open_files(names: tuple[str, ...], config: SourceConfig) -> FileSource:
    if not names:
        raise SourceError("an empty list of files was given; name at least one")
    for name in names:
        if not name:
            raise SourceError("an empty name is in a list of files; the current folder is '.'")
        if name == "-" or "://" in name or name.startswith(PIPE_PREFIX):
            raise SourceError(
                f"{masked_url(name)!r} is in a list of files; standard input, pipes and streams "
                "stand alone, each in a [[source]] table of its own"
            )
    paths = tuple(map(_path, names))
    return FileSource(paths, speed=config.speed, loop=config.loop, channel=config.channel)


def looks_like_a_path(text: str) -> bool:
    """Say whether an input is meant as a path, not as a device's name.

    So are addresses, and what is said to be a named pipe.
    """
    if not text:  # the default input; as a path it would be the current folder
        return False
    path = Path(text)
    if (
        re.search(r"[/\\]", text)
        or text.startswith(PIPE_PREFIX)
        or path.suffix.lower() in AUDIO_SUFFIXES | PLAYLIST_SUFFIXES
    ):
        return True
    try:
        return path.exists()
    except OSError:  # a name too long, say
        return False
