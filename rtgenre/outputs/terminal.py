"""What is printed: a live readout, one line per change, or one JSON document per line."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Group
    from rich.text import Text

    from rtgenre.hub import Hub
    from rtgenre.payload import Document, StateDocument

Format = Literal["live", "plain", "json"]

_BAR_WIDTH = 40
_RECENT_GENRES = 8
_METER_FLOOR_DBFS = -60.0
_LISTENING = "listening for the first window …"

logger = logging.getLogger(__name__)


class TerminalOutput:
    """Prints what the hub publishes, without ever holding up a live source."""

    def __init__(
        self, output_format: Format, *, colors: Mapping[str, str], stream: TextIO | None = None
    ) -> None:
        self._format = output_format
        self._colors = colors
        self._stream = stream if stream is not None else sys.stdout
        # Why nothing can be printed, when standard output is a file; None while all is well.
        self._problem: str | None = None

    async def run(self, hub: Hub) -> None:
        """Print until cancelled.

        Raises:
            BrokenPipeError: nobody reads the output any more.
        """
        if self._format == "live":
            await self._run_live(hub)
            return
        shown: dict[str, tuple[str, str | None]] = {}
        with hub.subscribe(patient=True) as subscription:
            while True:
                document = await subscription.get()
                line = (
                    json.dumps(document)
                    if self._format == "json"
                    else _changed_line(document, shown)
                )
                if line is not None:
                    await asyncio.to_thread(self._print, line)

    async def _run_live(self, hub: Hub) -> None:
        from rich.console import Console  # noqa: PLC0415 - only the live readout needs it
        from rich.live import Live  # noqa: PLC0415

        console = Console(file=self._stream)
        readouts: dict[str, Readout] = {}
        with (
            hub.subscribe(patient=True) as subscription,
            Live(_LISTENING, console=console, auto_refresh=False) as live,
        ):
            while True:
                document = await subscription.get()
                readout = readouts.setdefault(document["node"], Readout(self._colors))
                readout.update(document)
                panel = _stack([readout.render() for readout in readouts.values()])
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


class Readout:
    """One source's place in the live readout."""

    def __init__(self, colors: Mapping[str, str]) -> None:
        self._colors = colors
        self._state: StateDocument | None = None
        self._problem: str | None = None
        # What was shown before, with the local time it began.
        self._recent: deque[tuple[str, str]] = deque(maxlen=_RECENT_GENRES)

    def update(self, document: Document) -> None:
        """Take in a document about this source."""
        if document["type"] == "status":
            self._problem = document["problem"]
            return
        title = document["genre"] or document["state"]
        if not self._recent or self._recent[-1][1] != title:
            self._recent.append((_local_time(document["since"]), title))
        self._state = document

    def render(self) -> Group:
        """Draw the readout as it stands."""
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        if self._state is None:
            return Group(Text(self._problem or _LISTENING, style="dim"))
        state = self._state
        title = state["genre"] or state["state"]
        color = self._colors.get(title, "#9aa0a6")
        heading = Text()
        heading.append(f" {title.upper()} ", style=f"bold white on {color}")
        heading.append(f"  {state['confidence']:.0%}", style="bold")
        heading.append(f"  for {_duration(state)}", style="dim")
        lines = [heading, Text()]
        lines += [self._bar(label, p, state) for label, p in state["probabilities"].items()]
        lines += [Text(), _meter(state), self._recent_line()]
        if self._problem is not None:
            lines.append(Text(f"! {self._problem}", style="bold red"))
        lines.append(Text(f"{state['node']} · {state['source']}", style="dim"))
        return Group(*lines)

    def _bar(self, label: str, probability: float, state: StateDocument) -> Text:
        from rich.text import Text  # noqa: PLC0415

        filled = round(probability * _BAR_WIDTH)
        raw = min(_BAR_WIDTH - 1, round(state["raw_probabilities"][label] * _BAR_WIDTH))
        style = "bold" if label == state["genre"] else ""
        text = Text(f"{label:>10} ", style=style)
        for position in range(_BAR_WIDTH):
            if position < filled:
                text.append("█", style=self._colors.get(label, "white"))
            else:
                text.append("╵" if position == raw and raw else "·", style="dim")
        text.append(f" {probability:4.0%}", style=style)
        return text

    def _recent_line(self) -> Text:
        from rich.text import Text  # noqa: PLC0415

        text = Text("    recent ", style="dim")
        for index, (since, title) in enumerate(self._recent):
            text.append(" → " if index else "", style="dim")
            text.append(f"{since} ", style="dim")
            text.append(title, style=self._colors.get(title, "white"))
        return text


def _changed_line(document: Document, shown: dict[str, tuple[str, str | None]]) -> str | None:
    """Return the plain line for a document, or None if it brings nothing new to read."""
    prefix = f"{_local_time(document['time'])}  {document['node']}"
    if document["type"] == "status":
        return f"{prefix}  {document['problem'] or 'input is back'}"
    current = (document["state"], document["genre"])
    if shown.get(document["node"]) == current:
        return None
    shown[document["node"]] = current
    if document["genre"] is None:
        return f"{prefix}  {document['state']}  ({document['level_dbfs']:.0f} dBFS)"
    return (
        f"{prefix}  {document['genre']}  {document['confidence']:.0%}"
        f"  ({document['level_dbfs']:.0f} dBFS)"
    )


def _meter(state: StateDocument) -> Text:
    from rich.text import Text  # noqa: PLC0415

    level_dbfs = state["level_dbfs"]
    share = min(1.0, max(0.0, 1 - level_dbfs / _METER_FLOOR_DBFS))
    filled = round(share * _BAR_WIDTH)
    text = Text("     level ", style="dim")
    text.append("▮" * filled, style="green" if level_dbfs < -6 else "yellow")
    text.append("▯" * (_BAR_WIDTH - filled), style="dim")
    text.append(f" {level_dbfs:.0f} dBFS")
    if state["clipped_samples"]:
        text.append("  clipping", style="bold red")
    return text


def _stack(groups: list[Group]) -> Group:
    from rich.console import Group as RichGroup  # noqa: PLC0415
    from rich.rule import Rule  # noqa: PLC0415

    parts: list[Group | Rule] = []
    for index, group in enumerate(groups):
        if index:
            parts.append(Rule(style="dim"))
        parts.append(group)
    return RichGroup(*parts)


def _duration(state: StateDocument) -> str:
    elapsed = datetime.fromisoformat(state["time"]) - datetime.fromisoformat(state["since"])
    minutes, seconds = divmod(round(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _local_time(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().strftime("%H:%M:%S")
