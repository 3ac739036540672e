"""Reads what comes from the broker, and refuses what no rtgenre sends; pure."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from pydantic import TypeAdapter, ValidationError

from rtgenre.messages.documents import AboutDocument, StateDocument, StatusDocument
from rtgenre.messages.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DocumentKind = Literal["about", "state", "status"]
Kind = Literal["about", "availability", "state", "status"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The last parts of the topics that a hub listens to: who it is and whether it is there first."""

MAX_ADDRESS_CHARACTERS = 300
MAX_MEL_BANDS = 1024

_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ADDRESS = re.compile(r"(https?://[^\s/?#@]+/)?")
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "about": TypeAdapter(AboutDocument),
    "state": TypeAdapter(StateDocument),
    "status": TypeAdapter(StatusDocument),
}


class DamagedMessageError(ValueError):
    """A message is none that rtgenre sends; the text says why."""


def split_topic(prefix: str, topic: str) -> tuple[str, Kind] | None:
    """Return the node and the kind of message that a topic is of; None for any other topic."""
    if not topic.startswith(f"{prefix}/"):
        return None
    node, _, last = topic.removeprefix(f"{prefix}/").partition("/")
    for kind in KINDS:
        if last == kind and _NODE.fullmatch(node):
            return node, kind
    return None


def answering_node(prefix: str, topic: str) -> str | None:
    """Return the node that answers a lesson on this topic; None for any other topic."""
    node = topic.removeprefix(f"{prefix}/").removesuffix("/teach/answer")
    if topic == f"{prefix}/{node}/teach/answer" and _NODE.fullmatch(node):
        return node
    return None


def read_about(node: str, payload: bytes) -> AboutDocument:
    """Read what a node tells of itself.

    Raises:
        DamagedMessageError: it is none.
    """
    document: AboutDocument = _read("about", node, payload)
    hello = document["hello"]
    _require([source["node"] for source in hello["sources"]] == [node], "hello names other sources")
    n_mels = hello["spectrogram"]["n_mels"]
    _require(n_mels <= MAX_MEL_BANDS, f"n_mels is {n_mels}")
    address = document["address"]
    is_address = len(address) <= MAX_ADDRESS_CHARACTERS and _ADDRESS.fullmatch(address)
    _require(bool(is_address), "address is not http://host:port/")
    return document


def read_state(node: str, payload: bytes) -> StateDocument:
    """Read what a node hears.

    Raises:
        DamagedMessageError: it is no state document.
    """
    document: StateDocument = _read("state", node, payload)
    _require_time(document["since"])
    smoothed, raw = document["probabilities"], document["raw_probabilities"]
    _require(smoothed.keys() == raw.keys(), "its probabilities name different genres")
    genre, state = document["genre"], document["state"]
    _require((genre in smoothed) if state == "music" else genre is None, f"{state} with {genre!r}")
    _require(state != "music" or document["confidence"] is not None, "music without a confidence")
    _require((document["reason"] is not None) == (state == "unknown"), f"{state} with its reason")
    return document


def read_status(node: str, payload: bytes) -> StatusDocument:
    """Read whether a node is heard.

    Raises:
        DamagedMessageError: it is no status document.
    """
    document: StatusDocument = _read("status", node, payload)
    return document


def read_availability(payload: bytes) -> bool:
    """Read whether a node is online.

    Raises:
        DamagedMessageError: it says neither.
    """
    if payload not in {b"online", b"offline"}:
        raise DamagedMessageError(f"it says {payload[:20]!r}; online or offline were possible")
    return payload == b"online"


def _read(kind: DocumentKind, node: str, payload: bytes) -> Any:
    try:
        document = json.loads(payload, parse_constant=_refuse)
        # What cannot be written again, such as 1e999 or half a character, ends here.
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise DamagedMessageError("it is not JSON") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if isinstance(found, int) and found != SCHEMA_VERSION:
        raise DamagedMessageError(
            f"its schema is {found}, this rtgenre reads {SCHEMA_VERSION}; update the older one"
        )
    try:
        _ADAPTERS[kind].validate_python(document, strict=True)
    except (ValidationError, OverflowError) as error:
        raise DamagedMessageError(_first_problem(error)) from None
    _require(document["node"] == node, f"it names the node {document['node']!r}")
    for text in _texts(document):
        has_control = any(unicodedata.category(character) == "Cc" for character in text)
        _require(not has_control, "a text holds control characters")
    if kind != "about":
        _require_time(document["time"])
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _first_problem(error: ValidationError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "a number is too large"
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the document'}: {problem['msg']}"[:200]


def _require_time(time: str) -> None:
    try:
        moment = datetime.fromisoformat(time)
        is_time = moment.utcoffset() is not None
    except (ValueError, OverflowError):
        is_time = False
    _require(is_time, "a time is not ISO 8601 with its offset")
    # The ends of the calendar are beyond it on clocks of other time zones.
    _require(MINYEAR < moment.year < MAXYEAR, f"a time is in the year {moment.year}")


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise DamagedMessageError(problem)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        parts: Iterable[Any] = [*value, *value.values()] if isinstance(value, dict) else value
        for part in parts:
            yield from _texts(part)
