"""What is printed: a live readout, one line per change, or one JSON document per line."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Literal, TextIO

from rtgenre.model.standard_error import quiet_below
from rtgenre.outputs.readout import LISTENING, Readout, local_time
from rtgenre.outputs.room_stack import stack
from rtgenre.outputs.words import headline, playing, remark
from rtgenre.threads import LimitedCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.live import Live

    from rtgenre.config import Config
    from rtgenre.messages.documents import Document, PresenceDocument, StateDocument, StatusDocument
    from rtgenre.messages.hub import Hub, Subscription

Format = Literal["live", "plain", "json"]

PAGE_SECONDS = 6.0
"""For how long rooms are shown that do not all have room."""
GOODBYE_SECONDS = 1.0
_REDRAW_SECONDS = 0.25
"""At most so often the rooms are drawn, where they are many."""
_FEW_ROOMS = 8

logger = logging.getLogger(__name__)


def open_terminal(
    config: Config, *, colors: Mapping[str, str], names: Mapping[str, str]
) -> TerminalOutput | None:
    """Return what prints, as the settings say; None where nothing is printed."""
    chosen = config.terminal.format
    if chosen == "off":
        return None
    if chosen == "auto":
        chosen = "live" if sys.stdout.isatty() else "plain"
    return TerminalOutput(chosen, colors=colors, names=names)


class TerminalOutput:
    """Prints what the hub publishes, without ever holding up a live source."""

    def __init__(
        self,
        output_format: Format,
        *,
        colors: Mapping[str, str],
        names: Mapping[str, str] | None = None,
        stream: TextIO | None = None,
    ) -> None:
        """Prepare.

        Args:
            output_format: what is printed.
            colors: of genres, as ``#rrggbb``.
            names: what people see in place of nodes.
            stream: where to print, standard output by default.
        """
        self._format = output_format
        # Readouts keep it, so it is changed in place.
        self._colors = dict(colors)
        self._names = names or {}
        self._stream = stream if stream is not None else sys.stdout
        # Why nothing can be printed, when standard output is a file; None while all is well.
        self._problem: str | None = None

    def recolor(self, colors: Mapping[str, str]) -> None:
        """Take over colours, for genres that are new."""
        self._colors.update(colors)

    async def run(self, hub: Hub) -> None:
        """Print until cancelled.

        Raises:
            BrokenPipeError: nobody reads the output any more.
        """
        if self._format == "live":
            await self._run_live(hub)
            return
        plain = PlainLines(self._names)
        with hub.subscribe(lossless=True) as subscription:
            while True:
                document = await subscription.get()
                lines = [json.dumps(document)]
                if self._format == "plain":
                    lines = plain.lines(document)
                if lines:
                    await asyncio.to_thread(self._print, "\n".join(lines))

    async def _run_live(self, hub: Hub) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream)
        readouts: dict[str, Readout] = {}
        # When, on the monotonic clock, it was drawn last, and is to be drawn though nothing comes.
        drawn_at, redraw_at = -math.inf, None
        live = Live(LISTENING, console=console, auto_refresh=False)
        async with AsyncExitStack() as resources:
            subscription = resources.enter_context(hub.subscribe(lossless=True))
            resources.enter_context(quiet_below())
            live.start(refresh=True)
            resources.push_async_callback(_end, live)
            while True:
                document = await _next_document(subscription, redraw_at)
                if document is not None:
                    if document["type"] == "hub":
                        continue
                    node = document["node"]
                    new = Readout(self._colors, self._names.get(node, node))
                    readouts.setdefault(node, new).update(document)
                    if len(readouts) > _FEW_ROOMS and time.monotonic() < drawn_at + _REDRAW_SECONDS:
                        redraw_at = drawn_at + _REDRAW_SECONDS
                        continue
                redraw_at, drawn_at = None, time.monotonic()
                page = int(drawn_at / PAGE_SECONDS)
                panel = stack(list(readouts.values()), console.width, console.height, page=page)
                await asyncio.to_thread(live.update, panel, refresh=True)

    def _print(self, line: str) -> None:
        """Print a line; a full disk only misses it."""
        problem = None
        try:
            print(line, file=self._stream, flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            problem = error.strerror
        if problem == self._problem:
            return
        self._problem = problem
        if problem is None:
            logger.info("standard output is written again")
        else:
            logger.warning("standard output cannot be written: %s; lines are missing", problem)


async def _end(live: Live) -> None:
    """Give the terminal back, unless it is gone or takes nothing."""
    with suppress(OSError, TimeoutError):
        await LimitedCalls(1).call(live.stop, GOODBYE_SECONDS)


async def _next_document(subscription: Subscription, until: float | None) -> Document | None:
    """Wait for a document; None when the monotonic clock reaches ``until`` without one."""
    try:
        async with asyncio.timeout(None if until is None else until - time.monotonic()):
            return await subscription.get()
    except TimeoutError:
        return None


class PlainLines:
    """Turns documents into lines, one for each change."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Begin with nothing shown; ``names`` are shown in place of nodes."""
        self._names = names
        # What was said last of each node: the genre, and what plays.
        self._said: dict[str, tuple[str, str]] = {}
        # Why it is not heard, or what might be wrong with it.
        self._status: dict[str, str] = {}
        # And whether a node of a hub is there.
        self._presence: dict[str, str] = {}

    def lines(self, document: Document) -> list[str]:
        """Return the lines for a document; none if it brings nothing new to read."""
        node = document["node"]
        prefix = f"{local_time(document['time'])}  {self._names.get(node, node)}"
        if document["type"] == "hub":
            return [f"{local_time(document['time'])}  {document['problem'] or 'the hub listens'}"]
        if document["type"] == "presence":
            return self._presence_lines(prefix, document)
        if document["type"] == "status":
            return self._status_lines(prefix, document)
        heard, played = self._said.get(node, ("", ""))
        self._said[node] = (headline(document), playing(document))
        lines = []
        if playing(document) not in {"", played}:
            lines.append(f"{prefix}  playing {playing(document)}")
        if headline(document) != heard:
            lines.append(f"{prefix}  {_change(document)}")
        return lines

    def _status_lines(self, prefix: str, document: StatusDocument) -> list[str]:
        """Say what is lost or back, once."""
        node = document["node"]
        if document["gone"]:
            # What comes next is new, though it be the same genre.
            self._said.pop(node, None)
        said = document["problem"] or document["hint"] or "input is back"
        if self._status.get(node) == said:
            return []
        self._status[node] = said
        return [f"{prefix}  {said}"]

    def _presence_lines(self, prefix: str, document: PresenceDocument) -> list[str]:
        """Say whether a node is there, where that or the reason has changed."""
        node, problem = document["node"], document["problem"]
        said = problem or ("is there" if document["present"] else "")
        if not said or self._presence.get(node) == said:
            return []
        self._presence[node] = said
        return [f"{prefix}  {said}"]


def _change(document: StateDocument) -> str:
    said = [headline(document), remark(document), f"({document['level_dbfs']:.0f} dBFS)"]
    return "  ".join(text for text in said if text)
