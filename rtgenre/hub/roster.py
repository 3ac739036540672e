"""The nodes of a house: takes in what they publish, and says what is to be told about them."""

from __future__ import annotations

import logging
import math
import time
from datetime import datetime
from typing import TYPE_CHECKING

from rtgenre import __version__
from rtgenre.history.report import duration_text
from rtgenre.hub.greeting import hub_hello
from rtgenre.hub.node import Node
from rtgenre.hub.reading import (
    DamagedMessageError,
    read_about,
    read_availability,
    read_state,
    read_status,
)
from rtgenre.messages.columns import MAX_SOURCES
from rtgenre.messages.payload import hub_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtgenre.hub.inbox import Incoming
    from rtgenre.messages.column_hub import ColumnHub
    from rtgenre.messages.documents import HelloDocument, PresenceDocument
    from rtgenre.messages.hub import Hub
    from rtgenre.monitoring.health import HealthDocument, NodeHealthDocument
    from rtgenre.monitoring.metrics import Metrics

MAX_NODES = MAX_SOURCES
SETTLE_SECONDS = 3.0
"""How soon after the hub has connected the broker has told what it knows of every node."""
TELL_EVERY_SECONDS = 600.0
_MAX_NAMED = 5

logger = logging.getLogger(__name__)


class Roster:
    """Every node that was heard since the start, in the order in which they came."""

    def __init__(
        self,
        hub: Hub,
        columns: ColumnHub,
        metrics: Metrics,
        *,
        instance: str,
        colors: Mapping[str, str],
    ) -> None:
        """Begin with no nodes.

        Args:
            hub: where documents are published.
            columns: where nodes are known whose spectrogram may be asked for.
            metrics: counts messages.
            instance: names this process.
            colors: of genres, for what no node names.
        """
        self._hub = hub
        self._columns = columns
        self._metrics = metrics
        self._instance = instance
        self._colors = colors
        self._nodes: dict[str, Node] = {}
        # Nodes that told what they are, in the order of the greeting's sources.
        self._shown: list[Node] = []
        self.names: dict[str, str] = {}
        """What people are shown in place of the nodes."""
        self._hello = hub_hello([], version=__version__, instance=instance, colors=colors)
        self._told: dict[str, PresenceDocument] = {}
        self._settled_at = float("inf")
        # When something was logged last, by what it is about.
        self._logged_at: dict[str, float] = {}
        # Why what the broker keeps is left out, by topic, and of which topics that was told.
        self._kept_problems: dict[str, str] = {}
        self._kept_told: set[str] = set()
        self.problem: str | None = None
        """Why no node is heard, or why only some are; None while all is well."""

    def hello(self) -> HelloDocument:
        """Return the greeting; the same object as long as nothing changes."""
        return self._hello

    def nodes(self) -> list[Node]:
        """Return the nodes that are shown."""
        return list(self._shown)

    def model_of(self, node: str) -> str | None:
        """Return the model that a node's history is kept with; None if it is not kept."""
        known = self._nodes.get(node)
        about = None if known is None else known.about
        if about is None or not about["realtime"]:
            return None
        hello = about["hello"]
        parts = (hello["model"], hello["model_version"], hello["model_checksum"])
        return " ".join(part for part in parts if part)

    def connected(self) -> None:
        """Note that the broker will now tell what it knows."""
        self._settled_at = time.monotonic() + SETTLE_SECONDS
        for node in self._nodes.values():
            # One that is away stays so until the broker says otherwise.
            if node.is_online:
                node.is_confirmed = False

    def set_problem(self, problem: str | None) -> None:
        """Tell everybody why no node is heard; None: they are."""
        if problem != self.problem:
            self.problem = problem
            self._hub.publish(hub_document(problem, time=time.time()))

    def receive(self, message: Incoming) -> None:
        """Take in a message, whatever is in it."""
        node = self._nodes.get(message.node)
        if not message.payload:
            # A retained message that was deleted.
            if message.kind == "availability" and node is not None:
                node.on_availability(is_online=False, now=time.monotonic())
                self._tell_presence(node)
            return
        if node is None:
            if len(self._nodes) >= MAX_NODES:
                self._log("too many", f"{MAX_NODES} nodes are shown; {message.node} is left out")
                return
            node = self._nodes[message.node] = Node(message.node)
        try:
            self._take(node, message)
        except DamagedMessageError as error:
            self._metrics.hub_damaged_messages.inc()
            if not message.live:
                self._kept_problems[f"…/{message.node}/{message.kind}"] = str(error)
                return
            self._log(
                f"damaged {message.node}",
                f"{message.node}: a message on …/{message.kind} is left out: {error}",
            )

    def tick(self) -> None:
        """Look, about once a second, at what time alone changes."""
        now = time.monotonic()
        if now > self._settled_at:
            self._settled_at = float("inf")
            for node in self._nodes.values():
                if not node.is_confirmed:
                    node.on_lost()
        if math.isinf(self._settled_at):
            self._tell_kept()
        for node in self._shown:
            self._tell_presence(node)
            if node.clock_is_off(now):
                self._log(
                    f"clock {node.name}",
                    f"{node.name}: its clock is {_ahead(node.clock_ahead_seconds)} the hub's, so "
                    "the history has what it plays at another time; let the network set both (NTP)",
                )
        # What the broker keeps of a node that was given up is no reason to speak.
        unknown = [n.name for n in self._nodes.values() if n.about is None and n.was_heard]
        if unknown:
            self._log(
                "without about",
                f"{', '.join(unknown[:_MAX_NAMED])}: not shown, since nothing says what it is; "
                "an rtgenre that is older than this one has to be updated",
            )

    def set_spectrogram_problem(self, node: Node, problem: str | None) -> None:
        """Tell everybody why a node has no spectrogram; None: it has, or nobody looks."""
        node.spectrogram_problem = problem
        self._tell_presence(node)

    def health(self, broker: str) -> tuple[bool, HealthDocument]:
        """Return whether nodes are heard, and the answer of ``GET /healthz``.

        A node that is away is no fault of the hub's.
        """
        now = time.monotonic()
        nodes: dict[str, NodeHealthDocument] = {}
        for node in self._shown:
            presence, about = node.presence(now, time=time.time()), node.about
            reason = presence["problem"] or node.input_problem
            nodes[node.name] = {
                "ok": reason is None,
                "host": "" if about is None else about["host"],
                "reason": reason,
                "seconds_since_message": round(now - node.claims.heard_at, 1),
            }
        ok = self.problem is None
        return ok, {
            "ok": ok,
            "version": __version__,
            "broker": {"address": broker, "ok": ok, "reason": self.problem},
            "nodes": nodes,
        }

    def _take(self, node: Node, message: Incoming) -> None:
        now, live = time.monotonic(), message.live
        node.was_heard |= live
        self._metrics.hub_messages.labels(node.name).inc()
        before = node.claims.holder
        if message.kind == "availability":
            node.on_availability(read_availability(message.payload), now)
        elif message.kind == "about":
            if node.on_about(read_about(node.name, message.payload), now, live=live):
                greeting = self._hello
                self._show(node)
                if self._hello is not greeting:
                    # A presence makes clients look at the greeting again.
                    self._told.pop(node.name, None)
        else:
            read = read_state if message.kind == "state" else read_status
            document = read(node.name, message.payload)
            if node.on_document(document, now, live=live):
                self._follow_holder(node, before)
                self._tell_presence(node)
                # Files at full speed have a time of their own.
                if live and document["type"] == "state" and node.about and node.about["realtime"]:
                    spoken_at = datetime.fromisoformat(document["time"]).timestamp()
                    node.on_time(spoken_at - time.time(), now)
                # What a node heard before it stopped, perhaps days ago, is not what plays there.
                if live or node.is_online or document["type"] != "state":
                    self._hub.publish(document)
                return
        self._follow_holder(node, before)
        self._tell_presence(node)

    def _show(self, node: Node) -> None:
        if node not in self._shown:
            self._columns.add(node.name)
            self._shown.append(node)
            logger.info("%s: found on %s", node.name, node.about["host"] if node.about else "?")
        self._greet_anew()

    def _follow_holder(self, node: Node, before: str | None) -> None:
        """Forget what another process said under the name."""
        if before is not None and node.claims.holder != before:
            self._hub.forget(node.name)
            self._told.pop(node.name, None)
            self._greet_anew()

    def _greet_anew(self) -> None:
        hellos = [node.hello for node in self._shown]
        greetings = [hello for hello in hellos if hello is not None]
        hello = hub_hello(
            greetings, version=__version__, instance=self._instance, colors=self._colors
        )
        if hello != self._hello:
            self._hello = hello
            self.names.update({each["node"]: each["name"] for each in hello["sources"]})

    def _tell_kept(self) -> None:
        """Warn of what the broker keeps and no node of this release said, once for all of it."""
        topics = sorted(self._kept_problems.keys() - self._kept_told)
        if not topics:
            return
        self._kept_told.update(topics)
        others = f" and {len(topics) - _MAX_NAMED} more" if len(topics) > _MAX_NAMED else ""
        logger.warning(
            "what the broker keeps on %s%s is left out (%s); of a room that is gone "
            "`mosquitto_pub -r -n -t TOPIC` deletes it",
            ", ".join(topics[:_MAX_NAMED]),
            others,
            self._kept_problems[topics[0]],
        )

    def _tell_presence(self, node: Node) -> None:
        if node.about is None:
            return
        told = self._told.get(node.name)
        presence = node.presence(time.monotonic(), time=time.time())
        if told is not None and {**told, "time": presence["time"]} == presence:
            return
        self._told[node.name] = presence
        self._metrics.hub_node_present.labels(node.name).set(presence["present"])
        if presence["problem"] != (None if told is None else told["problem"]):
            logger.info("%s: %s", node.name, presence["problem"] or "is there")
        self._hub.publish(presence)

    def _log(self, subject: str, text: str) -> None:
        """Warn, but of one subject only now and then."""
        now = time.monotonic()
        if now - self._logged_at.get(subject, float("-inf")) >= TELL_EVERY_SECONDS:
            self._logged_at[subject] = now
            logger.warning("%s", text)


def _ahead(seconds: float) -> str:
    days = round(abs(seconds) / 86400)
    how_far = f"{days} days" if days > 1 else duration_text(abs(seconds))
    return f"{how_far} {'ahead of' if seconds > 0 else 'behind'}"
