"""The lamps of one room, as a change to the lists in the file, which may be of several rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtgenre.config.errors import ConfigError
from rtgenre.config.smarthome import FIRST_NODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.config.settings import Config
    from rtgenre.config.writing import Changes, Value

LAMP_KINDS = ("wled", "zigbee2mqtt")
MAX_LAMPS = 64


def checked_lamps(lamps: dict[str, Value]) -> None:
    """Refuse what is no list of lamps by kind.

    Raises:
        ConfigError: it is something else, or there are too many.
    """
    if not lamps.keys() <= set(LAMP_KINDS) or not all(
        isinstance(names, list) and len(names) <= MAX_LAMPS for names in lamps.values()
    ):
        raise ConfigError(
            f"[lights] of a room takes {' and '.join(LAMP_KINDS)}, each a list of at most "
            f"{MAX_LAMPS} names; change others in the file"
        )


def in_the_files_form(
    changes: Changes, file: dict[str, Any], node: str, nodes: Sequence[str]
) -> Changes:
    """Return changes whose lists of a room's lamps are written as the file has them.

    Args:
        changes: what is to be set; lists of lamps are those of ``node``.
        file: what is in the file.
        node: the room.
        nodes: all rooms; a list that names no room is the first one's.
    """
    if "lights" not in changes:
        return changes
    written = file.get("lights")
    written = written if isinstance(written, dict) else {}
    return changes | {
        "lights": {
            kind: _of_room(written.get(kind), names, node, nodes[0])
            for kind, names in changes["lights"].items()
        }
    }


def _of_room(written: object, names: Any, node: str, first: str) -> Value:
    if isinstance(written, dict):
        if node == first and node not in written and FIRST_NODE in written:
            return {FIRST_NODE: names}
        return {node: names}
    if node == first:
        return list(names)
    return {first: list(written), node: names} if isinstance(written, list) else {node: names}


def refuse_other_lamps(config: Config, asked: Changes, node: str) -> None:
    """Refuse settings in which a room has other lamps than were asked for.

    Raises:
        ConfigError: the file gives the room further ones in another place.
    """
    first = node == config.source[0].node
    found = dict(zip(LAMP_KINDS, config.lights.lamps(node, first=first), strict=True))
    for kind, names in asked.get("lights", {}).items():
        if list(found[kind]) != [str(name).strip("/") for name in names]:  # type: ignore[union-attr]
            raise ConfigError(
                f"the file gives {node!r} lamps in two places of [lights] {kind}; change it there"
            )
