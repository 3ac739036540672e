import re
import tomllib
from pathlib import Path

import pytest

from rtgenre.config import (
    Config,
    SourceConfig,
    begun_settings,
    merge_layers,
    settings_of,
    settings_template,
)

TEMPLATE = (Path(__file__).parents[2] / "config.toml").read_text(encoding="utf-8")


def begun(chosen):
    return begun_settings(TEMPLATE, chosen, "Begun here.\nTwice.")


def test_a_file_with_nothing_chosen_leaves_every_default_in_force():
    text = begun({})
    assert text.startswith("# Begun here.\n# Twice.\n\n")
    assert not any(tomllib.loads(text).values())
    assert merge_layers({"file": tomllib.loads(text)}) == Config()


def test_what_was_chosen_is_in_force_and_every_other_setting_a_comment_that_can_be_taken_up():
    name = 'Wohnzimmer "Süd" \\ 東京'
    text = begun({"source": {"node": "south", "name": name}, "mqtt": {"port": 1884, "tls": True}})
    read = {table: keys for table, keys in tomllib.loads(text).items() if keys}
    assert read == {
        "source": {"node": "south", "name": name},
        "mqtt": {"port": 1884, "tls": True},
    }
    every = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    for table in Config.model_fields:
        annotation = Config.model_fields[table].annotation
        fields = settings_of(SourceConfig if table == "source" else annotation) or every[table]
        assert every[table].keys() >= set(fields), table


def test_every_comment_of_the_template_stands_beside_its_setting_or_below_it():
    begun_comments = [line.split(" # ")[-1] for line in begun({}).splitlines()]
    comments = [line.split(" # ")[-1] for line in TEMPLATE.splitlines() if " # " in line]
    assert len(comments) > 50
    assert [comment for comment in comments if comment not in begun_comments] == []


def test_a_choice_that_no_line_of_the_template_has_is_no_silent_loss():
    with pytest.raises(KeyError, match="volume"):
        begun({"source": {"volume": 11}})


def test_the_template_that_ships_is_the_file_of_the_checkout():
    assert settings_template() == TEMPLATE
