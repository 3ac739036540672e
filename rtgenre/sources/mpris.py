"""Asks the media players of this desktop what they play: MPRIS, over the session's D-Bus."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbus_fast import Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError
from dbus_fast.unpack import unpack_variants

from rtgenre.errors import one_line
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.players import Players, is_player

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtgenre.types import Track

CONNECT_SECONDS = 10.0
# A player that hangs is asked again when it next says that something is new.
ANSWER_SECONDS = 3.0
# What players say in between is taken together.
PAUSE_SECONDS = 0.2
MAX_PLAYERS = 32

_BUS = "org.freedesktop.DBus"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_PLAYER = "org.mpris.MediaPlayer2.Player"
_PATH = "/org/mpris/MediaPlayer2"
_RULES = (
    f"sender='{_BUS}',member='NameOwnerChanged',arg0namespace='org.mpris.MediaPlayer2'",
    f"interface='{_PROPERTIES}',member='PropertiesChanged',path='{_PATH}',arg0='{_PLAYER}'",
)

logger = logging.getLogger(__name__)


class NoBusError(Exception):
    """There is no session bus, or it does not do as asked; the text says why."""


class PlayerWatch:
    """Follows the players that there are; no trouble on the bus reaches further than here."""

    def __init__(self, *, asked_for: bool, address: Callable[[], str | None] | None = None) -> None:
        """Prepare, without connecting.

        Args:
            asked_for: somebody wants it, and is told if it does not work.
            address: returns where the bus is; None: that of this user's session.
        """
        self._asked_for = asked_for
        self._address = address or session_bus_address
        self._backoff = Backoff(first_seconds=1.0, longest_seconds=60.0)
        self._players = Players()
        # By name on the bus, the connection that has it.
        self._owners: dict[str, str] = {}
        # Who is to be asked.
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        # Whether it was told that it works, or why not.
        self._told = False

    @property
    def track(self) -> Track | None:
        """What the player that is heard says it plays."""
        return self._players.track

    async def run(self) -> None:
        """Follow the players until cancelled, whenever there is a bus."""
        while True:
            began_at = time.monotonic()
            try:
                await self._follow()
            except (NoBusError, DBusFastError, OSError, EOFError, LookupError, ValueError) as error:
                self._tell(one_line(str(error)) or type(error).__name__)
            self._backoff.lasted(time.monotonic() - began_at)
            await asyncio.sleep(self._backoff.next_seconds())

    def _tell(self, problem: str) -> None:
        level = logging.WARNING if self._asked_for and not self._told else logging.DEBUG
        self._told = True
        logger.log(level, "the players of this desktop cannot be asked what they play: %s", problem)

    async def _follow(self) -> None:
        """Follow the players until the bus goes away.

        Raises:
            NoBusError: there is none, or it went away.
            DBusFastError, OSError, EOFError, LookupError, ValueError: it speaks otherwise.
        """
        address = self._address()
        if address is None:
            raise NoBusError(
                "there is no session bus; run as the user who is logged in, or name the bus in "
                "DBUS_SESSION_BUS_ADDRESS"
            )
        bus = MessageBus(bus_address=address)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await bus.connect()
                bus.add_message_handler(self._take)
                for rule in _RULES:
                    await _ask_bus(bus, "AddMatch", f"type='signal',{rule}")
                for name in filter(is_player, (await _ask_bus(bus, "ListNames"))[0]):
                    self._appear(name, (await _ask_bus(bus, "GetNameOwner", name))[0])
            logger.log(
                logging.DEBUG if self._told else logging.INFO,
                "title and artist come from the players of this desktop (MPRIS)",
            )
            self._told = True
            await self._ask_until_gone(bus)
        except TimeoutError:
            raise NoBusError(f"{address} does not answer") from None
        finally:
            if bus.connected:
                bus.disconnect()
            self._owners.clear()
            self._changed.clear()
            self._players = Players()

    async def _ask_until_gone(self, bus: MessageBus) -> None:
        asking = asyncio.create_task(self._ask_players(bus), name="players")
        gone: asyncio.Task[None] = asyncio.create_task(
            bus.wait_for_disconnect(),  # type: ignore[no-untyped-call]
            name="bus",
        )
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asking, gone):
                task.cancel()
            await asyncio.wait({asking, gone})
        for task in (gone, asking):
            if not task.cancelled():
                task.result()
        raise NoBusError("the session bus has gone")

    def _take(self, message: Message) -> None:
        """Note who is to be asked; called for everything that comes."""
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.member == "PropertiesChanged":
            for name in [name for name, owner in self._owners.items() if owner == message.sender]:
                self._look_at(name)
        elif message.member == "NameOwnerChanged" and message.sender == _BUS:
            name, _, owner = message.body
            self._vanish(name)
            if owner and is_player(name):
                self._appear(name, owner)

    def _appear(self, name: str, owner: str) -> None:
        if len(self._owners) < MAX_PLAYERS:
            self._owners[name] = owner
            self._look_at(name)

    def _vanish(self, name: str) -> None:
        self._owners.pop(name, None)
        self._players.forget(name)

    def _look_at(self, name: str) -> None:
        self._changed.add(name)
        self._news.set()

    async def _ask_players(self, bus: MessageBus) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            names, self._changed = self._changed, set()
            await asyncio.gather(*(self._ask(bus, name) for name in names))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, bus: MessageBus, name: str) -> None:
        question = Message(
            destination=name,
            path=_PATH,
            interface=_PROPERTIES,
            member="GetAll",
            signature="s",
            body=[_PLAYER],
            flags=MessageFlag.NO_AUTOSTART,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await bus.call(question)
        except TimeoutError:
            answer = None
        if answer is None or answer.signature != "a{sv}":
            self._players.forget(name)
        elif self._owners.get(name) == answer.sender:
            self._players.take(name, unpack_variants(answer.body[0]))


def session_bus_address() -> str | None:
    """Return where the bus of this user's session is; None where there is none."""
    if address := os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    socket = Path(folder, "bus")
    return f"unix:path={socket}" if socket.exists() else None


async def _ask_bus(bus: MessageBus, member: str, *arguments: str) -> list[Any]:
    """Ask the bus itself.

    Raises:
        NoBusError: it refuses.
    """
    answer = await bus.call(
        Message(
            destination=_BUS,
            path="/org/freedesktop/DBus",
            interface=_BUS,
            member=member,
            signature="s" * len(arguments),
            body=list(arguments),
        )
    )
    if answer.message_type is not MessageType.METHOD_RETURN:
        raise NoBusError(f"the session bus refuses {member}: {answer.body}")
    return answer.body
