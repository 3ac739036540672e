"""Write the tables of docs/messages.md from the types that build the messages.

    python -m scripts.messages_page

A test compares the page with what this makes, so that it cannot lie.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rtgenre.outputs.mqtt.topics import TOPICS
from rtgenre.outputs.web.schema import message_schema

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "messages.md"

IN_EVERY_MESSAGE = {"schema", "type"}

_PLACE = re.compile(r"(<!-- (\w+): .*? -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
_REFERENCE = "#/$defs/"

Schema = dict[str, Any]


def tables() -> dict[str, str]:
    """Return what stands in each marked place of the page, by the mark's name."""
    schema = message_schema()
    kinds: dict[str, Schema] = schema["$defs"]
    others = [name for each in schema["oneOf"] if (name := _named(each)) != "state"]
    return {
        "state": _fields("state", kinds),
        "request": _fields("request", kinds),
        "others": "\n".join(_section(name, kinds) for name in others),
        "topics": _topics(),
    }


def with_tables(text: str) -> str:
    """Return the page with the tables in their places."""
    made = tables()
    return _PLACE.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n{found[3]}", text)


def _section(name: str, kinds: dict[str, Schema]) -> str:
    introduction = _markdown(kinds[name]["description"])
    return f"### {name}\n\n{introduction}\n\n{_fields(name, kinds)}"


def _fields(name: str, kinds: dict[str, Schema]) -> str:
    """Return the table of a message, followed by those of the objects in it."""
    parts = [_table(kinds[name])]
    for part, field in _objects(kinds[name]).items():
        introduction = _markdown(kinds[part]["description"])
        parts.append(f"In `{field}`: {introduction[0].lower()}{introduction[1:]}\n")
        parts.append(_table(kinds[part]))
    return "\n".join(parts)


def _objects(kind: Schema) -> dict[str, str]:
    """Return the fields that hold objects which are no messages, by the objects' names."""
    found = {}
    for field, schema in kind["properties"].items():
        for each in (schema, schema.get("items", {}), schema.get("additionalProperties", {})):
            name = _named(each)
            if name and not _is_message(name):
                found[name] = field
    return found


def _named(schema: Schema) -> str:
    """Return which type is meant; empty where it has no name."""
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)


def _is_message(name: str) -> bool:
    """Types that are messages are called as they call themselves, others after their class."""
    return name.islower()


def _table(kind: Schema) -> str:
    required = kind.get("required", [])
    lines = ["| field | value | what it says |", "|---|---|---|"]
    for field, schema in kind["properties"].items():
        if field in IN_EVERY_MESSAGE:
            continue
        value = value_words(schema)
        if required and field not in required:
            value += ", or missing"
        lines.append(f"| `{field}` | {value} | {_markdown(schema.get('description', ''))} |")
    return "\n".join([*lines, ""])


def value_words(schema: Schema) -> str:
    """Say in words what values a field has."""
    if "anyOf" in schema:
        return " or ".join(value_words(each) for each in schema["anyOf"])
    if name := _named(schema):
        return f"[{name}](#{name})" if _is_message(name) else "an object, below"
    if "const" in schema:
        return f"`{schema['const']}`" if schema["const"] != "" else "empty"
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if "title" in schema:
        return _markdown(schema["title"])
    if schema["type"] == "array":
        items = schema["items"]
        return "a list of objects, below" if _named(items) else f"a list: {value_words(items)}"
    if schema["type"] == "object":
        return f"for each name: {value_words(schema['additionalProperties'])}"
    words = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}
    return words.get(schema["type"], schema["type"]) + _limits(schema)


def _limits(schema: Schema) -> str:
    named = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
    named["exclusiveMaximum"] = "below"
    found = [f"{word} {schema[key]:g}" for key, word in named.items() if key in schema]
    return " ".join(["", *found])


def _topics() -> str:
    lines = ["| topic | value |", "|---|---|"]
    lines += [f"| `rtgenre/<node>/{topic}` | {does} |" for topic, does in TOPICS.items()]
    return "\n".join([*lines, ""])


def _markdown(text: str) -> str:
    return text.replace("``", "`").replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
