"""Kinds of values in messages, with their limits; ``/schema.json`` and the docs tell of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

SchemaVersion = Annotated[
    Literal[2],
    Field(
        description=(
            "Version of this schema; grows when a field is removed or changes its meaning."
        )
    ),
]
Moment = Annotated[
    str, Field(title="time, UTC, ISO 8601", json_schema_extra={"format": "date-time"})
]
"""UTC, ISO 8601."""
Node = Annotated[str, Field(title="name of a room", pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""A source's name in messages and MQTT topics: a room."""
Probability = Annotated[float, Field(title="0 to 1", ge=0, le=1)]
ByGenre = Annotated[dict[str, Probability], Field(min_length=2)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Color = Annotated[str, Field(title="`#rrggbb`", pattern="^#[0-9a-f]{6}$")]
ShortHash = Annotated[str, Field(title="eight hex digits, or empty", pattern="^([0-9a-f]{8})?$")]
Reason = Literal["not_music", "unfamiliar", "unsure"]
