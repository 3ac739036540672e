"""One room's place in the live readout of the terminal, as tall and wide as there is room."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from rtgenre.outputs.colors import GENRE_COLORS, ink
from rtgenre.outputs.words import OTHER_MUSIC, headline, is_judged, playing, remark, source_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Group
    from rich.text import Text

    from rtgenre.messages.documents import Document, StateDocument

LISTENING = "listening for the first window …"

FINE = 2
"""The rank of a room that needs no attention."""

_BAR_WIDTH = 40
# What stands beside the level's bar when it is longest.
_BESIDE_BAR = 30
_LABEL_WIDTH = 11
_RECENT_GENRES = 8
_METER_FLOOR_DBFS = -60.0
_NO_COLOR = GENRE_COLORS["unknown"]
_NO_MUSIC = "no music"


class Readout:
    """What is known of one room, and how it is drawn."""

    def __init__(self, colors: Mapping[str, str], name: str = "") -> None:
        """Begin with nothing heard; ``name`` is shown in place of the node."""
        self._colors = colors
        self.name = name
        """What people call the room."""
        self._state: StateDocument | None = None
        # Why nothing is heard: of the source, and of a hub that hears nothing of the node.
        self._input_problem: str | None = None
        self._absence: str | None = None
        # What only might be wrong.
        self._hint: str | None = None
        # What was shown before: when it began, in local time, its genre or state, and how it was
        # called then.
        self._recent: deque[tuple[str, str, str]] = deque(maxlen=_RECENT_GENRES)

    def update(self, document: Document) -> None:
        """Take in a document about this source."""
        if document["type"] == "presence":
            self._absence = document["problem"]
            return
        if document["type"] == "status":
            self._input_problem = document["problem"]
            self._hint = document["hint"]
            if document["gone"]:
                self._state = None
            return
        if document["type"] != "state":
            return
        title = document["genre"] or document["state"]
        if not self._recent or self._recent[-1][1] != title:
            self._recent.append((local_time(document["since"]), title, headline(document)))
        self._state = document

    @property
    def rank(self) -> int:
        """How urgently it needs attention: 0 is not heard, 1 may not be as wanted, else fine."""
        if self._problem is not None:
            return 0
        return FINE if self._hint is None else 1

    @property
    def _problem(self) -> str | None:
        return self._absence or self._input_problem

    def render(self, width: int = 80, height: int = 40) -> Group:
        """Draw the readout in at most ``height`` lines of ``width`` characters.

        Where there is no room for everything the bars of less likely genres go first, then what
        was heard before, then the level.
        """
        from rich.console import Group
        from rich.text import Text

        if self._state is None:
            return Group(_fitted(self._waiting()))
        bar_width = max(5, min(_BAR_WIDTH, width - _BESIDE_BAR))
        foot = [self._footer(self._state)]
        if self._problem is not None:
            foot.insert(0, Text(f"! {self._problem}", style="bold red"))
        elif self._hint is not None:
            foot.insert(0, Text(self._hint))
        foot = foot[: height - 1]
        left = height - 1 - len(foot)
        under_bars = [_meter(self._state, bar_width), self._recent_line(width)][:left]
        bars = self._bars(self._state, bar_width, left - len(under_bars))
        heading = self._heading(self._state, with_room=height == 1)
        return Group(*[_fitted(line) for line in (heading, *bars, *under_bars, *foot)])

    def _waiting(self) -> Text:
        """Say what is to be said before the first window."""
        from rich.text import Text

        room = f"{self.name}  " if self.name else ""
        if self._problem is not None:
            return Text.assemble(room, (f"! {self._problem}", "bold red"))
        return Text(f"{room}{self._hint or LISTENING}", style="dim")

    def _heading(self, state: StateDocument, *, with_room: bool) -> Text:
        from rich.text import Text

        color = self._colors.get(state["genre"] or state["state"], _NO_COLOR)
        text = Text()
        text.append(f" {headline(state).upper()} ", style=f"bold {ink(color)} on {color}")
        if said := remark(state):
            text.append(f"  {said}", style="bold")
        text.append(f"  for {_duration(state)}", style="dim")
        if with_room:
            text.append(f"  {self.name or state['node']}")
            text.append(f"  ! {self._problem}" if self._problem else "", style="bold red")
            text.append(f"  {self._hint}" if self.rank == 1 else "")
        return text

    def _footer(self, state: StateDocument) -> Text:
        from rich.text import Text

        parts = [self.name or state["node"], source_name(state["source"])]
        # A single file's name says no more than its source.
        if playing(state) and playing(state) not in parts:
            parts.append(playing(state))
        return Text(" · ".join(parts), style="dim")

    def _bars(self, state: StateDocument, width: int, height: int) -> list[Text]:
        """Draw as many genres as there are lines, the likeliest ones where not all have room."""
        from rich.text import Text

        genres = dict(state["probabilities"])
        # Where nothing is judged, none is likelier than others.
        if height < 1 or (height < len(genres) and not is_judged(state)):
            return []
        shown = sorted(genres, key=genres.__getitem__, reverse=True)[:height]
        lines = [self._bar(label, width, state) for label in genres if label in shown]
        if height > len(lines):
            lines.append(self._no_music_bar(width, state))
        if height > len(lines):
            lines.insert(-1, self._other_music_bar(width, state))
        if height >= len(lines) + 2:
            lines = [Text(), *lines, Text()]
        return lines

    def _bar(self, label: str, width: int, state: StateDocument) -> Text:
        probability, raw = 0.0, 0.0
        if is_judged(state):
            probability = state["probabilities"][label] * state["familiar_probability"]
            raw = state["raw_probabilities"][label] * state["familiar_probability"]
        style = "bold" if label == state["genre"] else "" if is_judged(state) else "dim"
        value = f"{probability:4.0%}" if is_judged(state) else "   –"
        return _bar(
            label.replace("_", " "),
            value,
            probability,
            raw,
            width,
            color=self._colors.get(label, "white"),
            style=style,
        )

    def _other_music_bar(self, width: int, state: StateDocument) -> Text:
        judged = is_judged(state)
        probability = 1 - state["familiar_probability"] if judged else 0.0
        value = f"{probability:4.0%}" if judged else "   –"
        color = self._colors.get("unknown", _NO_COLOR)
        style = "bold" if state["reason"] == "unfamiliar" else "dim"
        return _bar(OTHER_MUSIC, value, probability, 0.0, width, color=color, style=style)

    def _no_music_bar(self, width: int, state: StateDocument) -> Text:
        silent = state["state"] == "silence"
        probability = 0.0 if silent else 1 - state["music_probability"]
        value = "   –" if silent else f"{probability:4.0%}"
        color = self._colors.get("unknown", _NO_COLOR)
        style = "bold" if state["state"] == "unknown" and not is_judged(state) else "dim"
        return _bar(_NO_MUSIC, value, probability, 0.0, width, color=color, style=style)

    def _recent_line(self, width: int) -> Text:
        """Draw what was heard before, the newest last, as much of it as fits."""
        from rich.text import Text

        shown: list[tuple[str, str, str]] = []
        left = width - _LABEL_WIDTH - 1
        for since, title, words in reversed(self._recent):
            left -= len(f" → {since} {words}")
            if left < 0 and shown:
                break
            shown.insert(0, (since, title, words))
        text = Text(f"{'recent':>{_LABEL_WIDTH}} ", style="dim")
        for index, (since, title, words) in enumerate(shown):
            text.append(" → " if index else "", style="dim")
            text.append(f"{since} ", style="dim")
            text.append(words, style=self._colors.get(title, "white"))
        return text


def _fitted(text: Text) -> Text:
    """Return a line that is cut rather than broken."""
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _bar(
    label: str, value: str, share: float, raw: float, width: int, *, color: str, style: str
) -> Text:
    from rich.text import Text

    filled = round(share * width)
    tick = min(width - 1, round(raw * width))
    text = Text(f"{label[:_LABEL_WIDTH]:>{_LABEL_WIDTH}} ", style=style)
    for position in range(width):
        if position < filled:
            text.append("█", style=color)
        else:
            text.append("╵" if position == tick and tick else "·", style="dim")
    text.append(f" {value}", style=style)
    return text


def _meter(state: StateDocument, width: int) -> Text:
    from rich.text import Text

    level_dbfs = state["level_dbfs"]
    share = min(1.0, max(0.0, 1 - level_dbfs / _METER_FLOOR_DBFS))
    filled = round(share * width)
    text = Text(f"{'level':>{_LABEL_WIDTH}} ", style="dim")
    text.append("▮" * filled, style="green" if level_dbfs < -6 else "yellow")
    text.append("▯" * (width - filled), style="dim")
    text.append(f" {level_dbfs:.0f} dBFS")
    if state["clipped_samples"]:
        text.append("  clipping", style="bold red")
    return text


def _duration(state: StateDocument) -> str:
    elapsed = datetime.fromisoformat(state["time"]) - datetime.fromisoformat(state["since"])
    minutes, seconds = divmod(round(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def local_time(time: str) -> str:
    """Write a document's time as the clock on the wall shows it."""
    return datetime.fromisoformat(time).astimezone().strftime("%H:%M:%S")
