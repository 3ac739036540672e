from rtgenre.config import Config
from rtgenre.messages.hub import Hub
from rtgenre.service.outputs import (
    history_output,
    mdns_output,
    playing_extension,
    publishes_mqtt,
)
from rtgenre.sources.demo import DemoSource
from tests.sources_in_memory import MemorySource


def rooms(**tables):
    """Return settings of two rooms, and what they hear; nothing."""
    named = [{"node": "den"}, {"node": "attic", "speed": "max", "input": "song.mp3"}]
    config = Config.model_validate({"source": named, **tables})
    return config, [(each, MemorySource([])) for each in config.source]


def test_what_is_played_at_full_speed_is_in_no_history(tmp_path):
    config, sources = rooms(history={"file": str(tmp_path / "history.db")})

    history = history_output(config, sources, Hub(), "crnn")

    assert history._model_of("den") == "crnn"
    assert history._model_of("attic") is None


def test_the_demo_is_in_no_history_and_goes_to_no_broker(tmp_path, caplog):
    config, _ = rooms(history={"file": str(tmp_path / "history.db")}, mqtt={"host": "broker"})
    demo = [(config.source[0], DemoSource())]

    assert history_output(config, demo, Hub(), "crnn")._model_of("den") is None
    assert not publishes_mqtt(config, demo)
    assert caplog.messages == ["the demo goes to no broker and no lamps"]


def test_without_a_broker_nothing_is_published():
    assert not publishes_mqtt(*rooms())
    assert publishes_mqtt(*rooms(mqtt={"host": "broker"}))


def test_a_port_that_only_this_machine_reaches_is_not_announced():
    config, _ = rooms(websocket={"host": "127.0.0.1"})

    assert mdns_output(config.websocket, 8765, ["den", "attic"]) is None


def test_a_port_is_announced_with_all_rooms_behind_it():
    config, _ = rooms(websocket={"host": "0.0.0.0", "token": "a" * 16})

    announced = mdns_output(config.websocket, 8765, ["den", "attic"])

    assert announced._properties["nodes"] == "den,attic"
    assert announced._properties["tls"] == "0"


def test_what_plays_is_told_on_the_rooms_topic_or_the_one_in_the_settings():
    config, _ = rooms()
    named = config.source[1].model_copy(update={"playing_topic": "radio/title"})

    extension = playing_extension("rtgenre", [config.source[0], named], lambda *_: None)

    assert extension.topics == ["rtgenre/den/playing/set", "radio/title"]
