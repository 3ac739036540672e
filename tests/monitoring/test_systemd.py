import os
import socket
import time

import pytest

from rtgenre.monitoring.health import NodeHealth
from rtgenre.monitoring.systemd import Notifier, is_progressing


@pytest.fixture
def systemd(tmp_path):
    """Return the socket that systemd would listen on, a real one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def notifier(systemd, **environment):
    return Notifier({"NOTIFY_SOCKET": systemd.getsockname(), **environment})


def received(systemd):
    return systemd.recv(4096).decode().splitlines()


def test_ready_and_stopping_reach_systemd(systemd):
    it = notifier(systemd)
    it.ready()
    assert received(systemd) == ["READY=1"]
    it.stopping()
    assert received(systemd) == ["STOPPING=1"]


def test_the_watchdog_is_fed_twice_in_the_allowed_time(systemd):
    it = notifier(systemd, WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid()))
    assert it.watchdog_seconds == 15
    it.alive("jazz")
    assert received(systemd) == ["WATCHDOG=1", "STATUS=jazz"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "nonsense"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_is_fed_where_none_is_set_for_this_process(systemd, environment):
    it = notifier(systemd, **environment)
    assert it.watchdog_seconds is None
    it.alive("jazz")
    assert received(systemd) == ["STATUS=jazz"]


def test_a_status_is_one_line_and_is_not_repeated(systemd):
    it = notifier(systemd)
    it.status("no audio\nREADY=1")
    it.status("no audio\nREADY=1")
    it.status("jazz")
    assert received(systemd) == ["STATUS=no audio READY=1"]
    assert received(systemd) == ["STATUS=jazz"]


def test_reloading_carries_the_monotonic_time_that_systemd_asks_for(systemd):
    before = time.monotonic_ns() // 1000
    notifier(systemd).reloading()
    state, stamp = received(systemd)
    assert state == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="abstract sockets are Linux's")
def test_a_socket_in_the_abstract_namespace_is_found():
    name = f"rtgenre-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert received(listener) == ["READY=1"]


def test_nothing_is_sent_without_a_service_manager():
    it = Notifier({})
    assert not it.enabled
    it.ready()
    it.alive("jazz")


def test_a_socket_that_is_gone_or_full_never_stops_the_service(tmp_path, systemd):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    it = notifier(systemd)
    for number in range(10_000):
        it.status(str(number))


def node(*, silent_for_seconds, problem=None):
    return NodeHealth(
        node="den",
        source="mic",
        problem=problem,
        silent_for_seconds=silent_for_seconds,
        allowed_seconds=4.0,
    )


def test_progress_is_a_window_in_time_or_a_source_that_names_its_problem():
    assert is_progressing([node(silent_for_seconds=1)])
    assert is_progressing([node(silent_for_seconds=60, problem="device is gone")])


def test_one_stuck_pipeline_starves_the_watchdog():
    assert not is_progressing([node(silent_for_seconds=1), node(silent_for_seconds=60)])
