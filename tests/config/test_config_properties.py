"""Whatever is written into the settings is used as it is, or refused with a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from rtgenre.config import Config, ConfigError, merge_layers, settings_of
from rtgenre.outputs.lights.extension import LightsExtension
from rtgenre.outputs.mqtt.homeassistant import (
    DiscoveryParams,
    HomeAssistantExtension,
    discovery_message,
    removal_message,
)
from rtgenre.outputs.mqtt.topics import NodeTopics
from tests.documents import COLORS, LABELS, a_state

# Surrogates, too: that is how the environment hands on bytes that are not UTF-8.
any_text = st.text(st.characters(), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
known_keys = sorted(
    {key for field in Config.model_fields.values() for key in settings_of(field.annotation)}
)
tables = st.dictionaries(st.sampled_from(known_keys) | any_text, values, max_size=4)
documents = st.dictionaries(
    st.sampled_from(sorted(Config.model_fields)) | any_text,
    tables | st.lists(tables, max_size=3) | values,
    max_size=4,
)


@settings(max_examples=200)
@given(documents, documents, documents)
def test_any_settings_from_any_layer_are_used_or_refused_with_a_message(file, environment, flags):
    layers = {"config file": file, "environment": environment, "command line": flags}
    try:
        config = merge_layers(layers)
    except ConfigError as error:
        (message,) = error.args
    else:
        message = repr(config)
    assert message


def paho_takes(topic, payload="x"):
    """Say whether the MQTT library would send a message; without a connection it only checks."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.publish(topic, payload, qos=1)
    return True


@settings(max_examples=150)
@given(prefix=any_text, discovery_prefix=any_text, wled=any_text, zigbee2mqtt=any_text)
def test_every_topic_made_of_accepted_settings_can_be_published(
    prefix, discovery_prefix, wled, zigbee2mqtt
):
    try:
        config = merge_layers(
            {
                "config file": {
                    "source": {"node": "den"},
                    "mqtt": {"topic_prefix": prefix},
                    "homeassistant": {"discovery_prefix": discovery_prefix},
                    "lights": {"wled": [wled], "zigbee2mqtt": [zigbee2mqtt]},
                }
            }
        )
    except ConfigError:
        return
    params = DiscoveryParams(
        labels=LABELS,
        version="1",
        model="m",
        topic_prefix=config.mqtt.topic_prefix,
        settings=config.homeassistant,
    )
    lamps = LightsExtension(config.lights, config.mqtt, colors=COLORS, nodes=["den"])
    plain = NodeTopics(config.mqtt.topic_prefix, "den", publish="window", colors={})
    messages = [
        discovery_message("den", params),
        removal_message("den", params.settings.discovery_prefix),
        *lamps.on_document(a_state()),
        *plain.on_connect(),
        *plain.on_document(a_state()),
    ]
    assert len(messages) > 8
    for message in messages:
        assert paho_takes(message.topic, message.payload)
        assert not set("+#\0") & set(message.topic)


@given(topic=any_text, payload=st.binary(max_size=50))
def test_no_incoming_message_upsets_home_assistants_side(topic, payload):
    extension = HomeAssistantExtension(DiscoveryParams(labels=LABELS, version="1", model="m"))
    assert extension.on_message("den", topic, payload) == []


@pytest.mark.parametrize("key", ["username", "password", "host", "topic_prefix", "client_id"])
def test_bytes_that_are_no_text_are_refused_before_they_reach_the_broker(key):
    table = {"username": "me", key: "gr\udcfcn"}
    with pytest.raises(ConfigError, match=rf"\[mqtt\] {key}.*UTF-8") as caught:
        merge_layers({"environment": {"mqtt": table}})
    str(caught.value).encode()
