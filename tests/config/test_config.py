import contextlib
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_config_path

from rtgenre.config import Config, ConfigError, foreign_config_file, load_config, settings_of
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.tracking.smoothing import TrackerParams

SHIPPED = Path(__file__).parents[2] / "config.toml"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text):
    path = Path("settings.toml")
    path.write_text(text)
    return path


def test_the_shipped_file_holds_every_setting_with_its_default():
    def keys(model):
        return set(settings_of(type(model)))

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
    assert asdict(load_config().smoothing) == asdict(TrackerParams())


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
        ("[mqtt]\nport = 99999", ["[mqtt] port = 99999", "config file", "must be 1 to 65535"]),
        ("[mqtt]\nport = 'a'", ["[mqtt] port = 'a'", "must be a whole number, 1 to 65535"]),
        ("[mqtt]\nqos = 9", ["[mqtt] qos = 9", "0"]),
        ("[lights]\nhold_seconds = -1", ["[lights] hold_seconds = -1", "must be"]),
        ("[websocket]\nmessages_per_second = 0", ["must be more than 0 and at most 1000"]),
        ("[websocket]\nenabled = 'perhaps'", ["must be true or false"]),
        ("big = " + 6000 * "9", ["settings.toml", "value has 6000 digits"]),
        ("[mqtt]\nhots = 'x'", ["[mqtt] hots", "no such setting", "host, port"]),
        ("[mqqt]\nhost = 'x'", ["[mqqt]", "no such setting", "mqtt"]),
        ("[windows]\nhop_seconds = 9", ["[windows] hop_seconds = 9", "4"]),
        ("[source]\nspeed = 'fast'", ["[source] speed = 'fast'", "realtime"]),
        ("[source]\nspede = 'max'", ["[source] spede", "no such setting", "speed"]),
        ("[source]\nnode = 'living room'", ["[source] node", "letters, digits"]),
        ("[colors]\njazz = 'blue'", ["[colors] jazz = 'blue'", "#rrggbb"]),
        ("[mqtt]\ntopic_prefix = 'a/#'", ["[mqtt] topic_prefix", "'#'"]),
        ("[source]\nplaying_topic = 'a/#'", ["[source] playing_topic", "'#'"]),
        ("[source]\nplaying_topic = '$SYS/a'", ["[source] playing_topic", "broker's own"]),
        (
            "[source]\nnode = 'den'\nplaying_topic = 'rtgenre/den/state'",
            ["[mqtt]", "'rtgenre/den/state' of the source 'den'", "rtgenre itself speaks"],
        ),
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
        ("[lights]\nwled = ['a+b']", ["[lights] wled = 'a+b'"]),
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


@pytest.mark.parametrize(
    "table", ["history]\nfile", "model]\nfolder", "websocket]\ntoken_file", "mqtt]\nca_file"]
)
@pytest.mark.parametrize(
    ("path", "part"), [("~nosuchuser/x", "no user 'nosuchuser'"), ("a\\u0000b", "NUL")]
)
def test_a_path_that_cannot_be_is_refused(table, path, part):
    with pytest.raises(ConfigError, match=part):
        load_config(write(f'[{table} = "{path}"'))


def test_a_secret_of_the_home_folder_is_looked_for_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = load_config(write("[mqtt]\nusername = 'me'\npassword_file = '~/secret'"))
    assert config.mqtt.password_file == tmp_path / "secret"


def test_a_missing_file_is_an_error_when_it_was_named():
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        load_config(Path("nowhere.toml"))


def test_a_room_added_below_the_only_one_is_told_what_both_must_be():
    for tables in (["[source]", "[[source]]"], ["[[ source ]]", "[source]"]):
        text = "".join(f"{table}\nnode = 'n{at}'\n" for at, table in enumerate(tables))
        with pytest.raises(ConfigError, match=r"write \[\[source\]\] above each room"):
            load_config(write(text))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("host = broker", '"broker"'),
        ("tls = yes", "true and false"),
        (r'ca_file = "C:\Keys\ca.pem"', "single quotes"),
    ],
)
def test_who_does_not_know_toml_is_told_how_to_write_text_and_yes(line, hint):
    with pytest.raises(ConfigError, match=rf"at line 2, column \d+\); .*{hint}"):
        load_config(write(f"[mqtt]\n{line}\n"))


def test_rooms_without_a_node_are_told_where_the_name_they_share_is_from():
    with pytest.raises(ConfigError, match=r"found twice: \S+ \(.*this machine's name\)$"):
        load_config(write("[[source]]\nname = 'Küche'\n[[source]]\nname = 'Bad'\n"))


def test_an_environment_variable_that_sets_nothing_is_an_error(monkeypatch):
    monkeypatch.setenv("RTGENRE_MQT__HOST", "x")
    with pytest.raises(ConfigError, match="RTGENRE_MQT__HOST names no setting"):
        load_config()


@pytest.mark.parametrize(
    "variable",
    ["RTGENRE_PORT", "RTGENRE_SERVICE_HOST", "RTGENRE_PORT_8765_TCP_ADDR", "RTGENRE_MQTT"],
)
def test_what_kubernetes_sets_for_a_service_of_that_name_is_no_setting(monkeypatch, variable):
    monkeypatch.setenv(variable, "tcp://10.0.0.1:8765")
    assert load_config() == Config()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        (
            "WEBSOCKET__ALLOWED_ORIGINS",
            "https://a.example, https://b.example",
            ("https://a.example", "https://b.example"),
        ),
        (
            "WEBSOCKET__ALLOWED_ORIGINS",
            '["https://a.example"]',
            ("https://a.example",),
        ),
        ("LIGHTS__WLED", "tv,strip", {"": ("tv", "strip")}),
        ("LIGHTS__WLED__DEN", "tv,strip", {"den": ("tv", "strip")}),
        ("LIGHTS__WLED", '{"den": ["tv"]}', {"den": ("tv",)}),
        ("LIGHTS__WLED_EFFECTS__DISCO", "9", {"disco": 9}),
    ],
)
def test_lists_and_tables_can_come_from_the_environment(monkeypatch, variable, value, expected):
    monkeypatch.setenv("RTGENRE_SOURCE__NODE", "den")
    monkeypatch.setenv(f"RTGENRE_{variable}", value)
    table, key = variable.lower().split("__")[:2]
    assert getattr(getattr(load_config(), table), key) == expected


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("RTGENRE_LIGHTS__WLED", '["tv"', "write names with commas between them"),
        ("RTGENRE_LIGHTS__WLED", "[" * 20000, "write names with commas between them"),
        ("RTGENRE_WEBSOCKET__ALLOWED_ORIGINS", "home", "an origin is written scheme://host"),
        ("RTGENRE_LIGHTS__WLED_EFFECTS", "9", "a table of its own"),
    ],
)
def test_a_mistake_in_a_list_of_the_environment_is_one_line(monkeypatch, variable, value, part):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=part) as caught:
        load_config()
    assert "\n" not in str(caught.value)


def test_a_device_whose_name_holds_a_comma_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RTGENRE_SOURCE__INPUT", "USB Audio: - (hw:1,0)")
    assert load_config().source[0].input == "USB Audio: - (hw:1,0)"


def test_a_file_of_rtgenres_name_is_read_before_a_config_toml():
    Path("rtgenre.toml").write_text("[windows]\nhop_seconds = 1\n")
    Path("config.toml").write_text("[windows]\nhop_seconds = 3\n")
    assert load_config().windows.hop_seconds == 1.0


def test_settings_in_the_users_folder_are_read_where_there_are_none_here(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    file = user_config_path("rtgenre", appauthor=False) / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[windows]\nhop_seconds = 1\n")
    assert load_config().windows.hop_seconds == 1.0
    Path("rtgenre.toml").write_text("[windows]\nhop_seconds = 3\n")
    assert load_config().windows.hop_seconds == 3.0


def test_the_file_that_comes_with_the_source_hides_ones_own_only_once_it_was_changed(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    file = user_config_path("rtgenre", appauthor=False) / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[windows]\nhop_seconds = 1\n")
    monkeypatch.chdir(SHIPPED.parent)
    assert load_config().windows.hop_seconds == 1.0
    assert foreign_config_file() is None
    changed = tmp_path / "source" / "config.toml"
    changed.parent.mkdir()
    changed.write_text(SHIPPED.read_text().replace("hop_seconds = 2.0", "hop_seconds = 3.0"))
    monkeypatch.setattr("rtgenre.config.file._shipped_file", lambda: changed)
    monkeypatch.chdir(changed.parent)
    assert load_config().windows.hop_seconds == 3.0


@pytest.mark.parametrize(
    "text",
    [
        'baseURL = "https://example.org/"\n[params]\n[log]\n[markup.goldmark]\n',
        'title = "a page"\n',
        "[[module.mounts]\n",
        "",
    ],
)
def test_another_programs_config_toml_is_left_alone(text):
    Path("config.toml").write_text(text)
    assert load_config() == Config()
    assert foreign_config_file() == Path("config.toml")


@pytest.mark.parametrize(
    "text", ["[mqtt]\nhots = 1\n", "[source]\n[mqqt]\n[log]\n", "[mqtt\n", "mqtt.hots = 1\n"]
)
def test_a_mistake_in_ones_own_config_toml_is_still_refused(text):
    Path("config.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_config()


def test_a_byte_order_mark_is_accepted():
    file = write("")
    file.write_bytes(b"\xef\xbb\xbf[windows]\nhop_seconds = 1\n")
    assert load_config(file).windows.hop_seconds == 1.0


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 20_000, "[windows]\nhop_seconds = 1" + "0" * 6000, "a" + ".a" * 20_000]
)
def test_monstrous_toml_is_refused_in_one_line(text):
    with pytest.raises(ConfigError, match="config file") as caught:
        load_config(write(text))
    assert "\n" not in str(caught.value)


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
        ("[fe80::1]", "fe80::1", 1883),
        ("fe80::1%eth0", "fe80::1%eth0", 1883),
        ("[fe80::1%eth0]:1884", "fe80::1%eth0", 1884),
        ("broker", "broker", 1883),
    ],
)
def test_a_broker_can_be_written_with_its_port(written, host, port):
    mqtt = load_config(None, {"mqtt": {"host": written}}).mqtt
    assert (mqtt.host, mqtt.port) == (host, port)


@pytest.mark.parametrize(
    "written",
    [
        "a:b:c",
        "broker:",
        "broker:name",
        "[broker]:1883",
        "[::1",
        "me@broker",
        "a b",
        "a/b",
        ":1883",
    ],
)
def test_what_is_no_broker_is_refused_with_what_is_one(written):
    with pytest.raises(ConfigError, match=r"\[mqtt\] host = .*: it must be a name or an address"):
        load_config(None, {"mqtt": {"host": written}})


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "[source]\ninput = 5.5",
            (
                "[source] input = 5.5 (config file): it must be text in quotes or a whole number "
                'or a list, as in ["one", "two"]'
            ),
        ),
        (
            '[source]\nchannel = "x"',
            (
                "[source] channel = 'x' (config file): it must be 'mix', 'left' or 'right' or a "
                "whole number"
            ),
        ),
        ("source = 3", "[source] = 3 (config file): it must be a table of its own"),
        ("websocket = 3", "[websocket] = 3 (config file): it must be a table of its own"),
        (
            "[websocket]\ntoken_file = 3",
            "[websocket] token_file = 3 (config file): it must be text in quotes",
        ),
    ],
)
def test_a_value_of_a_wrong_kind_is_told_once_and_in_words_of_a_settings_file(written, told):
    with pytest.raises(ConfigError) as caught:
        load_config(write(written))
    assert str(caught.value) == told


def test_a_port_that_comes_with_the_host_counts_in_the_layer_that_names_it(monkeypatch):
    file = write('[mqtt]\nhost = "file:1"\n')
    assert load_config(file).mqtt.port == 1
    monkeypatch.setenv("RTGENRE_MQTT__PORT", "2")
    assert load_config(file).mqtt.port == 2
    mqtt = load_config(file, {"mqtt": {"host": "flag:3"}}).mqtt
    assert (mqtt.host, mqtt.port) == ("flag", 3)


def test_thousands_of_rooms_are_read_or_refused_in_one_short_line():
    rooms = "".join(f"[[source]]\nnode = 'n{number}'\n" for number in range(5_000))
    assert len(load_config(write(rooms)).source) == 5_000
    with pytest.raises(ConfigError, match=r"node name of its own; found twice: n7$"):
        load_config(write(rooms + "[[source]]\nnode = 'n7'\n"))


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


def test_a_mistake_is_said_of_where_it_is_and_not_of_what_else_sets_its_table(monkeypatch):
    path = write("[mqtt]\nport = 99999\n[[source]]\nspeed = 'fast'\n[websocket]\ntoken = 'short'\n")
    monkeypatch.setenv("RTGENRE_MQTT__USERNAME", "me")
    flags = {"source": {"node": "den"}, "websocket": {"port": 1}}
    with pytest.raises(ConfigError) as caught:
        load_config(path, flags)
    speed, token, port = str(caught.value).splitlines()
    assert "[mqtt] port = 99999 (config file): " in port
    assert "[source] speed = 'fast' (config file): " in speed
    assert "[websocket] token (config file): " in token


def test_an_input_of_brackets_alone_is_a_name_however_many_there_are(monkeypatch):
    monkeypatch.setenv("RTGENRE_SOURCE__INPUT", 20_000 * "[")
    assert load_config().source[0].input == 20_000 * "["
