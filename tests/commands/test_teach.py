"""``rtgenre teach``: lessons to a real port, and the file of what was taught."""

import asyncio
import contextlib
import functools
import os
import socket
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from rtgenre.cli import main
from rtgenre.commands import teach as teach_module
from rtgenre.learning.taught.network import TaughtNetwork
from rtgenre.learning.taught.store import TaughtStore
from rtgenre.learning.taught.stretch import TaughtStretch
from rtgenre.messages.hub import Hub
from rtgenre.outputs.web.teaching import teaching_routes
from tests.broker import free_port
from tests.certificates import a_certificate
from tests.documents import a_websocket_output
from tests.lessons import Lessons

TOKEN = "a-token-that-is-long-enough"
NETWORK = TaughtNetwork("net 1", ("jazz", "rock"), np.ones((2, 4), np.float32))


@pytest.fixture
def lessons():
    return Lessons()


def output(lessons, nodes=("den",), **options):
    routes = teaching_routes(lessons, nodes)
    return a_websocket_output(Hub(), *nodes, routes=routes, **options)


async def told(server, *arguments):
    """Run the command beside the service."""
    return await asyncio.to_thread(main, ["teach", *arguments, "--port", str(server.port)])


async def test_a_genre_is_taught_and_what_was_learnt_is_said(lessons, capsys):
    async with output(lessons) as server:
        assert await told(server, "techno") == 0
    assert lessons.lessons == [("den", "techno")]
    assert capsys.readouterr().out == "Learnt: the last 24 s are techno.\n"


async def test_of_several_rooms_the_one_that_is_named_is_taught(lessons):
    async with output(lessons, ("den", "hall")) as server:
        assert await told(server, "drum-bass", "--node", "hall") == 0
    assert lessons.lessons == [("hall", "drum-bass")]


async def test_why_nothing_was_learnt_is_said_in_one_line(lessons, capsys):
    lessons.problem = "nothing that could be taught is playing in den"
    async with output(lessons) as server:
        assert await told(server, "techno") == 1
    assert capsys.readouterr().err == "rtgenre: nothing that could be taught is playing in den\n"


async def test_the_token_of_the_settings_is_shown(lessons, monkeypatch, capsys):
    async with output(lessons, token=TOKEN) as server:
        assert await told(server, "techno") == 1
        assert "asks for its token: set RTGENRE_WEBSOCKET__TOKEN" in capsys.readouterr().err
        monkeypatch.setenv("RTGENRE_WEBSOCKET__TOKEN", TOKEN)
        assert await told(server, "techno") == 0


async def test_a_service_with_a_certificate_of_its_own_is_taught(lessons, monkeypatch, tmp_path):
    cert, key = await a_certificate(tmp_path)
    monkeypatch.setenv("RTGENRE_WEBSOCKET__CERT_FILE", str(cert))
    monkeypatch.setenv("RTGENRE_WEBSOCKET__KEY_FILE", str(key))
    async with output(lessons, cert_file=cert, key_file=key) as server:
        assert await told(server, "techno") == 0


def test_where_no_service_runs_it_says_what_to_do(capsys):
    assert main(["teach", "jazz", "--port", str(free_port())]) == 1
    told = capsys.readouterr().err
    assert "start `rtgenre run`" in told
    assert told.count("\n") == 1


@contextlib.contextmanager
def answering(answer):
    """Answer every request on a port with these bytes; yield the port and the requests so far."""
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    with connection:
                        requests.append(connection.recv(4096))
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], requests
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "(SSH-2.0-OpenSSH_9.2): start `rtgenre run`"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "IncompleteRead"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"ok": 1}', "is no rtgenre: give its --host and --port"),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", "is no rtgenre: give its --host and --port"),
    ],
    ids=["ssh", "cut", "another service", "a list"],
)
def test_what_is_no_rtgenre_at_the_port_is_told_in_one_line(answer, told, capsys):
    with answering(answer) as (port, _):
        assert main(["teach", "jazz", "--port", str(port)]) == 1
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1


async def test_the_token_goes_to_the_service_and_to_no_proxy(lessons, monkeypatch):
    monkeypatch.setenv("RTGENRE_WEBSOCKET__TOKEN", TOKEN)
    # urllib keeps the proxies of its first use.
    monkeypatch.setattr("urllib.request._opener", None)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(b"HTTP/1.1 503 Out of reach\r\n\r\n") as (port, requests):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        async with output(lessons, token=TOKEN) as server:
            assert await told(server, "techno") == 0
    assert not requests


def test_a_certificate_that_is_not_there_is_told_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RTGENRE_WEBSOCKET__CERT_FILE", str(tmp_path / "cert.pem"))
    monkeypatch.setenv("RTGENRE_WEBSOCKET__KEY_FILE", str(tmp_path / "key.pem"))
    assert main(["teach", "jazz", "--port", str(free_port())]) == 1
    assert "cert.pem' cannot be used: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["\udcff"], ["jazz", "--node", "\udcff"]])
def test_a_name_that_is_no_text_is_refused(arguments, capsys):
    assert main(["teach", *arguments]) == 2
    assert "this is not text" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["jazz", "--export", "x"], ["jazz", "--import", "x"]], ids=" ".join
)
def test_it_says_what_it_takes(arguments, capsys):
    assert main(["teach", *arguments]) == 2
    assert "rtgenre teach jazz" in capsys.readouterr().err


@pytest.fixture
def taught(tmp_path, monkeypatch):
    """A file in which a stretch was taught, in use by these settings."""
    monkeypatch.setenv("RTGENRE_TEACH__FILE", str(tmp_path / "taught.db"))
    values = np.ones((2, 4), np.float32), np.full((2, 3), -1.0, np.float32)
    with TaughtStore(tmp_path / "taught.db") as store:
        store.add(NETWORK, [TaughtStretch("den", 1000.0, 1024.0, "techno", *values)])
    return tmp_path


def test_what_was_taught_is_exported_and_imported_elsewhere(taught, monkeypatch, capsys):
    file = taught / "export.jsonl"
    assert main(["teach", "--export", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: 1 stretch\n"
    monkeypatch.setenv("RTGENRE_TEACH__FILE", str(taught / "elsewhere" / "taught.db"))
    assert main(["teach", "--import", str(file)]) == 0
    assert main(["teach", "--import", str(file)]) == 0
    assert capsys.readouterr().out == (
        "Took in 1 stretch.\nTook in 0 stretches. 1 was here already.\n"
    )
    with TaughtStore(taught / "elsewhere" / "taught.db") as store:
        assert [row.genre for row in store.rows()] == ["techno"]


def test_a_dash_is_standard_output_and_input_and_no_file_of_that_name(taught, monkeypatch):
    command = [sys.executable, "-m", "rtgenre", "teach"]
    run = functools.partial(subprocess.run, check=True, capture_output=True, cwd=taught)
    exported = run([*command, "--export", "-"]).stdout
    assert b"techno" in exported
    monkeypatch.setenv("RTGENRE_TEACH__FILE", "elsewhere.db")
    assert run([*command, "--import", "-"], input=exported).stdout == b"Took in 1 stretch.\n"
    assert not (taught / "-").exists()


@pytest.mark.parametrize("content", ["", '{"rtgenre": "taught", "version": 1}\n'])
def test_of_a_file_without_a_lesson_that_is_said_and_the_import_fails(taught, capsys, content):
    file = taught / "empty.jsonl"
    file.write_text(content)
    assert main(["teach", "--import", str(file)]) == 1
    output = capsys.readouterr()
    assert output.err == "rtgenre: this file holds nothing that was taught\n"
    assert output.out == ""


def test_what_cannot_be_imported_is_refused_in_one_line_and_changes_nothing(
    taught, monkeypatch, capsys
):
    monkeypatch.setattr(teach_module, "MAX_FILE_BYTES", 1000)
    (taught / "wrong.jsonl").write_bytes(b"\xff\xfe\x00" * 9)
    (taught / "large.jsonl").write_bytes(b" " * 1001)
    for name, problem in {
        "wrong.jsonl": "line 1 cannot be taken in",
        "large.jsonl": "is larger than",
        "missing.jsonl": "No such file",
        "": "Is a directory",
    }.items():
        assert main(["teach", "--import", str(taught / name)]) == 1
        told = capsys.readouterr().err
        assert problem in told
        assert told.count("\n") == 1
    with TaughtStore(taught / "taught.db") as store:
        assert len(store.rows()) == 1


def test_an_export_takes_the_place_of_no_link_and_no_pipe(taught, capsys):
    (taught / "elsewhere").mkdir()
    link, pipe = taught / "link.jsonl", taught / "pipe"
    link.symlink_to("elsewhere/export.jsonl")
    os.mkfifo(pipe)
    assert main(["teach", "--export", str(link)]) == 0
    capsys.readouterr()
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(["teach", "--export", str(pipe)]) == 0
        read = os.read(reader, 1 << 20).decode()
    finally:
        os.close(reader)
    assert link.is_symlink()
    assert pipe.is_fifo()
    assert read == (taught / "elsewhere" / "export.jsonl").read_text()
    # Whoever reads standard output gets the file alone.
    assert capsys.readouterr().out == ""


def test_an_export_over_another_one_keeps_who_may_read_it(taught):
    file = taught / "private.jsonl"
    file.touch()
    file.chmod(0o600)
    assert main(["teach", "--export", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "techno" in file.read_text()


def test_an_export_that_cannot_be_written_leaves_nothing_half_done(taught, capsys):
    assert main(["teach", "--export", str(taught / "no" / "folder.jsonl")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in taught.iterdir()] == ["taught.db"]
