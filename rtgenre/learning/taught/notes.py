"""What was taught, as lines of JSON: the file that people keep, copy and take in again; pure."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rtgenre.learning.genres import MAX_CHARACTERS, MAX_GENRES
from rtgenre.learning.taught.network import MAX_PROBES, TaughtNetwork
from rtgenre.learning.taught.stretch import MAX_WINDOWS, TaughtStretch
from rtgenre.learning.taught.values import values_from_bytes, values_to_bytes
from rtgenre.messages.payload import iso_utc
from rtgenre.messages.taught import TeachError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rtgenre.types import FloatArray

VERSION = 1
MAX_EMBEDDING_SIZE = 1024
_MAX_NAME = 200
_HEADER = {"rtgenre": "taught", "version": VERSION}
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """Stretches, and the networks that heard them."""

    networks: Mapping[str, TaughtNetwork]
    """By identity."""
    stretches: tuple[tuple[str, TaughtStretch], ...]
    """Each with the identity of its network."""


def written(notes: Notes) -> str:
    """Write notes, one JSON object in each line; one such text behind another is one, too."""
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _lines(notes))


def read(text: str) -> Notes:
    """Read notes and check every value.

    Raises:
        TeachError: a line is none of theirs; the message names it.
    """
    networks: dict[str, TaughtNetwork] = {}
    stretches: list[tuple[str, TaughtStretch]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = _fields(line, is_first=number == 1)
            if "rtgenre" in fields:
                continue
            if "probe" in fields:
                network = _network(fields)
                networks[network.identity] = network
            else:
                stretches.append(_stretch(fields, networks))
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise TeachError(
                f"line {number} cannot be taken in: {reason[:_MAX_NAME]}; nothing of it was "
                "learnt. Only files that rtgenre exported are read"
            ) from error
    return Notes(networks, tuple(stretches))


def _lines(notes: Notes) -> Iterator[dict[str, Any]]:
    yield _HEADER
    for network in notes.networks.values():
        yield {
            "network": network.identity,
            "labels": list(network.labels),
            "embedding_size": network.probe.shape[1],
            "probe": _packed(network.probe),
        }
    for identity, one in notes.stretches:
        yield {
            "node": one.node,
            "start": iso_utc(one.started_at),
            "end": iso_utc(one.ended_at),
            "genre": one.genre,
            "network": identity,
            "embeddings": _packed(one.embeddings),
            "said": _packed(one.said),
        }


def _fields(line: str, *, is_first: bool) -> dict[str, Any]:
    """Read one line.

    Raises:
        ValueError: it is no JSON object, or one of another kind of file.
    """
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError("it is no JSON, or only the beginning of it") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(fields, dict):
        raise TypeError("it is no JSON object")
    if is_first and fields.get("rtgenre") != "taught":
        raise ValueError("this is no file of what was taught")
    version = fields.get("version", VERSION)
    if version != VERSION:
        raise ValueError(f"it has version {version}, {VERSION} is known; install a newer rtgenre")
    return fields


def _network(fields: Mapping[str, Any]) -> TaughtNetwork:
    size, labels = fields["embedding_size"], fields["labels"]
    if type(size) is not int or not 1 <= size <= MAX_EMBEDDING_SIZE:
        raise ValueError(f"embedding_size is {size!r}; 1 to {MAX_EMBEDDING_SIZE} is allowed")
    if not isinstance(labels, list) or not 1 <= len(labels) <= MAX_GENRES:
        raise ValueError(f"labels holds no genres, or more than {MAX_GENRES}")
    return TaughtNetwork(
        identity=_name(fields["network"], _MAX_NAME),
        labels=tuple(_name(label, MAX_CHARACTERS) for label in labels),
        probe=_unpacked(fields["probe"], size, MAX_PROBES),
    )


def _stretch(
    fields: Mapping[str, Any], networks: Mapping[str, TaughtNetwork]
) -> tuple[str, TaughtStretch]:
    network = networks.get(_name(fields["network"], _MAX_NAME))
    if network is None:
        raise ValueError(f"its network {fields['network']!r} was not described before")
    if not _NODE.fullmatch(fields["node"]):
        raise ValueError(f"node is {fields['node']!r}, which no room can be called")
    start, end = _moment(fields["start"]), _moment(fields["end"])
    if not 0 <= start <= end:
        raise ValueError("it ends before it starts, or starts before 1970")
    embeddings = _unpacked(fields["embeddings"], network.probe.shape[1], MAX_WINDOWS)
    said = _unpacked(fields["said"], len(network.labels) + 1, MAX_WINDOWS)
    if len(said) != len(embeddings):
        raise ValueError(f"{len(embeddings)} windows were heard, {len(said)} judged")
    genre = _name(fields["genre"], MAX_CHARACTERS)
    return network.identity, TaughtStretch(fields["node"], start, end, genre, embeddings, said)


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} does not say its time zone; it ends in Z")
    return moment.timestamp()


def _name(value: Any, at_most: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= at_most or not value.isprintable():
        raise ValueError(f"{str(value)[:at_most]!r} is no name of 1 to {at_most} letters")
    return value


def _packed(values: FloatArray) -> str:
    return base64.b64encode(values_to_bytes(values)).decode()


def _unpacked(text: Any, n_columns: int, at_most: int) -> FloatArray:
    """Read ``(n, n_columns)``.

    Raises:
        ValueError: they are not that, not finite, or more than ``at_most`` rows.
    """
    if not isinstance(text, str):
        raise TypeError("it holds no values")
    return values_from_bytes(base64.b64decode(text, validate=True), n_columns, at_most=at_most)
