import asyncio
import contextlib
import sys

import pytest

from rtgenre.config import Config
from rtgenre.service import playing
from rtgenre.service.playing import TOLD_SECONDS, PlayersHeard, ToldTracks
from rtgenre.service.service import Service
from rtgenre.types import Track
from tests.networks import tone_classifier
from tests.signals import tone
from tests.sources_in_memory import HandSource

SO_WHAT = Track("So What", "Miles Davis")


class MonitorSource(HandSource):
    """Records what this machine plays."""

    @property
    def records_playback(self):
        return True


@contextlib.asynccontextmanager
async def listening_to(source, mpris):
    config = Config(
        source={"node": "den", "mpris": mpris},
        websocket={"enabled": False},
        history={"enabled": False},
    )
    service, stop = (
        Service(config, tone_classifier(), [(config.source[0], source)]),
        asyncio.Event(),
    )
    task = asyncio.create_task(service.run(stop))
    try:
        yield service
    finally:
        stop.set()
        await task


async def told_of(service, source, title):
    """Play on until a state has this title, and return the last state's title and artist."""
    shown = None
    for n_windows in range(500):
        source.play(tone(200, 4.0))
        await source.drained()
        await asyncio.sleep(0.02)
        for document in service.hub.latest():
            if document["type"] == "state":
                shown = document["title"], document["artist"]
        # Nothing to be told takes some windows until it is believed.
        if shown is not None and shown[0] == title and (title is not None or n_windows > 20):
            break
    return shown


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux's")
@pytest.mark.parametrize(
    ("kind", "mpris", "is_said"),
    [
        (MonitorSource, "auto", True),
        (MonitorSource, "off", False),
        # What a microphone hears may be anything, and what plays in headphones nobody's business.
        (HandSource, "auto", False),
        (HandSource, "on", True),
    ],
)
async def test_players_of_this_desktop_are_quoted_where_they_are_what_is_heard(
    kind, mpris, is_said, monkeypatch
):
    from tests.session_bus import MediaPlayer, SessionBus

    with SessionBus() as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        source = kind()
        tags = {"title": "So What", "artist": ["Miles Davis"]}
        async with (
            MediaPlayer(bus, "vlc", "Playing", **tags) as vlc,
            listening_to(source, mpris) as service,
        ):
            if not is_said:
                assert await told_of(service, source, None) == (None, None)
                assert vlc.n_asked == 0
                return
            assert await told_of(service, source, "So What") == ("So What", "Miles Davis")
            # Who was told to say what plays in this room knows better.
            service._told_tracks.tell("den", Track("Halo"))
            assert await told_of(service, source, "Halo") == ("Halo", None)


@pytest.mark.parametrize(("mpris", "n_warnings"), [("auto", 0), ("on", 1)])
def test_without_the_package_only_who_asked_for_it_is_told_what_to_install(
    mpris, n_warnings, monkeypatch, caplog
):
    monkeypatch.setattr(playing, "find_spec", lambda _: None)
    players = PlayersHeard([(Config(source={"mpris": mpris}).source[0], MonitorSource())])
    assert not players.enabled
    assert players.now("den") is None
    assert [each.levelname for each in caplog.records] == ["WARNING"] * n_warnings
    assert "pip install 'rtgenre[mpris]'" in caplog.text or not n_warnings


def test_what_is_told_of_a_room_holds_for_it_alone_until_something_else_is():
    told = ToldTracks()
    told.tell("den", SO_WHAT)
    assert (told.now("den"), told.now("bath")) == (SO_WHAT, None)
    told.tell("den", Track("Blue in Green"))
    assert told.now("den") == Track("Blue in Green")
    told.tell("den", None)
    assert told.now("den") is None


def test_nothing_is_claimed_for_ever_of_a_program_that_has_gone():
    now = 0.0
    told = ToldTracks(lambda: now)
    told.tell("den", SO_WHAT)
    now = TOLD_SECONDS
    assert told.now("den") == SO_WHAT
    now += 1
    assert told.now("den") is None
