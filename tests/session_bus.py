"""A D-Bus daemon of one's own, and media players on it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

if TYPE_CHECKING:
    import asyncio

_SETTINGS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
_PLAYER = "org.mpris.MediaPlayer2.Player"


class SessionBus:
    """A daemon that runs as any user, and that nobody else's programs know of."""

    def __init__(self) -> None:
        # Short, for a socket's path may have no more than 108 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="rtg-bus-"))
        self.address = f"unix:path={self._folder / 'bus'}"
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SessionBus:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        settings = self._folder / "bus.conf"
        settings.write_text(_SETTINGS.format(socket=self._folder / "bus"))
        self._daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={settings}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
        )
        # Its address is told when it can be used.
        assert self._daemon.stdout is not None
        assert self._daemon.stdout.readline()

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon.stdout.close()
            self._daemon = None


class MediaPlayer:
    """A player on the bus, whose properties are whatever a test wants, tags too."""

    def __init__(self, bus: SessionBus, name: str, status: str = "Stopped", **tags: object) -> None:
        self._bus = MessageBus(bus_address=bus.address)
        self._name = f"org.mpris.MediaPlayer2.{name}"
        # Whether it answers.
        self.hangs = False
        self.n_asked = 0
        self.properties = {}
        self._set(status, tags)

    async def __aenter__(self) -> MediaPlayer:
        await self._bus.connect()
        self._bus.add_message_handler(self._answer)
        await self._bus.request_name(self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bus.disconnect()
        # The bus may have gone before.
        with contextlib.suppress(EOFError):
            await self._bus.wait_for_disconnect()

    def says(self, status: str, **tags: object) -> asyncio.Future[None]:
        """Do something else, and tell the bus that it does."""
        self._set(status, tags)
        return self.announce()

    def announce(self) -> asyncio.Future[None]:
        """Tell the bus; whoever waits for it waits until it is sent."""
        return self._bus.send(
            Message.new_signal(
                "/org/mpris/MediaPlayer2",
                "org.freedesktop.DBus.Properties",
                "PropertiesChanged",
                "sa{sv}as",
                [_PLAYER, self.properties, []],
            )
        )

    def _set(self, status: str, tags: dict[str, object]) -> None:
        metadata = {f"xesam:{name}": _variant(value) for name, value in tags.items()}
        self.properties = {
            "PlaybackStatus": Variant("s", status),
            "Metadata": Variant("a{sv}", metadata),
        }

    def _answer(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.member != "GetAll":
            return None
        self.n_asked += 1
        if self.hangs:
            return True
        return Message.new_method_return(message, "a{sv}", [self.properties])


def _variant(value: object) -> Variant:
    if isinstance(value, Variant):
        return value
    return Variant("as", value) if isinstance(value, list) else Variant("s", value)
