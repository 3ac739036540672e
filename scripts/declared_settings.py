"""What the code says of each setting: its default, what is allowed, and what it does."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from rtgenre.config import Config, SourceConfig, settings_of
from rtgenre.outputs.colors import GENRE_COLORS


@dataclass(frozen=True)
class Setting:
    """One setting of a table."""

    name: str
    value: str
    """As TOML: the default, or an example where there is none."""
    is_set: bool
    """Whether there is a default."""
    allowed: str
    """In words, for people."""
    limits: str
    """The part of that which a comment beside the value needs."""
    does: str
    """What it does, in sentences."""


@dataclass(frozen=True)
class Table:
    """One table of settings."""

    name: str
    is_for: str
    settings: list[Setting]


def tables() -> list[Table]:
    """Return all tables, in the order of the settings file."""
    introductions = field_docstrings(Config)
    return [Table(name, introductions[name], _settings(name)) for name in Config.model_fields]


def _settings(table: str) -> list[Setting]:
    if table == "colors":
        return [
            Setting(name, json.dumps(color), True, "a colour: `#rrggbb`", "", "")
            for name, color in GENRE_COLORS.items()
        ]
    model = SourceConfig if table == "source" else Config.model_fields[table].annotation
    docstrings = field_docstrings(model)
    return [
        Setting(
            name=name,
            value=_toml(field.examples[0] if field.examples else _default(field)),
            is_set=not field.examples,
            allowed=allowed(field.annotation, field.metadata),
            limits=_beside(field.annotation, field.metadata),
            does=docstrings.get(name, ""),
        )
        for name, field in settings_of(model).items()
    ]


def field_docstrings(model: type) -> dict[str, str]:
    """Return what stands below each field of a class and of those that it extends."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if not part.__module__.startswith("rtgenre"):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(below.value.value.split())
    return found


def _default(field: Any) -> Any:
    if field.default is not PydanticUndefined:
        return field.default
    # Lamps are a list where there is one room.
    value = field.default_factory()
    return [] if value == {} and get_origin(get_args(field.annotation)[1]) is tuple else value


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _beside(annotation: Any, metadata: list[Any]) -> str:
    """Say what is allowed where the value beside it does not show it."""
    if annotation in (int, float):
        return _limits(metadata).removeprefix(", ").capitalize()
    if any(get_origin(part) is Literal for part in (annotation, *get_args(annotation))):
        return allowed(annotation, metadata).replace("`", "")
    return ""


def allowed(annotation: Any, metadata: list[Any] | tuple[Any, ...] = ()) -> str:
    """Say in words what values a type has."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [m for part in parts[1:] for m in getattr(part, "metadata", [part])]
        return allowed(parts[0], inner)
    if origin is Literal:
        return " or ".join(
            f'`"{value}"`' if isinstance(value, str) else f"`{value}`" for value in parts
        )
    if origin in (Union, types.UnionType):
        return " or ".join(allowed(part, metadata) for part in parts if part is not type(None))
    if origin is tuple:
        return f"a list: {allowed(parts[0])}"
    if origin is dict:
        if get_origin(parts[1]) is tuple:
            return "a list of names, or a table of lists by node"
        return f"a table, for each name {allowed(parts[1])}"
    names = {bool: "`true` or `false`", Path: "a file", int: "a whole number", float: "a number"}
    return names.get(annotation, "text") + _limits(metadata)


def _limits(metadata: list[Any] | tuple[Any, ...]) -> str:
    words = []
    for limit in metadata:
        match limit:
            case Ge():
                words.append(f"from {limit.ge:g}")
            case Gt():
                words.append(f"above {limit.gt:g}")
            case Le():
                words.append(f"to {limit.le:g}")
            case MinLen() if limit.min_length:
                words.append(f"at least {limit.min_length} character")
            case MaxLen():
                words.append(f"at most {limit.max_length} characters")
    return ", " + " ".join(words) if words else ""
