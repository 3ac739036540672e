"""Who comes through Home Assistant's ingress, and who only says so."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from rtgenre.messages.hub import Hub
from rtgenre.outputs.web.auth import Guard
from tests.documents import a_state, a_websocket_output

TOKEN = "a-token-of-some-length"
SUPERVISOR = "127.0.0.2"
HEADER = {"X-Ingress-Path": "/api/hassio_ingress/secret"}


@pytest.fixture
async def output():
    hub = Hub()
    hub.publish(a_state(1))
    async with a_websocket_output(hub, "den", token=TOKEN, ingress_from=SUPERVISOR) as output:
        yield output


async def status(output, target, *, peer, headers):
    reader, writer = await asyncio.open_connection("127.0.0.1", output.port, local_addr=(peer, 0))
    lines = {"Host": "home.example", "Origin": "https://home.example:8123", **headers}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"GET {target} HTTP/1.1\r\n{text}\r\n".encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


async def test_whom_home_assistant_has_let_in_needs_no_token_whatever_its_address_is(output):
    assert await status(output, "/state", peer=SUPERVISOR, headers=HEADER) == 200
    # Nor does an old one, that a browser kept, keep anybody out.
    headers = HEADER | {"Authorization": "Bearer an-old-token-of-enough-characters"}
    assert await status(output, "/state", peer=SUPERVISOR, headers=headers) == 200


@pytest.mark.parametrize(
    ("peer", "headers"),
    [("127.0.0.1", HEADER), (SUPERVISOR, {}), ("127.0.0.1", {})],
    ids=["the header alone", "the address alone", "neither"],
)
async def test_nobody_else_is_let_in(output, peer, headers):
    own = {"Host": "127.0.0.1", "Origin": f"http://127.0.0.1:{output.port}"}
    own["Host"] = f"127.0.0.1:{output.port}"
    assert await status(output, "/state", peer=peer, headers=headers) == 403
    assert await status(output, "/state", peer=peer, headers=own | headers) == 401
    assert await status(output, "/healthz", peer=peer, headers=own | headers) == 200


async def test_a_websocket_through_ingress_is_greeted_at_once_and_others_are_closed(output):
    url = f"ws://127.0.0.1:{output.port}/ws"
    async with connect(url, additional_headers=HEADER, local_addr=(SUPERVISOR, 0)) as client:
        assert json.loads(await client.recv())["type"] == "hello"
    async with connect(url, additional_headers=HEADER) as client:
        await client.send('{"token": ""}')
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd.code == 4401


def test_without_the_setting_the_header_means_nothing():
    assert not Guard("0.0.0.0", TOKEN, []).is_ingress("172.30.32.2", "/x")


@pytest.mark.parametrize("peer", ["172.30.32.2", "::ffff:172.30.32.2"])
def test_the_address_is_known_in_both_ways_of_writing_it(peer):
    guard = Guard("0.0.0.0", TOKEN, [], ingress_from="172.30.32.2")
    assert guard.is_ingress(peer, "/x")
    assert not guard.is_ingress(peer, None)
    assert not guard.is_ingress(None, "/x")
    for other in ("172.30.32.1", "::1", "fe80::1%eth0"):
        assert not guard.is_ingress(other, "/x")
