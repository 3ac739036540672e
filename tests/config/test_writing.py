"""Single settings in a file that somebody else wrote."""

import difflib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.config import ConfigError, begun_settings, settings_template
from rtgenre.config.writing import changed_text, changes_of

CHANGES = {
    "smoothing": {"switch_margin": 0.3},
    "colors": {"jazz": "#123456", "drum and bass": "#ffffff"},
    "source": {"name": 'Küche "1"'},
    "lights": {"wled": ["tv", "shelf"]},
}


def differences(before, after):
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_every_comment_and_every_other_key_of_the_whole_file_stays_where_it_was():
    template = settings_template()
    changed = changed_text(template, CHANGES)
    removed = [line[2:] for line in differences(template, changed) if line[0] == "-"]
    added = [line[2:] for line in differences(template, changed) if line[0] == "+"]
    # Values were replaced within their lines, and one genre is new.
    assert len(removed) == 4
    assert len(added) == 5
    comments = [line.partition("#  ")[2] for line in removed]
    assert all(comment in changed for comment in comments)
    assert tomllib.loads(changed)["colors"]["drum and bass"] == "#ffffff"


def test_a_new_setting_stands_below_the_comment_about_it_and_not_in_the_next_table():
    begun = begun_settings(settings_template(), {}, "Mine.")
    changed = changed_text(begun, CHANGES)
    assert [line[0] for line in differences(begun, changed)] == ["+"] * 5
    lines = changed.splitlines()
    name = next(i for i, line in enumerate(lines) if line.startswith("name ="))
    assert lines[name - 1].startswith("# name =")
    assert tomllib.loads(changed) == CHANGES | {"source": {"name": 'Küche "1"'}} | {
        table: {} for table in tomllib.loads(begun).keys() - CHANGES.keys()
    }


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", "[smoothing]\nswitch_margin = 0.3\n"),
        ("[smoothing]", "[smoothing]\nswitch_margin = 0.3\n"),
        ("[smoothing] # calm\r\n", "[smoothing] # calm\r\nswitch_margin = 0.3\r\n"),
        ("smoothing.switch_margin=0 # why\n", "smoothing.switch_margin=0.3 # why\n"),
        ("smoothing = {switch_margin = 0} # why", "smoothing = {switch_margin = 0.3} # why"),
        ("# mine\n[log]", "# mine\n[log]\n\n[smoothing]\nswitch_margin = 0.3\n"),
    ],
)
def test_other_ways_to_write_it_are_kept(text, changed):
    assert changed_text(text, {"smoothing": {"switch_margin": 0.3}}) == changed


def test_of_several_rooms_the_one_that_is_meant_is_changed():
    text = '[[source]]\nnode = "den" # a\n\n[[source]]\nnode = "bath" # b\n'
    changed = changed_text(text, {"source": {"name": "Bad"}}, source_index=1)
    assert changed == text + 'name = "Bad"\n'


def test_a_file_that_cannot_be_changed_without_loss_is_left_alone():
    odd = "[log]\nx = '''\n[smoothing]\n'''\n[a]\n[smoothing.deep]\n"
    with pytest.raises(ConfigError, match="in an editor"):
        changed_text(odd, {"smoothing": {"switch_margin": 0.3}})
    with pytest.raises(ConfigError, match="not valid TOML"):
        changed_text("[smoothing\n", {"smoothing": {"switch_margin": 0.3}})


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_written_so_that_it_reads_back(value, key):
    changes = {"colors": {key: value}}
    assert tomllib.loads(changed_text("[colors]\na = 1 # b\n", changes)) == {
        "colors": {"a": 1} | changes["colors"]
    }


@pytest.mark.parametrize("asked", [{"colors": 3}, {"colors": {"a": {"b": 1}}}, {"a": {"b": None}}])
def test_what_has_not_the_shape_of_settings_is_refused(asked):
    with pytest.raises(ConfigError, match="takes values by key"):
        changes_of(asked)


COMMENTED = """\
[lights]
wled = [  # all
  "tv",   # left
  "shelf",
  "rack"  # oak
]         # of them
"""


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["tv", "bed", "rack"], ['  "tv",   # left', '  "bed",', '  "rack"  # oak']),
        (["tv", "rack"], ['  "tv",   # left', '  "rack"  # oak']),
        (["shelf", "rack"], ['  "shelf",', '  "rack"  # oak']),
        (["tv", "shelf", "rack", "bed"], ['  "tv",   # left', '  "shelf",', '  "bed"']),
        (["bed", "tv", "shelf", "rack"], ['  "bed",', '  "tv",   # left', '  "rack"  # oak']),
        ([], []),
    ],
)
def test_of_a_list_that_is_written_over_several_lines_only_what_differs_is_changed(names, lines):
    changed = changed_text(COMMENTED, {"lights": {"wled": names}})
    assert tomllib.loads(changed) == {"lights": {"wled": names}}
    assert changed.startswith("[lights]\nwled = [  # all\n")
    assert changed.endswith("\n]         # of them\n")
    for line in lines:
        assert line in changed.splitlines()


def test_a_new_setting_does_not_get_into_the_value_of_the_one_before():
    for value in ('[\n  "tv", # oak\n]', '[["a"],\n["b"]]', '"""\na = 1\n"""'):
        text = f"[lights]\nwled = {value} # mine\n[log]\n"
        changed = changed_text(text, {"lights": {"zigbee2mqtt": ["Sofa"]}})
        assert changed == text.replace("[log]", 'zigbee2mqtt = ["Sofa"]\n[log]')


def test_lists_by_room_are_changed_where_they_stand():
    inline = 'lights = { wled = { den = ["a"], bath = ["b"] } } # mine\n'
    change = {"lights": {"wled": {"den": ["c"]}}}
    assert changed_text(inline, change) == inline.replace('"a"', '"c"')
    table = '[lights.wled] # by room\nden = ["a"] # oak\n\n[log]\n'
    assert changed_text(table, change) == table.replace('"a"', '"c"')
    new = changed_text(table, {"lights": {"wled": {"attic": ["x"]}}})
    assert tomllib.loads(new)["lights"]["wled"] == {"den": ["a"], "attic": ["x"]}
    assert changed_text("[lights]\n", change) == '[lights]\nwled = {den = ["c"]}\n'


def test_a_list_whose_comments_would_be_lost_is_left_alone():
    with pytest.raises(ConfigError, match="without losing"):
        changed_text(COMMENTED, {"lights": {"wled": {"den": ["tv"], "bath": ["b"]}}})


@given(st.lists(st.sampled_from("abcdef")), st.lists(st.sampled_from("abcdef")))
def test_any_list_becomes_any_other(before, after):
    text = "[lights]\nwled = [" + "".join(f'\n  "{name}", # {name}' for name in before) + "\n]\n"
    changed = changed_text(text, {"lights": {"wled": after}})
    assert tomllib.loads(changed) == {"lights": {"wled": after}}
