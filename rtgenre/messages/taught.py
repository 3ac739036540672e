"""The JSON documents about what is taught while it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from rtgenre.errors import RefusedError
from rtgenre.messages.fields import Color, Count, Moment, Node, NotNegative, SchemaVersion
from rtgenre.messages.payload import iso_utc
from rtgenre.messages.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TeachError(RefusedError):
    """Nothing was taught or forgotten; the message says why, and what to do."""


class TaughtDocument(TypedDict):
    """The answer to somebody who taught something."""

    schema: SchemaVersion
    type: Literal["taught"]
    id: Count
    """The number of the stretch, by which it can be forgotten again. No other ever has it."""
    node: Node
    """The room where it played."""
    genre: str
    """What was said to be playing."""
    start: Moment
    """When the music that was learnt began."""
    end: Moment
    """When it ended: what was heard last before the lesson."""
    seconds: NotNegative
    """How much of the music was learnt: what has played since it last changed."""
    new: bool
    """Whether the genre was not known before."""
    forgotten: Count
    """How many of the oldest stretches went, so that this one had room."""
    note: str
    """What happened, for people."""


class GenresDocument(TypedDict):
    """The genres, sent to WebSocket clients whenever others are taught."""

    schema: SchemaVersion
    type: Literal["genres"]
    labels: Annotated[list[str], Field(min_length=2, json_schema_extra={"uniqueItems": True})]
    """The genres: those of the model in the order of its outputs, then taught ones."""
    colors: dict[str, Color]
    """As `#rrggbb`, by genre, and of unknown and silence."""


class ForgottenDocument(TypedDict):
    """The answer to somebody who had something forgotten."""

    schema: SchemaVersion
    type: Literal["forgotten"]
    stretches: Count
    """How many were forgotten."""


class TakenInDocument(TypedDict):
    """The answer to somebody who sent what was taught elsewhere, or before."""

    schema: SchemaVersion
    type: Literal["taken_in"]
    stretches: Count
    """How many are new here."""
    known: Count
    """How many were here already; they stay as they are."""
    forgotten: Count
    """How many of the oldest stretches went, so that these had room."""
    note: str
    """What happened, for people."""


class RenamedDocument(TypedDict):
    """The answer of ``POST /taught/rename``. It has no ``schema`` and no ``type``."""

    renamed: Count
    """How many stretches that were."""


class TaughtStretchItem(TypedDict):
    """One stretch of music that was taught."""

    id: Count
    """Its number, by which it can be forgotten."""
    node: Node
    """The room where it played."""
    start: Moment
    """When the music that was learnt began."""
    end: Moment
    """When it ended."""
    seconds: NotNegative
    """How long it is."""
    genre: str
    """What was said to be playing."""
    used: bool
    """False for what another model heard that hears differently: it has no effect."""
    network: str
    """The model that heard it."""


class TaughtListDocument(TypedDict):
    """All that was taught, the answer to ``GET /taught``."""

    schema: SchemaVersion
    type: Literal["taught_list"]
    stretches: list[TaughtStretchItem]
    """Newest first."""
    limit: Count
    """How many are kept at most."""
    model: str
    """The model that listens now."""
    problem: str | None
    """Why what was taught has no effect, or nothing can be taught. Null while all is well."""


def taught_document(
    *,
    number: int,
    node: str,
    genre: str,
    span: tuple[float, float],
    is_new: bool,
    n_forgotten: int,
) -> TaughtDocument:
    """Build the answer; ``span`` is from when until when, in Unix seconds."""
    seconds = round(span[1] - span[0], 1)
    note = f"Learnt: the last {seconds:.0f} s are {genre}."
    if n_forgotten:
        note += f" The oldest {'one' if n_forgotten == 1 else n_forgotten} made room for it."
    return {
        "schema": SCHEMA_VERSION,
        "type": "taught",
        "id": number,
        "node": node,
        "genre": genre,
        "start": iso_utc(span[0]),
        "end": iso_utc(span[1]),
        "seconds": seconds,
        "new": is_new,
        "forgotten": n_forgotten,
        "note": note,
    }


def forgotten_document(n_stretches: int) -> ForgottenDocument:
    """Build the answer."""
    return {"schema": SCHEMA_VERSION, "type": "forgotten", "stretches": n_stretches}


def stretches_in_words(n_stretches: int) -> str:
    """Say how many stretches of music that are."""
    return "1 stretch" if n_stretches == 1 else f"{n_stretches} stretches"


def taken_in_document(*, n_new: int, n_known: int, n_forgotten: int) -> TakenInDocument:
    """Build the answer."""
    note = f"Took in {stretches_in_words(n_new)}."
    if n_known:
        note += f" {n_known} {'was' if n_known == 1 else 'were'} here already."
    if n_forgotten:
        note += f" The oldest {'one' if n_forgotten == 1 else n_forgotten} made room."
    return {
        "schema": SCHEMA_VERSION,
        "type": "taken_in",
        "stretches": n_new,
        "known": n_known,
        "forgotten": n_forgotten,
        "note": note,
    }


def taught_stretch_item(
    *, number: int, node: str, span: tuple[float, float], genre: str, network: str, used: bool
) -> TaughtStretchItem:
    """Build one item of the list; ``span`` as in ``taught_document``."""
    return {
        "id": number,
        "node": node,
        "start": iso_utc(span[0]),
        "end": iso_utc(span[1]),
        "seconds": round(span[1] - span[0], 1),
        "genre": genre,
        "used": used,
        "network": network,
    }


def taught_list_document(
    stretches: Sequence[TaughtStretchItem], *, limit: int, model: str, problem: str | None
) -> TaughtListDocument:
    """Build the list."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "taught_list",
        "stretches": list(stretches),
        "limit": limit,
        "model": model,
        "problem": problem,
    }


def genres_document(labels: Sequence[str], colors: Mapping[str, str]) -> GenresDocument:
    """Build the message about other genres."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "genres",
        "labels": list(labels),
        "colors": dict(colors),
    }
