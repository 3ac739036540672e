"""Asking players on a real D-Bus daemon what they play."""

import asyncio
import contextlib
import logging
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus is Linux's", allow_module_level=True)

from dbus_fast import Variant

from rtgenre.sources import mpris
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.mpris import MAX_PLAYERS, PlayerWatch, session_bus_address
from rtgenre.sources.title import MAX_CHARACTERS
from rtgenre.types import Track
from tests.session_bus import MediaPlayer, SessionBus

from .conftest import eventually

ONE, TWO = Track("So What", "Miles Davis"), Track("Halo", "Beyoncé")
OF_ONE = {"title": "So What", "artist": ["Miles Davis"]}
OF_TWO = {"title": "Halo", "artist": ["Beyoncé"]}


@pytest.fixture
def bus():
    with SessionBus() as bus:
        yield bus


class Nowhere:
    """An address with no bus behind it, which counts who asks for it."""

    def __init__(self, address):
        self._address = address
        self.n_asked = 0

    @property
    def address(self):
        self.n_asked += 1
        return self._address


@contextlib.asynccontextmanager
async def watching(bus, *, asked_for=False):
    watch = PlayerWatch(asked_for=asked_for, address=lambda: bus.address)
    watch._backoff = Backoff(first_seconds=0.05, longest_seconds=0.2)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_player_that_plays_is_followed_among_several_that_come_and_go(bus):
    async with (
        MediaPlayer(bus, "vlc", "Playing", **OF_ONE) as vlc,
        MediaPlayer(bus, "spotify", "Paused", **OF_TWO) as spotify,
        watching(bus) as watch,
    ):
        await eventually(lambda: watch.track == ONE)
        spotify.says("Playing", **OF_TWO)
        await eventually(lambda: watch.track == TWO)
        vlc.says("Playing", title="Blue in Green")
        spotify.says("Playing", title="Déjà Vu")
        await eventually(lambda: watch.track == Track("Déjà Vu"))
        spotify.says("Stopped")
        await eventually(lambda: watch.track == Track("Blue in Green"))
        async with MediaPlayer(bus, "mpv", "Playing", **OF_ONE):
            await eventually(lambda: watch.track == ONE)
        # It ended without a word.
        await eventually(lambda: watch.track == Track("Blue in Green"))
        vlc.says("Paused", title="Blue in Green")
        await eventually(lambda: watch.track is None)


async def test_a_bus_that_goes_away_is_taken_up_again_when_it_is_back(bus, caplog):
    caplog.set_level(logging.INFO)
    async with watching(bus, asked_for=True) as watch:
        async with MediaPlayer(bus, "vlc", "Playing", **OF_ONE):
            await eventually(lambda: watch.track == ONE)
            bus.stop()
            await eventually(lambda: watch.track is None)
        bus.start()
        async with MediaPlayer(bus, "vlc", "Playing", **OF_TWO):
            await eventually(lambda: watch.track == TWO)
    ours = [each for each in caplog.records if each.name == "rtgenre.sources.mpris"]
    assert [each.levelname for each in ours] == ["INFO"]


@pytest.mark.parametrize("asked_for", [True, False])
@pytest.mark.parametrize("address", [None, "unix:path=/no/such/bus", "nonsense", "tcp:host=x"])
async def test_where_there_is_no_bus_nothing_fails_and_only_who_asked_for_it_is_told(
    address, asked_for, caplog
):
    nowhere = Nowhere(address)
    async with watching(nowhere, asked_for=asked_for) as watch:
        await eventually(lambda: nowhere.n_asked > 3)
        assert watch.track is None
    warnings = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(warnings) == asked_for


async def test_what_is_no_bus_but_answers_is_left_alone(tmp_path):
    async def babble(reader, writer):
        with contextlib.suppress(ConnectionError):
            while await reader.read(100):
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)
                await writer.drain()
        writer.close()

    babbler = Nowhere(f"unix:path={tmp_path / 'bus'}")
    server = await asyncio.start_unix_server(babble, tmp_path / "bus")
    async with server, watching(babbler) as watch:
        await eventually(lambda: babbler.n_asked > 3)
        assert watch.track is None


@pytest.mark.parametrize(
    ("tags", "track"),
    [
        ({"title": "x" * 1_000_000, "artist": ["y" * 1_000_000]}, Track("x" * 200, "y" * 200)),
        ({"title": "a\nb\x1b[2J\x7f", "artist": ["\u202e\u0007c"]}, Track("a b [2J", "c")),
        ({"title": Variant("i", 7), "artist": Variant("a{sv}", {})}, None),
        ({"title": "a", "artist": Variant("s", "b")}, Track("a", "b")),
        ({"title": "a", "artist": Variant("a(ii)", [[1, 2]])}, Track("a")),
        ({"title": "a", "artist": ["b"] * 100_000}, Track("a", ", ".join(["b"] * 8))),
    ],
)
async def test_hostile_metadata_do_no_harm_and_another_player_is_still_heard(bus, tags, track):
    assert len("x" * MAX_CHARACTERS) == 200
    async with (
        MediaPlayer(bus, "hostile", "Playing", **tags) as hostile,
        watching(bus) as watch,
    ):
        await eventually(lambda: hostile.n_asked == 1 and watch.track == track)
        async with MediaPlayer(bus, "vlc", "Playing", **OF_ONE):
            await eventually(lambda: watch.track == ONE)


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"PlaybackStatus": Variant("i", 1), "Metadata": Variant("s", "x")},
        {"PlaybackStatus": Variant("s", "Playing")},
        {"PlaybackStatus": Variant("s", "Playing"), "Metadata": Variant("as", ["x"])},
        {"PlaybackStatus": Variant("s", "Playing"), "Metadata": Variant("a{is}", {1: "x"})},
    ],
)
async def test_a_player_without_the_properties_of_one_says_nothing(bus, properties):
    async with MediaPlayer(bus, "odd") as odd, watching(bus) as watch:
        odd.properties = properties
        odd.announce()
        async with MediaPlayer(bus, "vlc", "Playing", **OF_ONE):
            await eventually(lambda: odd.n_asked and watch.track == ONE)
        await eventually(lambda: watch.track is None)


async def test_a_player_that_hangs_does_not_keep_others_from_being_heard(bus, monkeypatch):
    monkeypatch.setattr(mpris, "ANSWER_SECONDS", 0.3)
    async with MediaPlayer(bus, "frozen", "Playing", **OF_TWO) as frozen, watching(bus) as watch:
        frozen.hangs = True
        frozen.announce()
        async with MediaPlayer(bus, "vlc", "Playing", **OF_ONE):
            await eventually(lambda: watch.track == ONE)
        frozen.hangs = False
        frozen.announce()
        await eventually(lambda: watch.track == TWO)


async def test_a_flood_of_news_is_taken_together(bus):
    async with MediaPlayer(bus, "vlc", "Playing", **OF_ONE) as vlc, watching(bus) as watch:
        await eventually(lambda: watch.track == ONE)
        for number in range(500):
            await vlc.says("Playing", title=f"{number}")
            # Time for the daemon to take it.
            await asyncio.sleep(0.001)
        await eventually(lambda: watch.track == Track("499"))
        assert vlc.n_asked < 100


async def test_only_so_many_players_are_followed(bus):
    async with contextlib.AsyncExitStack() as stack:
        watch = await stack.enter_async_context(watching(bus))
        players = [
            await stack.enter_async_context(MediaPlayer(bus, f"p{number}", "Playing"))
            for number in range(MAX_PLAYERS + 3)
        ]
        await eventually(lambda: sum(each.n_asked > 0 for each in players) == MAX_PLAYERS)
        assert len(watch._owners) == MAX_PLAYERS


def test_the_bus_is_the_one_of_this_users_session(monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")
    assert session_bus_address() == "unix:path=/x"
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert session_bus_address() is None
    (tmp_path / "bus").touch()
    assert session_bus_address() == f"unix:path={tmp_path}/bus"
