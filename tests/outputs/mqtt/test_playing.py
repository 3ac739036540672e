"""What plays, told over MQTT."""

import json

import aiomqtt
import pytest

from rtgenre.outputs.mqtt.playing import MAX_PAYLOAD_BYTES, PlayingExtension, read_track
from rtgenre.types import Track
from tests.broker import Broker, subscribed
from tests.outputs.mqtt.test_smarthome import running, settings
from tests.signals import tone

SO_WHAT = Track("So What", "Miles Davis")


@pytest.mark.parametrize(
    ("payload", "track"),
    [
        (b'{"title": "So What", "artist": "Miles Davis"}', SO_WHAT),
        (b'{"title": "So What", "artist": null, "album": ["?"]}', Track("So What")),
        (b'{"title": "a\\nb\\u001b[2J", "artist": "\\ud800"}', Track("a b [2J")),
        (b'{"title": null}', None),
        (b'{"artist": "Miles Davis"}', None),
        (b"{}", None),
        (b"Miles Davis - So What", SO_WHAT),
        ("Beyonc\u00e9 - Halo".encode(), Track("Halo", "Beyonc\u00e9")),
        (b"So What", Track("So What")),
        (b"1999", Track("1999")),
        # As Home Assistant's tojson writes it.
        (b'"Miles Davis - So What"', SO_WHAT),
        (b'"Heroes" - David Bowie', Track("David Bowie", '"Heroes"')),
        (b'""', None),
        (b"null", None),
        (b"", None),
        (b" \n", None),
    ],
)
def test_a_message_says_what_plays_or_that_it_is_not_known(payload, track):
    assert read_track(payload) == track


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b'{"title": "So What"', "write JSON"),
        (b"\xff\xfe", "write JSON"),
        (b'["So What"]', "write JSON"),
        (b"[" * 4000, "write JSON"),
        (b'{"title": 7}', "are texts"),
        (b'{"title": "%s"}' % (b"x" * MAX_PAYLOAD_BYTES), "at most 4,096"),
    ],
)
def test_other_messages_are_refused_and_what_played_stays(payload, told, caplog):
    known = {"den": SO_WHAT}
    extension = PlayingExtension(known.__setitem__, topics={"den": "rtgenre/den/playing/set"})
    for _ in range(3):
        extension.on_message("den", "rtgenre/den/playing/set", payload)
    assert known == {"den": SO_WHAT}
    # Once, however often it comes.
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("rtgenre/den/playing/set: ")
    assert told in line


def test_a_room_takes_its_own_messages_only():
    known = {}
    topics = {"den": "rtgenre/den/playing/set", "bath": "radio/now", "attic": "radio/now"}
    extension = PlayingExtension(known.__setitem__, topics=topics)
    extension.on_message("bath", "rtgenre/den/playing/set", b'{"title": "So What"}')
    assert known == {}
    for node in topics:
        extension.on_message(node, "radio/now", b'{"title": "So What"}')
    assert known.keys() == {"bath", "attic"}
    assert extension.topics == ["rtgenre/den/playing/set", "radio/now"]


async def shows(source, states, title):
    """Play on until a state has this title."""
    while not states.seen or json.loads(states.seen[-1][1])["title"] != title:
        n_states = len(states.seen)
        source.play(tone(200, 4.0))
        await states.until(lambda it, n=n_states: len(it.seen) > n)


@pytest.mark.parametrize("topic", ["rtgenre/den/playing/set", "moode/now playing"])
async def test_what_a_player_tells_the_broker_stands_in_the_next_state(tmp_path, topic):
    told = json.dumps({"title": "So What"})
    source_settings = {"node": "den", "playing_topic": topic if "moode" in topic else ""}
    async with (
        Broker(tmp_path) as broker,
        subscribed(broker.port, "rtgenre/den/state") as states,
        aiomqtt.Client("127.0.0.1", broker.port) as player,
    ):
        await player.publish(topic, told, qos=1, retain=True)
        async with running(settings(broker.port, source=source_settings)) as (_, source):
            await shows(source, states, "So What")
            await player.publish(topic, "", qos=1, retain=True)
            await shows(source, states, None)
