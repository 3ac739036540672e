import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.config import LightsConfig, MqttConfig
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.outputs.lights.extension import LightsExtension
from rtgenre.outputs.lights.scenes import (
    LightDirector,
    LightParams,
    Scene,
    rgb,
    wled_payload,
    zigbee2mqtt_payload,
)
from tests.documents import a_status

COLORS = {"jazz": "#112233", "rock": "#ff0000", "unknown": "#999999", "silence": "#000000"}
NEUTRAL = LightParams().neutral_color


def director(**changes):
    return LightDirector(LightParams(**changes), COLORS)


def shown(lamps, seconds, genre=None, state="music"):
    lamps.update(state=state, genre=genre, seconds=seconds)
    return lamps.scene.color


def test_a_genre_shows_its_colour_at_once_and_says_so_once():
    lamps = director()
    assert lamps.update(state="music", genre="jazz", seconds=4.0).color == "#112233"
    assert lamps.update(state="music", genre="jazz", seconds=6.0) is None


def test_a_colour_is_held_and_then_gives_way():
    lamps = director(hold_seconds=10)
    assert shown(lamps, 4, "jazz") == "#112233"
    assert shown(lamps, 12, "rock") == "#112233"
    assert shown(lamps, 14, "rock") == "#ff0000"


def test_a_genre_that_leaves_within_the_hold_time_is_never_shown():
    lamps = director(hold_seconds=10)
    assert shown(lamps, 0, "jazz") == "#112233"
    assert shown(lamps, 4, "rock") == "#112233"
    assert shown(lamps, 20, "jazz") == "#112233"


def test_silence_fades_slowly_to_the_neutral_colour():
    lamps = director(fade_seconds=1, neutral_fade_seconds=7)
    shown(lamps, 0, "jazz")
    scene = lamps.update(state="silence", genre=None, seconds=60)
    assert (scene.color, scene.fade_seconds) == (NEUTRAL, 7)
    assert lamps.update(state="music", genre="jazz", seconds=120).fade_seconds == 1


@pytest.mark.parametrize(
    ("look", "color"), [("keep", "#112233"), ("neutral", NEUTRAL), ("color", "#999999")]
)
def test_an_unknown_genre_looks_as_configured(look, color):
    lamps = director(unknown=look)
    shown(lamps, 0, "jazz")
    assert shown(lamps, 60, state="unknown") == color


@pytest.mark.parametrize("state", ["silence", "unknown"])
def test_lamps_start_neutral_while_nothing_is_known(state):
    assert shown(director(), 0, state=state) == NEUTRAL


@pytest.mark.parametrize("state", ["silence", "unknown"])
@pytest.mark.parametrize("silence", ["keep", "neutral", "off"])
def test_no_lamp_is_switched_on_or_off_before_music_starts(state, silence):
    lamps = director(turn_on=True, silence=silence, unknown="color")
    scene = lamps.update(state=state, genre=None, seconds=4)
    if scene is not None:
        assert (scene.on, scene.brightness_percent) == (None, None)
    scene = lamps.update(state="music", genre="jazz", seconds=60)
    assert (scene.on, scene.brightness_percent) == (True, 100)


def test_a_lamp_switched_off_by_hand_stays_off_while_the_music_goes_on():
    lamps = director(turn_on=True, hold_seconds=0)
    lamps.update(state="music", genre="jazz", seconds=4)
    lamps.update(state="unknown", genre=None, seconds=5)
    scene = lamps.update(state="music", genre="rock", seconds=6)
    assert (scene.color, scene.on, scene.brightness_percent) == ("#ff0000", None, None)


@pytest.mark.parametrize("silence", ["keep", "neutral", "off"])
@pytest.mark.parametrize("states", [("silence",), ("silence", "unknown")])
@pytest.mark.parametrize(
    ("genre", "color", "brightness_percent"), [("jazz", "#112233", 100), ("zydeco", NEUTRAL, 40)]
)
def test_lamps_are_switched_on_again_when_the_same_music_starts_again(
    silence, states, genre, color, brightness_percent
):
    lamps = director(turn_on=True, silence=silence, hold_seconds=0)
    lamps.update(state="music", genre=genre, seconds=4)
    for seconds, state in enumerate(states, 6):
        lamps.update(state=state, genre=None, seconds=seconds)
    scene = lamps.update(state="music", genre=genre, seconds=10)
    assert (scene.color, scene.on, scene.brightness_percent) == (color, True, brightness_percent)


def test_silence_keeps_dims_or_switches_off_as_configured():
    def after_music(silence):
        lamps = director(turn_on=True, silence=silence, hold_seconds=0)
        lamps.update(state="music", genre="jazz", seconds=4)
        scene = lamps.update(state="silence", genre=None, seconds=6)
        assert lamps.update(state="silence", genre=None, seconds=8) is None
        return scene

    assert after_music("keep") is None
    dimmed = after_music("neutral")
    assert (dimmed.color, dimmed.on, dimmed.brightness_percent) == (NEUTRAL, None, 40)
    off = after_music("off")
    assert (off.color, off.on, off.brightness_percent) == (NEUTRAL, False, None)
    assert wled_payload(off) == {"on": False, "tt": 50}
    assert zigbee2mqtt_payload(off) == {"state": "OFF", "transition": 5.0}


def test_a_changed_brightness_shows_with_the_next_window():
    lamps = director(turn_on=True, hold_seconds=0)
    lamps.update(state="music", genre="jazz", seconds=4)
    lamps.params = LightParams(turn_on=True, hold_seconds=0, brightness_percent=30)
    assert lamps.update(state="music", genre="jazz", seconds=6).brightness_percent == 30


def test_a_genre_without_a_colour_is_neutral():
    assert shown(director(), 0, "zydeco") == NEUTRAL


def test_other_settings_show_with_the_next_window():
    lamps = director(hold_seconds=0)
    shown(lamps, 0, "jazz")
    lamps.params = LightParams(hold_seconds=0)
    lamps.colors = COLORS | {"jazz": "#abcdef"}
    assert shown(lamps, 2, "jazz") == "#abcdef"


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 30),
            st.sampled_from(["jazz", "rock", None]),
            st.sampled_from(["music", "unknown", "silence"]),
        ),
        max_size=60,
    ),
    st.floats(0, 60),
)
def test_lamps_never_change_faster_than_the_hold_time(steps, hold_seconds):
    lamps = director(hold_seconds=hold_seconds, unknown="color")
    now, changes = 0.0, []
    for wait, genre, state in steps:
        now += wait
        genre_shown = genre if state == "music" else None
        if lamps.update(state=state, genre=genre_shown, seconds=now) is not None:
            changes.append(now)
    assert all(b - a >= hold_seconds for a, b in itertools.pairwise(changes))


def test_lamps_that_are_off_stay_off_unless_told_otherwise():
    scene = director().update(state="music", genre="jazz", seconds=0)
    assert wled_payload(scene).keys() == {"tt", "seg"}
    assert zigbee2mqtt_payload(scene).keys() == {"color", "transition"}


def test_wled_takes_colour_fade_brightness_and_effect_in_its_own_units():
    scene = Scene("#ff8001", 1.5, on=True, brightness_percent=50, wled_effect=9)
    assert wled_payload(scene) == {
        "on": True,
        "bri": 128,
        "tt": 15,
        "seg": {"col": [[255, 128, 1]], "fx": 9},
    }


def test_zigbee2mqtt_takes_colour_fade_brightness_and_effect_in_its_own_units():
    scene = Scene("#ff8001", 1.5, on=True, brightness_percent=50, zigbee2mqtt_effect="colorloop")
    assert zigbee2mqtt_payload(scene) == {
        "state": "ON",
        "brightness": 127,
        "color": {"hex": "#ff8001"},
        "transition": 1.5,
        "effect": "colorloop",
    }


def test_an_effect_ends_with_its_genre_and_is_left_alone_where_none_is_configured():
    lamps = director(
        hold_seconds=0, wled_effects={"rock": 9}, zigbee2mqtt_effects={"rock": "colorloop"}
    )
    rock = lamps.update(state="music", genre="rock", seconds=0)
    jazz = lamps.update(state="music", genre="jazz", seconds=2)
    assert (rock.wled_effect, rock.zigbee2mqtt_effect) == (9, "colorloop")
    assert (jazz.wled_effect, jazz.zigbee2mqtt_effect) == (0, "stop_effect")
    assert director().update(state="music", genre="rock", seconds=0).wled_effect is None


@given(st.integers(1, 100))
def test_no_brightness_switches_a_lamp_off(percent):
    scene = Scene("#ffffff", 0, brightness_percent=percent)
    assert 1 <= wled_payload(scene)["bri"] <= 255
    assert 1 <= zigbee2mqtt_payload(scene)["brightness"] <= 254


def test_every_default_colour_can_be_read():
    assert all(max(rgb(color)) <= 255 for color in [*GENRE_COLORS.values(), NEUTRAL])


# ---- as MQTT messages -----------------------------------------------------------------------


def document(node="kitchen", genre="jazz", seconds=4.0, state="music"):
    return {
        "type": "state",
        "node": node,
        "state": state,
        "genre": genre,
        "window_end_seconds": seconds,
    }


def extension(lights=None, publish="change", nodes=("kitchen", "lounge")):
    return LightsExtension(
        LightsConfig(**(lights or {})),
        MqttConfig(publish=publish, topic_prefix="home", qos=0),
        colors=COLORS,
        nodes=list(nodes),
    )


def test_colour_is_retained_and_commands_are_not():
    lamps = extension({"wled": ["tv"], "zigbee2mqtt": ["Sofa/lamp 1"]})
    color, wled, zigbee = lamps.on_document(document())
    assert (color.topic, color.payload, color.retain) == ("home/kitchen/color", "#112233", True)
    assert (wled.topic, wled.retain) == ("wled/tv/api", False)
    assert {message.qos for message in (color, wled, zigbee)} == {0}
    assert json.loads(wled.payload)["seg"]["col"] == [[17, 34, 51]]
    assert (zigbee.topic, zigbee.retain) == ("zigbee2mqtt/Sofa/lamp 1/set", False)
    assert lamps.on_document(document(seconds=6)) == []


def test_each_room_moves_its_own_lamps():
    lamps = extension({"wled": {"kitchen": ["strip"], "lounge": ["tv"]}})
    kitchen = [message.topic for message in lamps.on_document(document("kitchen"))]
    lounge = [message.topic for message in lamps.on_document(document("lounge"))]
    assert kitchen == ["home/kitchen/color", "wled/strip/api"]
    assert lounge == ["home/lounge/color", "wled/tv/api"]


def test_a_plain_list_of_lamps_follows_the_first_source_only():
    lamps = extension({"wled": ["tv"]})
    assert len(lamps.on_document(document("kitchen"))) == 2
    assert len(lamps.on_document(document("lounge"))) == 1


def test_lamps_get_the_present_colour_again_after_the_broker_was_away():
    lamps = extension({"wled": ["tv"], "turn_on": True})
    assert lamps.on_connect("kitchen") == []
    color, wled = lamps.on_document(document())
    assert json.loads(wled.payload)["on"] is True
    lamps.on_document(document(seconds=6))
    assert lamps.on_connect("kitchen") == []
    color_again, wled_again = lamps.on_document(document(seconds=8))
    assert color_again == color
    # Somebody may have switched the lamp off in the meantime.
    assert json.loads(wled_again.payload).keys() == {"tt", "seg"}


def test_after_an_outage_the_old_colour_is_not_shown_first_nor_held():
    lamps = extension({"wled": ["tv"], "hold_seconds": 3600})
    lamps.on_document(document())
    lamps.on_document(document(seconds=6))
    assert lamps.on_connect("kitchen") == []
    assert lamps.on_document(document(genre="rock", seconds=8))[0].payload == "#ff0000"


def test_what_an_outage_swallowed_is_sent_again():
    lamps = extension({"wled": ["tv"], "turn_on": True})
    lost = lamps.on_document(document())
    lamps.on_connect("kitchen")
    _, wled = lamps.on_document(document(genre="rock", seconds=6))
    assert json.loads(wled.payload)["on"] is True
    assert lost[0].payload == "#112233"


@pytest.mark.parametrize("silence", ["neutral", "off"])
def test_music_that_came_back_while_the_broker_was_away_switches_lamps_on(silence):
    lamps = extension({"wled": ["tv"], "turn_on": True, "silence": silence})
    for seconds in (4, 6):
        lamps.on_document(document(seconds=seconds))
    lamps.on_document(a_status("it is lost", node="kitchen", gone=True))
    lamps.on_connect("kitchen")
    _, wled = lamps.on_document(document(seconds=10))
    assert json.loads(wled.payload).items() >= {"on": True, "bri": 255}.items()
    assert lamps.on_document(document(seconds=12)) == []


def test_silence_that_an_outage_swallowed_still_dims():
    lamps = extension({"wled": ["tv"], "turn_on": True, "hold_seconds": 0})
    for seconds in (4, 6):
        lamps.on_document(document(seconds=seconds))
    silent = {"state": "silence", "genre": None}
    lost = lamps.on_document(document(seconds=8, **silent))
    lamps.on_connect("kitchen")
    again = lamps.on_document(document(seconds=10, **silent))
    assert again == lost
    assert json.loads(again[1].payload)["bri"] == 102


def test_a_lamp_that_says_it_is_off_is_not_switched_on_by_being_dimmed():
    lamps = extension({"wled": ["tv"], "zigbee2mqtt": ["Sofa"], "turn_on": True, "hold_seconds": 0})
    lamps.on_document(document())
    silent = {"state": "silence", "genre": None}

    def dimmed(seconds):
        lamps.on_document(document(seconds=seconds))
        _, wled, zigbee = lamps.on_document(document(seconds=seconds + 2, **silent))
        return "bri" in json.loads(wled.payload), "brightness" in json.loads(zigbee.payload)

    assert dimmed(10) == (True, True)
    assert lamps.on_message("kitchen", "wled/tv/g", b"0") == []
    assert dimmed(20) == (False, True)
    lamps.on_message("kitchen", "zigbee2mqtt/Sofa", b'{"state": "OFF", "linkquality": 9}')
    assert dimmed(30) == (False, False)
    lamps.on_message("kitchen", "wled/tv/g", b"128")
    lamps.on_message("kitchen", "zigbee2mqtt/Sofa", b'{"state": "ON"}')
    assert dimmed(40) == (True, True)


def test_lamps_that_are_off_are_switched_on_by_music():
    lamps = extension({"wled": ["tv"], "turn_on": True})
    lamps.on_message("kitchen", "wled/tv/g", b"0")
    _, wled = lamps.on_document(document())
    assert json.loads(wled.payload)["on"] is True
    assert json.loads(wled.payload)["bri"] == 255


def test_lamps_are_listened_to_only_where_they_may_be_switched_on():
    named = {"wled": {"kitchen": ["a/b"], "lounge": ["tv"]}, "zigbee2mqtt": ["Sofa"]}
    assert set(extension(named | {"turn_on": True}).topics) == {
        "wled/a/b/g",
        "wled/tv/g",
        "zigbee2mqtt/Sofa",
    }
    assert not extension(named).topics


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x",
        b"\xff",
        b"null",
        b"[]",
        b'"OFF"',
        b'{"state": 0}',
        b'{"state": []}',
        b"[" * 60_000,
    ],
)
def test_nonsense_about_a_lamp_is_taken_for_nothing(payload):
    lamps = extension({"zigbee2mqtt": ["Sofa"], "wled": ["tv"], "turn_on": True})
    for topic in lamps.topics:
        assert lamps.on_message("kitchen", topic, payload) == []
    assert all("bri" in message.payload for message in lamps.on_document(document())[1:])


def test_lamps_that_are_off_in_silence_are_not_woken_by_an_outage():
    lamps = extension({"wled": ["tv"], "silence": "off", "hold_seconds": 0})
    lamps.on_document(document())
    silent = {"state": "silence", "genre": None}
    assert len(lamps.on_document(document(seconds=6, **silent))) == 2
    lamps.on_document(document(seconds=8, **silent))
    lamps.on_connect("kitchen")
    (color,) = lamps.on_document(document(seconds=10, **silent))
    assert color.topic == "home/kitchen/color"


def test_colour_comes_with_every_window_where_all_values_do():
    lamps = extension(publish="window")
    lamps.on_document(document())
    assert [m.payload for m in lamps.on_document(document(seconds=6))] == ["#112233"]


def test_lights_can_change_while_running():
    lamps = extension({"hold_seconds": 0})
    lamps.on_document(document())
    lamps.change(LightsConfig(wled=["tv"], hold_seconds=0), colors=COLORS | {"jazz": "#abcdef"})
    color, wled = lamps.on_document(document(seconds=6))
    assert (color.payload, wled.topic) == ("#abcdef", "wled/tv/api")


def test_new_lamps_are_told_what_plays_and_others_nothing_by_other_settings():
    lamps = extension({"wled": {"kitchen": ["tv"]}})
    lamps.on_document(document())
    lamps.change(LightsConfig(wled={"kitchen": ["tv", "shelf"]}), colors=COLORS)
    told = [message.topic for message in lamps.on_document(document(seconds=6))]
    assert told == ["home/kitchen/color", "wled/tv/api", "wled/shelf/api"]
    lamps.change(LightsConfig(wled={"kitchen": ["tv", "shelf"]}, hold_seconds=20), colors=COLORS)
    assert lamps.on_document(document(seconds=8)) == []


def test_lamps_that_are_left_alone_before_music_are_so_after_an_outage():
    lamps = extension({"wled": ["tv"], "silence": "keep"})
    assert lamps.on_document(document(state="silence", genre=None)) == []
    lamps.on_connect("kitchen")
    assert lamps.on_document(document(state="silence", genre=None, seconds=6)) == []


def test_a_status_says_nothing_to_lamps():
    assert extension().on_document(a_status("unplugged a moment ago", node="kitchen")) == []


@pytest.mark.parametrize(
    ("silence", "told"),
    [
        ("keep", None),
        ("neutral", {"tt": 50, "seg": {"col": [list(rgb(NEUTRAL))]}}),
        ("off", {"tt": 50, "on": False}),
    ],
)
def test_lamps_do_as_in_silence_once_an_input_is_gone_however_long_colours_are_held(silence, told):
    lights = extension({"wled": ["tv"], "silence": silence, "hold_seconds": 3600})
    lights.on_document(document())
    messages = lights.on_document(a_status("it has ended", node="kitchen", gone=True))
    commands = [json.loads(message.payload) for message in messages if "tv" in message.topic]
    assert commands == ([] if told is None else [told])
    assert lights.on_document(a_status("it has ended", node="kitchen", gone=True)) == []


def test_music_that_comes_back_is_shown_at_once():
    lights = extension({"wled": ["tv"], "hold_seconds": 3600})
    lights.on_document(document(seconds=4.0))
    lights.on_document(a_status("it is lost", node="kitchen", gone=True))
    color, _ = lights.on_document(document(seconds=8.0))
    assert color.payload == COLORS["jazz"]


def test_a_colour_that_is_tried_shows_for_a_moment_and_then_that_of_the_music_is_back():
    lamps = extension({"wled": ["tv"]})
    lamps.on_document(document(seconds=4))
    assert lamps.on_document(document(seconds=6)) == []
    lamps.try_color("kitchen", "#ff0000")
    (tried,) = lamps.on_document(document(seconds=8))
    # What the room's colour is, for automations, does not change.
    assert tried.topic == "wled/tv/api"
    assert json.loads(tried.payload) == {"tt": 0, "seg": {"col": [[255, 0, 0]]}}
    assert lamps.on_document(document(seconds=10)) == []
    assert lamps.on_document(document(seconds=12)) == []
    color, wled = lamps.on_document(document(seconds=14))
    assert color.payload == "#112233"
    assert json.loads(wled.payload)["seg"]["col"] == [[17, 34, 51]]
    assert lamps.on_document(document(seconds=16)) == []


def test_after_a_colour_was_tried_music_that_changed_meanwhile_need_not_wait():
    lamps = extension({"wled": ["tv"], "hold_seconds": 3600})
    lamps.on_document(document(seconds=4))
    lamps.on_document(document(seconds=6))
    lamps.try_color("kitchen", "#00ff00")
    for seconds in (8, 12):
        lamps.on_document(document(genre="rock", seconds=seconds))
    color, _ = lamps.on_document(document(genre="rock", seconds=14))
    assert color.payload == COLORS["rock"]


def test_a_colour_that_was_tried_of_an_input_that_is_gone_does_not_show_when_it_is_back():
    lamps = extension({"wled": ["tv"]})
    lamps.on_document(document(seconds=4))
    lamps.try_color("kitchen", "#ff0000")
    lamps.on_document(a_status("it is lost", node="kitchen", gone=True))
    color, _ = lamps.on_document(document(seconds=8))
    assert color.payload == COLORS["jazz"]
