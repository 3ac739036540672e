"""The JSON Schema of all messages, made from the types that build them."""

from __future__ import annotations

from typing import Any, Union

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from rtgenre.history.report import HistoryDocument
from rtgenre.messages.documents import (
    AboutDocument,
    HelloDocument,
    HubDocument,
    PresenceDocument,
    StateDocument,
    StatusDocument,
)
from rtgenre.messages.settings import InputsDocument, PreviewDocument, SettingsDocument
from rtgenre.messages.taught import (
    ForgottenDocument,
    GenresDocument,
    RenamedDocument,
    TakenInDocument,
    TaughtDocument,
    TaughtListDocument,
)
from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.monitoring.health import HealthDocument
from rtgenre.outputs.web.client_request import RequestDocument
from rtgenre.outputs.web.http import ErrorDocument

_MESSAGES = {
    "hello": HelloDocument,
    "state": StateDocument,
    "status": StatusDocument,
    "about": AboutDocument,
    "presence": PresenceDocument,
    "hub": HubDocument,
    "history": HistoryDocument,
    "taught": TaughtDocument,
    "forgotten": ForgottenDocument,
    "genres": GenresDocument,
    "taught_list": TaughtListDocument,
    "taken_in": TakenInDocument,
    "renamed": RenamedDocument,
    "health": HealthDocument,
    "settings": SettingsDocument,
    "preview": PreviewDocument,
    "inputs": InputsDocument,
    "error": ErrorDocument,
}
_DESCRIPTION = (
    "Every JSON message that rtgenre sends; other fields may be added. $defs/request is what "
    "WebSocket clients may send. Binary WebSocket messages are spectrogram columns, on request "
    "only: see rtgenre/messages/columns.py."
)
_NULL: dict[str, Any] = {"type": "null"}
_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_STATES: list[tuple[str, str, dict[str, Any]]] = [
    ("state", "music", {"genre": _TEXT, "reason": _NULL, "confidence": _NUMBER}),
    ("state", "unknown", {"genre": _NULL, "reason": _TEXT}),
    ("state", "silence", {"genre": _NULL, "reason": _NULL, "confidence": _NULL}),
    ("reason", "not_music", {"confidence": _NULL}),
]
"""Which value of which field decides what of others: types of single fields cannot say that."""


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def message_schema() -> dict[str, Any]:
    """Return the schema, as ``GET /schema.json`` answers it."""
    described: dict[str, Any] = {**_MESSAGES, "request": RequestDocument}
    any_of_them: Any = Union[tuple(described.values())]
    # An adapter takes a configuration for a union, not for one of these types.
    rules = ConfigDict(use_attribute_docstrings=True)
    adapter: TypeAdapter[Any] = TypeAdapter(any_of_them, config=rules)
    made = adapter.json_schema(mode="serialization", schema_generator=_WithoutTitles)
    names = {kind.__name__: name for name, kind in described.items()}
    definitions = {
        names.get(name, name): _renamed(definition, names)
        for name, definition in made["$defs"].items()
    }
    definitions["state"]["allOf"] = [
        {"if": {"properties": {field: {"const": value}}}, "then": {"properties": then}}
        for field, value, then in _STATES
    ]
    definitions["request"] |= {"minProperties": 1, "additionalProperties": False}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:rtgenre:payload:{SCHEMA_VERSION}",
        "title": "rtgenre messages",
        "description": _DESCRIPTION,
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in _MESSAGES],
        "$defs": definitions,
    }


def _renamed(part: Any, names: dict[str, str]) -> Any:
    """Return a part of the schema whose references name messages by their type."""
    if isinstance(part, list):
        return [_renamed(each, names) for each in part]
    if not isinstance(part, dict):
        return part
    changed = {key: _renamed(value, names) for key, value in part.items()}
    if isinstance(part.get("$ref"), str):
        name = part["$ref"].rpartition("/")[2]
        changed["$ref"] = f"#/$defs/{names.get(name, name)}"
    if isinstance(part.get("title"), str) and isinstance(part.get("properties"), dict):
        del changed["title"]
    if isinstance(part.get("description"), str):
        changed["description"] = " ".join(part["description"].split())
    return changed
