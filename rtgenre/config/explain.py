"""What is wrong with a value, in words; pydantic's own speak of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotated_types import Ge, Gt, Le, Lt

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_WORDS = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text in quotes",
    "path_type": "text in quotes",
    "tuple_type": 'a list, as in ["one", "two"]',
    "dict_type": "a table of its own",
    "model_type": "a table of its own",
    "dataclass_type": "a table of its own",
}


def explain(problem: Any, field: FieldInfo | None) -> str:
    """Say what a value must be.

    Args:
        problem: one of pydantic's ``ValidationError.errors()``.
        field: the setting's declaration; None where it is not known.
    """
    kind = str(problem["type"])
    limits = "" if field is None else _limits(field)
    if kind in _RANGE and limits:
        return f"it must be {limits}"
    if kind == "greater_than_equal":  # one of several kinds that are allowed
        return f"it must be a number from {problem['ctx']['ge']}"
    if kind.startswith(("int_", "float_")):
        number = "a whole number" if kind.startswith("int_") else "a number"
        return f"it must be {number}" + (f", {limits}" if limits else "")
    if kind == "tuple_type" and field is None:
        kind = "dict_type"  # [[source]], of which there may be several
    if kind in _WORDS:
        return f"it must be {_WORDS[kind]}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return message.replace("Input should be", "it must be", 1)


def limits_of(field: FieldInfo) -> tuple[float, float]:
    """Return the least and the most that a number with both limits may be."""
    bounds = {type(bound): bound for bound in field.metadata}
    return float(bounds[Ge].ge), float(bounds[Le].le)


def _limits(field: FieldInfo) -> str:
    """Return the range of a number in words; empty where it has none."""
    bounds = {type(bound): bound for bound in field.metadata}
    low, high = bounds.get(Ge), bounds.get(Le)
    if low is not None and high is not None:
        return f"{_number(low.ge)} to {_number(high.le)}"
    words = [
        f"{word} {_number(getattr(bounds[kind], name))}"
        for kind, name, word in (
            (Ge, "ge", "at least"),
            (Gt, "gt", "more than"),
            (Le, "le", "at most"),
            (Lt, "lt", "less than"),
        )
        if kind in bounds
    ]
    return " and ".join(words)


def _number(value: Any) -> str:
    return str(int(value)) if value == int(value) else str(value)
