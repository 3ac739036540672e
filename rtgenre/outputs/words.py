"""What documents say, in people's words; the page's words.js says the same. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rtgenre.messages.payload import playing_text

if TYPE_CHECKING:
    from rtgenre.messages.documents import StateDocument

OTHER_MUSIC = "other music"
_HEADLINES = {"not_music": "no music", "unsure": "not sure yet"}
_DEVICES = {
    "default": "default input",
    "sysdefault": "default input",
    "pulse": "sound server (PulseAudio)",
    "pipewire": "sound server (PipeWire)",
}
_KINDS = re.compile(r"(device|file|stream|pipe|demo): (.*)", re.DOTALL)
_CARD = re.compile(r" \(hw:\d+,\d+\)$")


def headline(document: StateDocument) -> str:
    """Return what is playing in a word or two."""
    said = document["genre"] or document["state"]
    return _HEADLINES.get(document["reason"] or "", said)


def remark(document: StateDocument) -> str:
    """Return how sure the genre is, or why none is named; empty where there is no more to say."""
    if document["state"] == "music":
        return f"{document['confidence']:.0%}"
    if document["reason"] == "unfamiliar":
        return "music, but none of my genres"
    if not is_judged(document):
        return ""
    probabilities = document["probabilities"]
    likeliest = max(probabilities, key=probabilities.__getitem__)
    return f"perhaps {likeliest}, {document['confidence']:.0%}"


def is_judged(document: StateDocument) -> bool:
    """Say whether genres mean anything: not in silence, nor where there is no music."""
    return document["confidence"] is not None


def playing(document: StateDocument) -> str:
    """Return what plays in one text, as far as that is said; empty where it is not."""
    return playing_text(document["artist"], document["title"])


def source_name(source: str) -> str:
    """Return a source for people: ``device: default`` is the default input."""
    match = _KINDS.fullmatch(source)
    if match is None:
        return source
    kind, name = match.groups()
    if kind == "device":
        return _DEVICES.get(name, _CARD.sub("", name))
    if kind == "demo":
        return f"demo ({name})"
    return name
