import pytest

from rtgenre.config import Config
from rtgenre.service.reload import changed_settings


def test_nothing_changes_with_the_same_settings():
    assert changed_settings(Config(), Config()) == ([], [])


@pytest.mark.parametrize(
    ("tables", "live", "restart"),
    [
        ({"smoothing": {"unknown_below": 0.5}}, ["[smoothing] unknown_below"], []),
        ({"log": {"level": "debug"}}, ["[log] level"], []),
        ({"colors": {"jazz": "#000000"}}, ["[colors] jazz"], []),
        ({"lights": {"hold_seconds": 1, "wled": ["tv"]}}, 2, []),
        ({"mqtt": {"host": "broker"}}, [], ["[mqtt] host"]),
        ({"windows": {"hop_seconds": 1}}, [], ["[windows] hop_seconds"]),
        ({"source": {"input": "x"}}, [], ["[source]"]),
    ],
)
def test_changes_are_told_apart_by_whether_they_need_a_restart(tables, live, restart):
    node = {"source": {"node": "den"}}
    old = Config(**node)
    new = Config(**(node | tables | {"source": node["source"] | tables.get("source", {})}))
    found_live, found_restart = changed_settings(old, new)
    if isinstance(live, int):
        assert len(found_live) == live
    else:
        assert found_live == live
    assert found_restart == restart


def test_a_changed_secret_is_named_but_not_shown():
    old = Config(mqtt={"username": "me", "password": "battery staple"})
    new = Config(mqtt={"username": "me", "password": "correct horse"})
    live, restart = changed_settings(old, new)
    assert (live, restart) == ([], ["[mqtt] password"])
