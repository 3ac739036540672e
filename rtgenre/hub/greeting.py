"""What a hub greets its clients with, made from what its nodes greet theirs with; pure."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from rtgenre.messages.payload import spectrogram_scale
from rtgenre.messages.version import SCHEMA_VERSION
from rtgenre.outputs.colors import complete_colors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rtgenre.messages.documents import HelloDocument, HelloSource

_MODEL = (
    *("model", "model_version", "model_checksum", "labels", "colors"),
    *("window_seconds", "hop_seconds", "spectrogram"),
)
"""What nodes may differ in."""


def hub_hello(
    hellos: Sequence[HelloDocument], *, version: str, instance: str, colors: Mapping[str, str]
) -> HelloDocument:
    """Build the greeting of a hub.

    What most nodes have in common stands in the greeting itself, the rest with each source.

    Args:
        hellos: the nodes' own, each with one source.
        version: the hub's.
        instance: the hub's.
        colors: the hub's, for what no node names.
    """
    common = _commonest(hellos) if hellos else _without_nodes(colors)
    labels = {label for hello in hellos for label in hello["labels"]}
    merged: dict[str, Any] = {
        **common,
        "version": version,
        "instance": instance,
        # Those of a node are changed on its own page.
        "settings": False,
        "colors": complete_colors({**colors, **common["colors"]}, labels),
        "sources": [_source(hello, common) for hello in hellos],
    }
    return cast("HelloDocument", merged)


def _source(hello: HelloDocument, common: HelloDocument) -> HelloSource:
    own, shared = cast("dict[str, Any]", hello), cast("dict[str, Any]", common)
    different = {key: own[key] for key in _MODEL if own[key] != shared[key]}
    return cast("HelloSource", {**hello["sources"][0], **different})


def _commonest(hellos: Iterable[HelloDocument]) -> HelloDocument:
    by_text = {json.dumps([dict(hello)[key] for key in _MODEL]): hello for hello in hellos}
    counts = Counter(json.dumps([dict(hello)[key] for key in _MODEL]) for hello in hellos)
    return by_text[counts.most_common(1)[0][0]]


def _without_nodes(colors: Mapping[str, str]) -> HelloDocument:
    return {
        "schema": SCHEMA_VERSION,
        "type": "hello",
        "version": "",
        "model": "",
        "model_version": "",
        "model_checksum": "",
        "labels": [],
        "colors": dict(colors),
        "window_seconds": 4.0,
        "hop_seconds": 2.0,
        "spectrogram": spectrogram_scale(),
        "sources": [],
        "settings": False,
        "instance": "",
    }
