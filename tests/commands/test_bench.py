"""What ``rtgenre bench`` measures; its figures are for benchmarks, not for tests."""

from itertools import islice

import pytest

from rtgenre.cli import main
from rtgenre.commands import bench
from tests.broker import free_port


def test_a_service_that_does_not_start_is_said_and_not_waited_for(capsys):
    assert main(["bench", "--model", "nosuch"]) == 1
    assert "no model folder 'nosuch'" in capsys.readouterr().err


def test_what_is_measured_has_none_of_this_user_s_settings(tmp_path, monkeypatch):
    history = tmp_path / "history.db"
    monkeypatch.setenv("RTGENRE_HISTORY__FILE", str(history))
    monkeypatch.setenv("RTGENRE_MQTT__HOST", "127.0.0.1:1")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rtgenre.toml").write_text("[websocket]\nenabled = false\n")
    with bench._service("crnn", "--hop-seconds", "0.25") as service:
        assert len(list(islice(bench._states(service), 2))) == 2
        assert bench._metric(service.port, "process_cpu_seconds_total") > 0
        service.process.terminate()
        said = service.messages.read()
    assert "broker" not in said
    assert not history.exists()


def test_a_service_that_ends_before_it_answers_is_said_and_not_waited_for():
    with (
        bench._service("nosuch") as service,
        pytest.raises(bench.BenchError, match="ended with 1: rtgenre: no model folder 'nosuch'"),
    ):
        next(iter(bench._states(service)))
