from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtgenre.outputs.mqtt import broker_check
from rtgenre.outputs.mqtt.broker import publish_once
from rtgenre.outputs.mqtt.broker_check import check_broker
from rtgenre.outputs.mqtt.topics import Message
from tests.broker import Broker, free_port, settings_for

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_good_broker_passes_every_step(tmp_path: Path):
    async with Broker(tmp_path) as broker:
        steps = await check_broker(settings_for(broker.port))
    assert [(step.name, step.ok) for step in steps] == [
        ("name", True),
        ("TCP", True),
        ("login", True),
        ("publish", True),
    ]


@pytest.mark.parametrize("allowed", ["read", "write"])
async def test_a_broker_that_takes_messages_and_drops_them_is_not_said_to_be_well(
    tmp_path: Path, monkeypatch, allowed
):
    monkeypatch.setattr(broker_check, "ECHO_SECONDS", 0.2)
    access = tmp_path / "access"
    access.write_text(f"topic {allowed} rtgenre/#\n")
    access.chmod(0o600)
    async with Broker(tmp_path, "allow_anonymous true", f"acl_file {access}") as broker:
        steps = await check_broker(settings_for(broker.port))
    assert [(step.name, step.ok) for step in steps][3:] == [("publish", False)]
    assert "must let anonymous clients read and write rtgenre/#" in steps[-1].message


HUB_READS = "topic read rtgenre/#"
HUB_TEACHES = "topic write rtgenre/+/teach/set"


@pytest.mark.parametrize(
    ("lines", "ok"),
    [([HUB_READS, HUB_TEACHES], True), ([HUB_READS], False), ([HUB_TEACHES], False)],
)
async def test_a_hub_needs_to_read_and_to_teach_and_no_more(tmp_path: Path, monkeypatch, lines, ok):
    monkeypatch.setattr(broker_check, "ECHO_SECONDS", 5.0 if ok else 0.2)
    access = tmp_path / "access"
    access.write_text("\n".join([*lines, ""]))
    access.chmod(0o600)
    async with Broker(tmp_path, "allow_anonymous true", f"acl_file {access}") as broker:
        *_, last = await check_broker(settings_for(broker.port), as_hub=True)
    assert (last.name, last.ok) == ("publish", ok)
    assert ok or "read rtgenre/# and write rtgenre/+/teach/set" in last.message


@pytest.mark.parametrize(("lines", "ok"), [([HUB_READS], True), (["topic read other/#"], False)])
async def test_a_hub_that_passes_on_no_lessons_only_needs_to_read_what_a_room_publishes(
    tmp_path: Path, monkeypatch, lines, ok
):
    monkeypatch.setattr(broker_check, "ECHO_SECONDS", 5.0 if ok else 0.2)
    access = tmp_path / "access"
    access.write_text("\n".join(["topic write rtgenre/den/status", *lines, ""]))
    access.chmod(0o600)
    async with Broker(tmp_path, "allow_anonymous true", f"acl_file {access}") as broker:
        settings = settings_for(broker.port)
        await publish_once(settings, [Message("rtgenre/den/status", "online", retain=True, qos=1)])
        *_, last = await check_broker(settings, as_hub=True, teaches=False)
    assert (last.name, last.ok) == ("read", ok)
    assert ok or "must let anonymous clients read rtgenre/#" in last.message


async def test_a_hub_that_hears_nothing_is_asked_whether_a_room_publishes(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(broker_check, "ECHO_SECONDS", 0.2)
    async with Broker(tmp_path) as broker:
        *_, last = await check_broker(settings_for(broker.port), as_hub=True, teaches=False)
    assert not last.ok
    assert "does an rtgenre of a room publish to this broker?" in last.message


async def test_an_unknown_name_is_found_out_first():
    config = settings_for(1883).model_copy(update={"host": "no-such-host.invalid"})
    steps = await check_broker(config)
    assert [(step.name, step.ok) for step in steps] == [("name", False)]
    assert "check [mqtt] host" in steps[0].message


async def test_a_closed_port_is_told_from_a_bad_login(tmp_path: Path):
    steps = await check_broker(settings_for(free_port()))
    assert [(step.name, step.ok) for step in steps] == [("name", True), ("TCP", False)]
    async with Broker(tmp_path, "allow_anonymous false") as broker:
        steps = await check_broker(settings_for(broker.port))
    assert [(step.name, step.ok) for step in steps][2:] == [("login", False)]
    assert "check [mqtt] username and password" in steps[-1].message
