import asyncio
import gc
import io
import json
import logging
import re
import sys

import pytest

from rtgenre.config import Config, load_config
from rtgenre.monitoring.logs import MASK, set_up_logging

logger = logging.getLogger("rtgenre.somewhere")


def log_as_json(**tables):
    set_up_logging(Config(log={"format": "json"}, **tables))


def events(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_object_on_one_line(capsys):
    log_as_json()
    logger.warning("the %s said:\n  no", "broker")
    (event,) = events(capsys)
    assert event.keys() == {"time", "level", "logger", "message"}
    assert event["level"] == "warning"
    assert event["logger"] == "rtgenre.somewhere"
    assert event["message"] == "the broker said:\n  no"
    assert event["time"].endswith("Z")


def test_an_exception_stays_on_the_line_of_its_event(capsys):
    log_as_json()
    logger.error("it failed", exc_info=RuntimeError("broken\npipe"))
    (event,) = events(capsys)
    assert "RuntimeError: broken\npipe" in event["exception"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_secrets_never_reach_a_log(capsys, log_format, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTGENRE_MQTT__USERNAME", "me")
    monkeypatch.setenv("RTGENRE_MQTT__PASSWORD", "correct horse")
    monkeypatch.setenv("RTGENRE_WEBSOCKET__TOKEN", "a-token-that-is-long-enough")
    set_up_logging(load_config(flags={"log": {"format": log_format}}))
    logger.error("tried correct horse and a-token-that-is-long-enough")
    logger.error("cannot open %s", "rtsp://user:hunter2@camera.lan/stream")
    logger.error("it failed", exc_info=RuntimeError("correct horse"))
    written = capsys.readouterr().err
    for secret in ("correct horse", "a-token-that-is-long-enough", "hunter2"):
        assert secret not in written
    assert f"rtsp://{MASK}@camera.lan/stream" in written


def test_text_is_for_people(capsys):
    set_up_logging(Config())
    logger.info("listening")
    line = capsys.readouterr().err
    assert line.endswith("INFO listening\n")
    assert not line.startswith("{")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_text_of_others_forges_a_line_or_moves_the_cursor(capsys, log_format):
    set_up_logging(Config(log={"format": log_format}))
    logger.warning("cannot read %s", "a\n12:00:00 ERROR the roof is on fire\r\x1b[2J\x9b2J.wav")
    logger.error("it failed", exc_info=RuntimeError("and why"))
    written = capsys.readouterr().err
    assert not re.search(r"[\r\x1b\x9b]|^12:00:00", written, re.MULTILINE)
    assert "a\\n12:00:00 ERROR" in written
    assert "RuntimeError: and why" in written


def test_what_the_event_loop_complains_of_is_an_event_like_any_other(capsys):
    log_as_json()
    asyncio.run(_leave_an_exception_behind())
    (event,) = events(capsys)
    assert event["logger"] == "asyncio"
    assert "RuntimeError: nobody waits" in event["exception"]


async def _leave_an_exception_behind():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(RuntimeError("nobody waits"))
    del future
    gc.collect()


def test_the_level_is_the_configured_one(capsys):
    set_up_logging(Config(log={"level": "error"}))
    logger.warning("quiet")
    assert capsys.readouterr().err == ""


def test_a_closed_standard_error_does_not_stop_the_service(monkeypatch):
    set_up_logging(Config())
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.warning("nobody reads this")
