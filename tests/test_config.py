import contextlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.config import GENRE_COLORS, Config, ConfigError, load_config
from rtgenre.smoothing import TrackerParams

SHIPPED = Path(__file__).parent.parent / "config.toml"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text):
    path = Path("settings.toml")
    path.write_text(text)
    return path


def test_the_shipped_file_holds_every_setting_with_its_default():
    def keys(model):
        return set(type(model).model_fields)

    document = tomllib.loads(SHIPPED.read_text())
    default = Config()
    assert load_config(SHIPPED) == default
    text = SHIPPED.read_text()
    for table in keys(default) - {"source", "colors"}:
        for key in keys(getattr(default, table)):
            assert f"\n{key} =" in text or f"\n# {key} =" in text, f"[{table}] {key}"
    assert set(document["colors"]) == set(GENRE_COLORS)


def test_no_file_no_environment_and_no_flags_give_the_defaults():
    assert load_config() == Config()
    assert load_config().smoothing.tracker_params() == TrackerParams()


def test_config_toml_in_the_current_folder_is_read():
    Path("config.toml").write_text("[windows]\nhop_seconds = 1\n")
    assert load_config().windows.hop_seconds == 1.0


def test_flags_beat_the_environment_which_beats_the_file_which_beats_defaults(monkeypatch):
    file = write('[mqtt]\nhost = "file"\nport = 1\nusername = "file"\n')
    monkeypatch.setenv("RTGENRE_MQTT__HOST", "environment")
    monkeypatch.setenv("RTGENRE_MQTT__PORT", "2")
    mqtt = load_config(file, {"mqtt": {"host": "flag"}}).mqtt
    assert (mqtt.host, mqtt.port, mqtt.username, mqtt.qos) == ("flag", 2, "file", 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[mqtt]\nport = 99999", ["[mqtt] port = 99999", "config file", "65535"]),
        ("[mqtt]\nhots = 'x'", ["[mqtt] hots", "no such setting", "host, port"]),
        ("[mqqt]\nhost = 'x'", ["[mqqt]", "no such setting", "mqtt"]),
        ("[windows]\nhop_seconds = 9", ["[windows] hop_seconds = 9", "4"]),
        ("[source]\nspeed = 'fast'", ["[source] speed = 'fast'", "realtime"]),
        ("[source]\nspede = 'max'", ["[source] spede", "no such setting", "speed"]),
        ("[source]\nnode = 'living room'", ["[source] node", "letters, digits"]),
        ("[colors]\njazz = 'blue'", ["[colors] jazz = 'blue'", "#rrggbb"]),
        ("[mqtt]\ntopic_prefix = 'a/#'", ["[mqtt] topic_prefix", "'#'"]),
        ("[mqtt]\ncert_file = 'a.pem'\ntls = true", ["[mqtt]", "key_file"]),
        ("[[source]]\ninput = 1\n[[source]]\ninput = 2", ["[source]", "node name of its own"]),
        (
            "[[source]]\nnode = 'a'\ninput = '-'\n[[source]]\nnode = 'b'\ninput = ['-']",
            ["[source]", "only one [[source]] can read standard input ('-'); found a, b"],
        ),
        ("source = []", ["[source]", "at least one"]),
        ('[source]\nname = "a\\u0007"', ["[source] name", "control characters"]),
        (f"[source]\nname = '{'ü' * 65}'", ["[source] name", "64 characters"]),
        ("[lights]\nwled = 'tv'", ["[lights] wled = 'tv'", 'write wled = ["tv"]']),
        ("[lights]\nzigbee2mqtt = {den = 'a'}", ['write zigbee2mqtt = { den = ["a"] }']),
        ("[mqtt]\nhost = 'a:1'\nport = 2", ["[mqtt] host = 'a:1'", "its port is given twice"]),
        ("[mqtt]\nhost = 'mqtt://a'", ["[mqtt] host = 'mqtt://a'", "write 'a'", "without mqtt://"]),
        ("[mqtt]\nhost = 'mqtts://a:8883/'", ["write 'a:8883'", "tls = true"]),
        ("[mqtt]\nhost = 'a:99999'", ["[mqtt] port = 99999", "65535"]),
        ("not toml", ["settings.toml", "not valid TOML"]),
    ],
)
def test_a_mistake_names_the_table_the_key_the_value_and_what_is_allowed(text, parts):
    with pytest.raises(ConfigError) as caught:
        load_config(write(text))
    for part in parts:
        assert part in str(caught.value)


def test_a_password_is_never_shown_even_in_errors():
    with pytest.raises(ConfigError) as caught:
        load_config(write("[mqtt]\npassword = 'hunter2'\npassword_file = 'p'\nport = 0"))
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(
        load_config(write("[mqtt]\nusername = 'me'\npassword = 'hunter2'"))
    )


def test_the_password_of_a_stream_is_not_shown_in_errors_about_sources():
    stream = "[[source]]\ninput = 'https://me:hunter2@radio.example/live'\n"
    with pytest.raises(ConfigError) as caught:
        load_config(write(stream * 2))
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_an_error_when_it_was_named():
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        load_config(Path("nowhere.toml"))


@pytest.mark.parametrize("variable", ["RTGENRE_MQT__HOST", "RTGENRE_HOST"])
def test_an_environment_variable_that_sets_nothing_is_an_error(monkeypatch, variable):
    monkeypatch.setenv(variable, "x")
    with pytest.raises(ConfigError, match=f"{variable} names no setting"):
        load_config()


def test_flags_change_the_only_source_but_not_one_of_several():
    one = write("[[source]]\ninput = 3\nchannel = 'left'\n")
    (source,) = load_config(one, {"source": {"channel": "2"}}).source
    assert (source.input, source.channel) == (3, 2)
    several = write("[[source]]\nnode = 'a'\n[[source]]\nnode = 'b'\n")
    assert [s.node for s in load_config(several).source] == ["a", "b"]
    with pytest.raises(ConfigError, match=r"2 \[\[source\]\] tables"):
        load_config(several, {"source": {"channel": "left"}})


def test_a_node_is_shown_by_its_name_where_it_has_one():
    file = write(
        '[[source]]\nnode = "sued"\nname = " Wohnzimmer Süd "\n[[source]]\nnode = "nord"\n'
    )
    assert [source.shown_name for source in load_config(file).source] == ["Wohnzimmer Süd", "nord"]


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("broker:1884", "broker", 1884),
        ("192.168.1.5:8883", "192.168.1.5", 8883),
        ("[fe80::1]:1884", "fe80::1", 1884),
        ("fe80::1", "fe80::1", 1883),
        ("broker", "broker", 1883),
    ],
)
def test_a_broker_can_be_written_with_its_port(written, host, port):
    mqtt = load_config(None, {"mqtt": {"host": written}}).mqtt
    assert (mqtt.host, mqtt.port) == (host, port)


def test_a_port_that_comes_with_the_host_counts_in_the_layer_that_names_it(monkeypatch):
    file = write('[mqtt]\nhost = "file:1"\n')
    assert load_config(file).mqtt.port == 1
    monkeypatch.setenv("RTGENRE_MQTT__PORT", "2")
    assert load_config(file).mqtt.port == 2
    mqtt = load_config(file, {"mqtt": {"host": "flag:3"}}).mqtt
    assert (mqtt.host, mqtt.port) == ("flag", 3)


def test_colours_may_be_changed_one_by_one():
    colors = load_config(write("[colors]\njazz = '#ABCDEF'")).colors
    assert colors["jazz"] == "#abcdef"
    assert colors["rock"] == GENRE_COLORS["rock"]


@given(st.text(max_size=200))
def test_any_text_is_either_read_or_refused_with_a_message(text):
    path = Path("fuzz.toml")
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(ConfigError):
        load_config(path)
