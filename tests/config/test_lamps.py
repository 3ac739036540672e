"""The lamps of one room, in a file that holds those of all."""

import pytest

from rtgenre.config import ConfigError, load_config
from rtgenre.config.settings_file import SettingsFile

ROOMS = '[[source]]\nnode = "den" # first\n[[source]]\nnode = "bath"\n'


@pytest.mark.parametrize(
    ("lights", "node", "names", "written"),
    [
        # A list is the first room's.
        ('wled = ["tv"] # oak', "den", ["rack"], 'wled = ["rack"] # oak'),
        ("", "den", ["rack"], 'wled = ["rack"]'),
        ("", "bath", ["rack"], 'wled = {bath = ["rack"]}'),
        ('wled = ["tv"] # oak', "bath", ["rack"], 'wled = {den = ["tv"], bath = ["rack"]} # oak'),
        ('wled = { bath = ["tv"] }', "bath", [], "wled = { bath = [] }"),
        ('wled = { den = ["tv"] }', "bath", ["b"], 'wled = { den = ["tv"], bath = ["b"]}'),
        ('[lights.wled]\nbath = ["tv"] # oak', "bath", ["b"], 'bath = ["b"] # oak'),
    ],
)
def test_a_rooms_lamps_are_written_in_the_form_that_the_file_has(
    tmp_path, lights, node, names, written
):
    path = tmp_path / "rtgenre.toml"
    path.write_text(f"{ROOMS}[lights]\n{lights}\n")
    before = load_config(path).lights
    file = SettingsFile(path, {})
    config = file.change({"lights": {"wled": names}}, checksum=file.read().checksum, node=node)
    assert list(config.lights.lamps(node, first=node == "den")[0]) == names
    other = "bath" if node == "den" else "den"
    of_other = [each.lamps(other, first=other == "den") for each in (before, config.lights)]
    assert of_other[0] == of_other[1]
    text = path.read_text()
    assert text.startswith(ROOMS)
    assert written in text.splitlines()


def test_lamps_that_the_environment_names_are_not_written_without_effect(tmp_path, monkeypatch):
    path = tmp_path / "rtgenre.toml"
    path.write_text('[source]\nnode = "den"\n')
    monkeypatch.setenv("RTGENRE_LIGHTS__WLED", "tv")
    file = SettingsFile(path, {})
    with pytest.raises(ConfigError, match="set by the environment"):
        file.change({"lights": {"wled": ["rack"]}}, checksum=file.read().checksum)
    assert path.read_text() == '[source]\nnode = "den"\n'


def test_lamps_in_two_places_of_the_file_are_left_alone(tmp_path):
    path = tmp_path / "rtgenre.toml"
    text = f'{ROOMS}[lights]\nwled = {{ "" = ["a"], den = ["b"] }}\n'
    path.write_text(text)
    file = SettingsFile(path, {})
    with pytest.raises(ConfigError, match="in two places"):
        file.change({"lights": {"wled": ["c"]}}, checksum=file.read().checksum, node="den")
    assert path.read_text() == text
