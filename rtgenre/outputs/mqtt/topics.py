"""What is published over MQTT, as values; nothing here sends anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtgenre.messages.documents import AboutDocument, Document, StateDocument, StatusDocument

TOPICS = {
    "state": "the JSON [state](#state), with every window",
    "genre": "`jazz`, or `unknown`, or `silence`",
    "reason": (
        "why it is unknown: `not_music`, `unfamiliar`, `unsure`, or `gone` with the input; "
        "else `none`"
    ),
    "confidence": "`0.83`; `None` in silence and without music",
    "level": "`-21.4` (dBFS)",
    "color": "`#01cdbb`, the colour of the genre, calmed by `[lights]`",
    "problem": "why no audio comes, or `none`",
    "hint": "what might be set wrong, such as a muted microphone; else `none`",
    "status": "the JSON [status](#status); nothing while all has been well since the start",
    "about": "JSON: [about](#about) the machine. Comes before `online`",
    "availability": "`online`, or `offline`, also when the service is cut off",
}
"""What is retained below ``<prefix>/<node>/``, in Markdown for ``docs/messages.md``."""

ONLINE = "online"
OFFLINE = "offline"
NO_PROBLEM = "none"
NO_HINT = "none"
NO_REASON = "none"
"""The broker would not keep an empty message."""
GONE = "gone"
"""The reason why no genre is known of an input that has ended or is lost."""
NO_NUMBER = "None"
"""What Home Assistant's MQTT sensors take for an unknown number."""

CONFIDENCE_STEP = 0.05
"""When only changes are published: what a confidence must move by to count as one."""
LEVEL_STEP_DB = 3.0
"""The same for the level."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the broker."""

    topic: str
    payload: str
    retain: bool = True
    qos: int = 1
    within_seconds: float = 0.0
    """Sent at a random moment within this time, so that many nodes do not answer at once."""


class NodeTopics:
    """The topics of one node, and what to publish on them.

    Remembers what was published, so that it can tell changes: one is made for each connection.
    """

    def __init__(
        self,
        prefix: str,
        node: str,
        *,
        publish: Literal["change", "window"],
        colors: Mapping[str, str],
        qos: int = 1,
    ) -> None:
        """Take the settings.

        Args:
            prefix: the first part of every topic.
            node: the second part.
            publish: plain values only when they change, or with every window.
            colors: ``#rrggbb`` by genre, ``unknown`` and ``silence``; what has no colour
                publishes none.
            qos: MQTT's quality of service, 0 to 2.
        """
        self._base = f"{prefix}/{node}"
        self._every_window = publish == "window"
        self._colors = colors
        self._qos = qos
        # By topic, what was published last.
        self._published: dict[str, float | str] = {}

    def availability(self, payload: str) -> Message:
        """Return the message that the node is ``ONLINE`` or ``OFFLINE``."""
        return self._message("availability", payload)

    def introduction(self, about: AboutDocument) -> list[Message]:
        """Return what the node tells of itself."""
        return [self._document("about", about)]

    def on_connect(
        self, about: AboutDocument | None = None, *, status_follows: bool = False
    ) -> list[Message]:
        """Return what is said before anything else.

        Args:
            about: what the node tells of itself.
            status_follows: whether its status comes at once; a problem must not seem to end first.
        """
        introduction = [] if about is None else self.introduction(about)
        if status_follows:
            return [*introduction, self.availability(ONLINE)]
        return [
            *introduction,
            # An empty one takes away what an earlier process left with the broker.
            self._message("status", ""),
            self.availability(ONLINE),
            self._message("problem", NO_PROBLEM),
            self._message("hint", NO_HINT),
        ]

    def on_document(self, document: Document) -> list[Message]:
        """Return what this node publishes about one of its documents."""
        if document["type"] == "status":
            return self._on_status(document)
        return self._on_state(document) if document["type"] == "state" else []

    def _on_status(self, document: StatusDocument) -> list[Message]:
        messages = [
            self._document("status", document),
            self._message("problem", document["problem"] or NO_PROBLEM),
            self._message("hint", document["hint"] or NO_HINT),
        ]
        if document["gone"]:
            values = {"genre": "unknown", "reason": GONE, "confidence": NO_NUMBER}
            self._published.update(values)
            messages += [self._message(name, value) for name, value in values.items()]
        return messages

    def _on_state(self, document: StateDocument) -> list[Message]:
        genre = document["genre"] or document["state"]
        messages = [self._document("state", document)]
        if self._is_due("genre", genre):
            messages.append(self._message("genre", genre))
        reason = document["reason"] or NO_REASON
        if self._is_due("reason", reason):
            messages.append(self._message("reason", reason))
        confidence = document["confidence"]
        value = NO_NUMBER if confidence is None else confidence
        if self._is_due("confidence", value, CONFIDENCE_STEP):
            number = value if isinstance(value, str) else f"{value:.2f}"
            messages.append(self._message("confidence", number))
        if self._is_due("level", document["level_dbfs"], LEVEL_STEP_DB):
            messages.append(self._message("level", f"{document['level_dbfs']:.1f}"))
        color = self._colors.get(genre)
        if color is not None and self._is_due("color", color):
            messages.append(self._message("color", color))
        return messages

    def _is_due(self, name: str, value: float | str, step: float = 0.0) -> bool:
        last = self._published.get(name)
        if last is None or isinstance(last, str) or isinstance(value, str):
            changed = value != last
        else:
            changed = abs(value - last) >= step
        if changed or self._every_window:
            self._published[name] = value
        return changed or self._every_window

    def _document(self, name: str, document: AboutDocument | Document) -> Message:
        return self._message(name, json.dumps(document, ensure_ascii=False))

    def _message(self, name: str, payload: str) -> Message:
        return Message(f"{self._base}/{name}", payload, qos=self._qos)
