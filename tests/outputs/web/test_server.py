from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.web import connection, connections, server
from rtgenre.outputs.web.http import HttpResponse, json_response
from tests.certificates import a_certificate
from tests.columns import decode_column
from tests.documents import a_hello, a_state, a_status, a_websocket_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtgenre.outputs.web.server import WebSocketOutput

TOKEN = "a-token-of-some-length"


async def receive(client: ClientConnection) -> Any:
    return json.loads(await client.recv())


async def request(
    output: WebSocketOutput, target: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send a request as it is, and return status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
    lines = {"Host": f"127.0.0.1:{output.port}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"{method} {target} HTTP/1.1\r\n{text}\r\n".encode())
    return await answer(reader, writer)


async def raw_request(output: WebSocketOutput, text: str) -> tuple[int, dict[str, str], bytes]:
    """Send a text with a Host header after its first line, and return what is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
    writer.write(text.replace("\r\n", f"\r\nHost: 127.0.0.1:{output.port}\r\n", 1).encode())
    return await answer(reader, writer)


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[int, dict[str, str], bytes]:
    head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    writer.close()
    status, *rest = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in rest), body


async def close_code(client: ClientConnection) -> int:
    await client.wait_closed()
    assert client.close_code is not None
    return client.close_code


async def until(condition: Callable[[], bool]) -> None:
    """Let the server go on until ``condition`` holds."""
    while not condition():
        await asyncio.sleep(0.001)


async def test_a_client_is_greeted_then_told_the_state_at_once_and_every_window():
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub) as output, connect(output.url) as client:
        assert await receive(client) == a_hello()
        assert await receive(client) == a_state(1)
        hub.publish(a_state(2))
        assert await receive(client) == a_state(2)


async def test_a_client_that_never_reads_delays_nobody_and_is_let_go():
    hub = Hub()
    metrics = Metrics()
    output = a_websocket_output(hub, metrics=metrics, send_timeout_seconds=0.5)
    async with output, connect(output.url) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", output.port)
        writer.write(handshake(output))
        deaf_socket = writer.get_extra_info("socket")
        deaf_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.transport.pause_reading()
        await receive(client)
        clients_gauge = "rtgenre_websocket_clients "
        sequence = 0
        await until(lambda: f"{clients_gauge}2.0" in metrics.text().decode())
        while f"{clients_gauge}1.0" not in metrics.text().decode():
            hub.publish(a_state(sequence))
            assert (await receive(client))["sequence"] == sequence
            sequence += 1
        assert 'rtgenre_websocket_refused_total{reason="slow"} 1.0' in metrics.text().decode()
        writer.close()


async def test_the_spectrogram_comes_on_request_only_and_stops_on_request():
    hub = Hub()
    columns = ColumnHub(["den"])
    values = np.arange(8, dtype=np.uint8)
    async with a_websocket_output(hub, columns=columns) as output, connect(output.url) as client:
        await receive(client)
        assert not columns.is_watched("den")
        await client.send('{"subscribe": ["spectrogram"]}')
        await until(lambda: columns.is_watched("den"))
        columns.publish("den", values, 1.5, 2.0)
        message = await client.recv()
        assert isinstance(message, bytes)
        assert decode_column(message).values.tolist() == values.tolist()
        await client.send('{"unsubscribe": ["spectrogram"]}')
        await until(lambda: not columns.is_watched("den"))
        hub.publish(a_state(1))
        assert await receive(client) == a_state(1)


async def test_a_message_that_makes_no_sense_is_answered_and_garbage_ends_the_connection():
    async with a_websocket_output(Hub()) as output, connect(output.url) as client:
        await receive(client)
        await client.send("hello?")
        assert await receive(client) == {
            "schema": 2,
            "type": "error",
            "message": "the message is not JSON",
        }
        await client.send(b"\x00")
        await client.send("{}")
        assert await close_code(client) == connection.CLOSE_POLICY


async def test_a_flood_of_messages_ends_the_connection():
    async with a_websocket_output(Hub()) as output, connect(output.url) as client:
        for _ in range(100):
            with contextlib.suppress(ConnectionClosed):
                await client.send('{"unsubscribe": []}')
        assert await close_code(client) == connection.CLOSE_POLICY


async def test_a_flood_of_pings_ends_the_connection_before_it_costs_anything():
    metrics = Metrics()
    async with a_websocket_output(Hub(), metrics=metrics) as output:
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
        writer.write(handshake(output))
        await reader.readuntil(b"\r\n\r\n")
        ping = b"\x89\x80" + bytes(4)
        writer.write(50_000 * ping)
        with contextlib.suppress(ConnectionResetError):
            assert len(await reader.read()) < 3 * connection.SLICE_BYTES
        writer.close()
        assert 'refused_total{reason="1008"} 1.0' in metrics.text().decode()


async def test_a_flood_of_empty_parts_of_a_message_ends_the_connection():
    async with a_websocket_output(Hub()) as output:
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
        writer.write(handshake(output))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x01\x80" + bytes(4) + 1000 * (b"\x00\x80" + bytes(4)))
        with contextlib.suppress(ConnectionResetError):
            assert b"too many frames" in await reader.read()
        writer.close()


async def test_what_a_client_sends_before_its_handshake_is_answered_is_not_lost():
    async with a_websocket_output(Hub(), token=TOKEN) as output:
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
        token = json.dumps({"token": TOKEN}).encode()
        writer.write(handshake(output) + bytes([0x81, 0x80 | len(token), 0, 0, 0, 0]) + token)
        assert b'"hello"' in await reader.readuntil(b'"hello"')
        writer.close()


async def test_a_huge_message_ends_its_connection_only():
    hub = Hub()
    async with a_websocket_output(hub) as output, connect(output.url) as other:
        await receive(other)
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
        n_bytes = 10_000_000
        writer.write(handshake(output))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\xff" + n_bytes.to_bytes(8, "big") + bytes(4) + bytes(n_bytes))
        close_frame_1009 = b"\x03\xf1"
        assert close_frame_1009 in await reader.readuntil(close_frame_1009)
        writer.transport.abort()
        hub.publish(a_state(1))
        assert await receive(other) == a_state(1)


async def test_one_client_too_many_is_told_to_try_later():
    async with (
        a_websocket_output(Hub(), max_clients=1) as output,
        connect(output.url) as first,
        connect(output.url) as second,
    ):
        await receive(first)
        assert await close_code(second) == server.CLOSE_TRY_LATER


async def test_a_thousand_connections_at_once_leave_room_for_a_real_client():
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub) as output:
        sockets = [socket.socket() for _ in range(1000)]
        for index, attacker in enumerate(sockets):
            attacker.setblocking(False)
            attacker.connect_ex(("127.0.0.1", output.port))
            with contextlib.suppress(OSError):
                # Nothing at all, half a request, or garbage.
                attacker.send([b"", b"GET /ws HTT", b"\x16\x03\x01\x00\xff" * 9][index % 3])
            if index % 20 == 0:
                await asyncio.sleep(0.001)
        assert len(output.connections) <= connections.MAX_WAITING
        for attacker in sockets:
            attacker.close()
        client = await eventually_connected(output.url)
        assert (await receive(client))["type"] == "hello"
        assert await receive(client) == a_state(1)
        await client.close()


async def test_half_a_frame_waits_without_harm():
    hub = Hub()
    async with a_websocket_output(hub) as output, connect(output.url) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", output.port)
        writer.write(handshake(output) + b"\x81\xfe\x0f")
        await receive(client)
        hub.publish(a_state(1))
        assert await receive(client) == a_state(1)
        writer.close()


async def test_a_connection_that_never_finishes_its_request_is_closed(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(server, "OPEN_TIMEOUT_SECONDS", 0.2)
    async with a_websocket_output(Hub()) as output:
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port)
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_who_takes_a_long_answer_slowly_gets_all_of_it(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "OPEN_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(server, "CLOSE_TIMEOUT_SECONDS", 0.2, raising=False)
    long = HttpResponse(200, bytes(8 * 2**20), "text/csv")
    settings: dict[str, Any] = {}
    if tls:
        settings["cert_file"], settings["key_file"] = await a_certificate(tmp_path)
    async with a_websocket_output(Hub(), routes={"/history": lambda _: long}, **settings) as output:
        trust = ssl.create_default_context(cafile=settings["cert_file"]) if tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", output.port, ssl=trust)
        writer.write(f"GET /history HTTP/1.1\r\nHost: 127.0.0.1:{output.port}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        n_received = 0
        while part := await reader.read(2**20):
            n_received += len(part)
            await asyncio.sleep(0.02)
        writer.close()
    assert n_received == len(long.body)


async def test_an_answer_that_takes_longer_than_a_request_may_is_given(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(server, "OPEN_TIMEOUT_SECONDS", 0.2)

    async def inputs(_: Any) -> HttpResponse:
        await asyncio.sleep(0.5)
        return json_response({"inputs": []})

    async def never(_: Any) -> HttpResponse:
        await asyncio.Event().wait()
        raise AssertionError

    routes = {"/settings/inputs": inputs, "/never": never}
    async with a_websocket_output(Hub(), routes=routes) as output:
        assert (await request(output, "/settings/inputs"))[0] == 200
        monkeypatch.setattr(server, "ANSWER_TIMEOUT_SECONDS", 0.2, raising=False)
        assert (await request(output, "/never"))[0] == 503


@pytest.mark.parametrize(
    "target",
    [
        "/../../etc/passwd",
        "/static/../files.py",
        "/static/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/static/",
        "http://127.0.0.1/etc/passwd",
        "*",
    ],
)
async def test_no_path_leads_out_of_the_dashboard(target: str):
    async with a_websocket_output(Hub()) as output:
        status, _, body = await request(output, target)
    assert status == 404
    assert b"root:" not in body


async def test_state_is_answered_over_http():
    hub = Hub()
    async with a_websocket_output(hub) as output:
        status, _, body = await request(output, "/state")
        assert status == 503
        hub.publish(a_state(1))
        status, headers, body = await request(output, "/state")
        assert (status, json.loads(body)) == (200, a_state(1))
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        status, head, body = await request(output, "/state", method="HEAD")
        assert (status, body) == (200, b"")
        assert head["Content-Length"] == headers["Content-Length"]


async def test_with_several_nodes_the_state_asks_which():
    hub = Hub()
    hub.publish(a_state(1, node="hall"))
    async with a_websocket_output(hub, "den", "hall") as output:
        status, _, body = await request(output, "/state")
        assert status == 400
        assert "den, hall" in json.loads(body)["message"]
        status, _, body = await request(output, "/state?node=hall")
        assert json.loads(body) == a_state(1, node="hall")
        assert (await request(output, "/state?node=attic"))[0] == 400


async def test_with_no_room_yet_the_state_does_not_ask_which():
    hello = {**a_hello(), "sources": []}
    async with a_websocket_output(Hub(), hello=lambda: hello) as output:
        status, _, body = await request(output, "/state")
        assert status == 503
        assert json.loads(body)["message"] == "no room is known yet"


async def test_an_input_that_is_gone_has_no_state_and_says_why():
    hub = Hub()
    hub.publish(a_state(1))
    hub.publish(a_status("the input has ended", gone=True))
    async with a_websocket_output(hub) as output:
        status, _, body = await request(output, "/state")
    assert (status, json.loads(body)["message"]) == (503, "the input has ended")


async def test_health_says_503_and_why():
    health = (False, {"ok": False, "nodes": {"den": {"reason": "no window for 9 s"}}})
    async with a_websocket_output(Hub(), health=lambda: health) as output:
        status, _, body = await request(output, "/healthz")
    assert (status, json.loads(body)) == (503, health[1])


async def test_metrics_are_in_the_text_format():
    async with a_websocket_output(Hub()) as output:
        status, headers, body = await request(output, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"# HELP rtgenre_websocket_clients" in body


async def test_further_routes_may_wait_and_get_the_query():
    async def history(query: Any) -> HttpResponse:
        await asyncio.sleep(0)
        return json_response(dict(query))

    async with a_websocket_output(Hub(), routes={"/history": history}) as output:
        status, _, body = await request(output, "/history?since=7d&until=")
        assert (status, json.loads(body)) == (200, {"since": "7d", "until": ""})
        assert (await request(output, "/history?" + "a&" * 100))[0] == 400


async def test_a_deletion_takes_the_token_and_is_refused_to_pages_of_other_sites():
    deleted: list[dict[str, str]] = []

    async def delete(query: Any) -> HttpResponse:
        deleted.append(dict(query))
        return json_response({})

    routes = {"/history": delete, "DELETE /history": delete}
    async with a_websocket_output(Hub(), routes=routes, token=TOKEN) as output:

        async def answer(path: str, method: str = "DELETE", **headers: str) -> int:
            return int((await request(output, path, method=method, **headers))[0])

        known = {"Authorization": f"Bearer {TOKEN}"}
        assert await answer("/history?since=7d") == 401
        assert await answer("/history", Authorization="Bearer wrong") == 401
        assert await answer("/history", Origin="https://evil.example", **known) == 403
        assert await answer("/state", **known) == 405
        assert await answer("/history", method="POST", **known) == 405
        assert deleted == []
        assert await answer("/history?since=7d", **known) == 200
        assert deleted == [{"since": "7d"}]


@pytest.mark.parametrize("follows", ["GET /state HTTP/1.1\r\n\r\n", "x" * 100_000])
async def test_a_request_is_answered_whatever_follows_it(
    follows: str, caplog: pytest.LogCaptureFixture
):
    async with a_websocket_output(Hub()) as output:
        status, _, _ = await raw_request(output, f"GET /healthz HTTP/1.1\r\n\r\n{follows}")
    assert status == 200
    assert not caplog.messages


@pytest.mark.parametrize(
    "text",
    [
        "POST /state HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /state HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "hello?\r\n\r\n",
    ],
)
async def test_a_request_that_is_not_understood_is_told_what_may_be_asked(
    text: str, caplog: pytest.LogCaptureFixture
):
    async with a_websocket_output(Hub()) as output:
        status, _, body = await raw_request(output, text)
    assert (status, json.loads(body)["message"]) == (
        400,
        "only requests without a body are answered: GET, HEAD, POST or DELETE",
    )
    assert not caplog.messages


async def test_a_page_of_an_allowed_site_may_send_its_token():
    site = "https://home.example"
    async with a_websocket_output(Hub(), token=TOKEN, allowed_origins=[site]) as output:
        asks = {"Access_Control_Request_Method": "GET"}
        status, headers, _ = await request(output, "/state", "OPTIONS", Origin=site, **asks)
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == site
        assert headers["Access-Control-Allow-Headers"] == "Authorization"
        assert (await request(output, "/state", "OPTIONS", Origin="https://x.example"))[0] == 403


async def test_only_get_and_head_are_answered():
    async with a_websocket_output(Hub()) as output:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, _ = await request(output, "/state", method=method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD")


async def test_a_proxy_whose_site_is_refused_is_named_in_the_log_once_and_strangers_do_not_fill_it(
    caplog,
):
    async with a_websocket_output(Hub()) as output:
        for _ in range(3):
            assert (await request(output, "/", Origin="https://home.example"))[0] == 403
        (told,) = [each for each in caplog.messages if each.startswith("refused")]
        assert "https://home.example" in told
        assert "allowed_origins" in told
        for number in range(50):
            await request(output, "/", Origin=f"https://{number}.example")
    assert len([each for each in caplog.messages if each.startswith("refused")]) == 10


async def test_pages_of_other_sites_and_rebound_names_are_refused():
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub, allowed_origins=["https://home.example"]) as output:
        for origin in ("https://evil.example", "null"):
            assert (await request(output, "/state", Origin=origin))[0] == 403
            with pytest.raises(InvalidStatus) as refused:
                await connect(output.url, origin=origin)
            assert refused.value.response.status_code == 403
        assert (await request(output, "/state", Host="evil.example"))[0] == 403
        status, headers, _ = await request(output, "/state", Origin="https://home.example")
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://home.example")
        async with connect(output.url, origin="https://home.example") as client:
            await receive(client)
        async with connect(output.url, origin=f"http://127.0.0.1:{output.port}") as client:
            await receive(client)


async def test_without_the_token_nothing_that_was_heard_is_told():
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub, host="0.0.0.0", token=TOKEN) as output:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            for target in ("/state", "/metrics"):
                status, answer, body = await request(output, target, **headers)
                assert (status, b"jazz" in body) == (401, False)
                assert answer["WWW-Authenticate"].startswith("Bearer")
        status, _, body = await request(output, "/healthz")
        assert (status, json.loads(body)) == (200, {"ok": True})
        authorized = {"Authorization": f"Bearer {TOKEN}"}
        assert (await request(output, "/state", **authorized))[0] == 200
        assert "version" in json.loads((await request(output, "/healthz", **authorized))[2])


async def test_a_websocket_needs_the_token_in_its_header_or_first_message(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(server, "TOKEN_TIMEOUT_SECONDS", 0.2)
    async with a_websocket_output(Hub(), token=TOKEN) as output:
        async with connect(
            output.url, additional_headers={"Authorization": f"Bearer {TOKEN}"}
        ) as client:
            assert (await receive(client))["type"] == "hello"
        async with connect(output.url) as client:
            await client.send(json.dumps({"token": TOKEN}))
            assert (await receive(client))["type"] == "hello"
        wrong = {
            '{"token": "wrong"}': "the token is missing or wrong",
            '{"token": "\\ud800"}': "the token is missing or wrong",
            '{"subscribe": []}': "the token is missing or wrong",
            "garbage": "the message is not JSON",
            json.dumps({"token": TOKEN, "rooms": 1}): "the keys are token, subscribe, unsubscribe, "
            "node, teach and forget",
            None: "the token is missing or wrong",
        }
        for first, reason in wrong.items():
            async with connect(output.url) as client:
                if first is not None:
                    await client.send(first)
                assert await close_code(client) == server.CLOSE_TOKEN
                assert client.close_reason == reason
        with pytest.raises(InvalidStatus) as refused:
            await connect(output.url, additional_headers={"Authorization": "Bearer wrong"})
        assert refused.value.response.status_code == 401


async def test_what_the_message_with_the_token_asks_for_besides_is_done_after_the_greeting():
    columns = ColumnHub(["den"])
    async with (
        a_websocket_output(Hub(), token=TOKEN, columns=columns) as output,
        connect(output.url) as client,
    ):
        lesson = {"node": "den", "genre": "jazz"}
        await client.send(
            json.dumps({"token": TOKEN, "subscribe": ["spectrogram"], "teach": lesson})
        )
        assert (await receive(client))["type"] == "hello"
        assert "teaching is off" in (await receive(client))["message"]
        assert columns.is_watched("den")


async def test_other_machines_are_not_served_without_a_token(tmp_path: Path):
    with pytest.raises(OutputError, match="RTGENRE_WEBSOCKET__TOKEN"):
        a_websocket_output(Hub(), host="0.0.0.0")
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    async with a_websocket_output(Hub(), host="0.0.0.0", token_file=secret) as output:
        assert (await request(output, "/state", Authorization=f"Bearer {TOKEN}"))[0] == 503
    secret.write_text("short")
    with pytest.raises(OutputError, match="at least 16"):
        a_websocket_output(Hub(), token_file=secret)
    with pytest.raises(OutputError, match="cannot be read"):
        a_websocket_output(Hub(), token_file=tmp_path / "missing")


async def test_a_taken_port_is_one_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        output = a_websocket_output(Hub())
        output.config = output.config.model_copy(update={"port": taken.getsockname()[1]})
        with pytest.raises(OutputError, match="is in use by another program; stop that one"):
            await output.__aenter__()


async def test_an_address_of_another_machine_is_one_clear_error():
    for host in ("203.0.113.7", "no-such-host.invalid"):
        with pytest.raises(OutputError, match=r"must be a name or an address of this machine"):
            await a_websocket_output(Hub(), host=host, token=TOKEN).__aenter__()


async def test_tls_serves_both_protocols(tmp_path: Path):
    cert_file, key_file = await a_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=cert_file)
    async with a_websocket_output(Hub(), cert_file=cert_file, key_file=key_file) as output:
        assert output.url.startswith("wss://")
        assert output.http_url.startswith("https://")
        async with connect(output.url, ssl=trust) as client:
            assert (await receive(client))["type"] == "hello"
        with pytest.raises((OSError, EOFError, InvalidHandshake)):
            await connect(output.url.replace("wss", "ws"))


async def test_a_certificate_that_cannot_be_used_is_one_clear_error(tmp_path: Path):
    cert_file, _ = await a_certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, key_file = await a_certificate(other)
    for wrong in (key_file, tmp_path / "missing.pem"):
        output = a_websocket_output(Hub(), cert_file=cert_file, key_file=wrong)
        with pytest.raises(OutputError, match="cannot be used"):
            await output.__aenter__()


async def test_leaving_says_goodbye_and_does_not_wait_for_the_deaf():
    hub = Hub()
    output = a_websocket_output(hub)
    await output.__aenter__()
    client = await connect(output.url)
    await receive(client)
    _, deaf = await asyncio.open_connection("127.0.0.1", output.port)
    deaf.write(handshake(output))
    deaf.transport.pause_reading()
    _, silent = await asyncio.open_connection("127.0.0.1", output.port)
    began_at = time.monotonic()
    leaving = asyncio.create_task(output.__aexit__(None, None, None))
    assert await close_code(client) == server.CLOSE_GOING_AWAY
    await leaving
    # A promise about shutdown, not about speed: without its bound this would take ten seconds.
    assert time.monotonic() - began_at < 5
    assert not output.connections
    deaf.close()
    silent.close()


def handshake(output: WebSocketOutput) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{output.port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


async def eventually_connected(url: str) -> ClientConnection:
    while True:
        try:
            return await connect(url)
        except (OSError, EOFError, InvalidHandshake):
            await asyncio.sleep(0.05)
