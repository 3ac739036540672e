"""Music played into a sound device comes out as a genre: terminal, WebSocket and MQTT at once."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from datetime import datetime

import pytest
import websockets

from rtgenre.demo import DEMO_RECORDING
from tests.broker import Broker, free_port, subscribed
from tests.pulse import PrivatePulse
from tests.test_cli import LABELS, NO_HISTORY


@pytest.fixture
def pulse():
    daemon = PrivatePulse()
    daemon.start()
    yield daemon
    daemon.remove()


@pytest.fixture
def wav(tmp_path):
    import soundfile

    samples, rate_hz = soundfile.read(DEMO_RECORDING)
    path = tmp_path / "demo.wav"
    soundfile.write(path, samples, rate_hz)
    return path


@contextlib.asynccontextmanager
async def running(*arguments, environment):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtgenre", "run", *map(str, arguments)),
        env=environment | NO_HISTORY,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def next_state(client):
    async for message in client:
        document = json.loads(message)
        if document["type"] == "state":
            return document
    raise AssertionError("the connection was closed")


async def connect(port):
    while True:
        with contextlib.suppress(OSError):
            return await websockets.connect(f"ws://127.0.0.1:{port}/ws")
        await asyncio.sleep(0.05)


async def test_music_in_the_room_reaches_terminal_websocket_and_mqtt(pulse, wav, tmp_path):
    port = free_port()
    player = pulse.play(wav)
    async with Broker(tmp_path) as broker, subscribed(broker.port, "rtgenre/#") as subscriber:
        arguments = ["--node", "kitchen", "--port", port, "--mqtt-host", "127.0.0.1"]
        environment = pulse.environment | {"RTGENRE_MQTT__PORT": str(broker.port)}
        async with running(*arguments, environment=environment) as process:
            line = (await process.stdout.readline()).decode()
            deaf = await connect(port)
            client = await connect(port)
            hello = json.loads(await client.recv())
            state = await next_state(client)
            following = await next_state(client)
            await subscriber.until(lambda s: "rtgenre/kitchen/color" in s.latest)

            assert hello["type"] == "hello"
            assert set(hello["labels"]) == LABELS
            assert state["state"] == "music"
            assert following["sequence"] == state["sequence"] + 1
            assert -60 < state["level_dbfs"] < 0
            assert line.split()[1:3] == ["kitchen", state["genre"]]
            assert subscriber.latest["rtgenre/kitchen/genre"] in LABELS
            assert subscriber.latest["rtgenre/kitchen/color"].startswith("#")
            assert subscriber.latest["rtgenre/kitchen/availability"] == "online"

            await client.close()
            process.terminate()
            assert await process.wait() == 0
            # Libraries complain at the very end about what is still held.
            assert b"leaked" not in await process.stderr.read()
            await subscriber.until(lambda s: s.latest["rtgenre/kitchen/availability"] == "offline")
            deaf.transport.abort()
    player.kill()
    player.wait()


async def test_after_a_suspended_machine_windows_begin_anew_at_the_present_time(pulse, wav):
    port = free_port()
    player = pulse.play(wav)
    arguments = ["--port", port, "--hop-seconds", "0.5"]
    async with running(*arguments, environment=pulse.environment) as process:
        client = await connect(port)
        before = await next_state(client)
        process.send_signal(signal.SIGSTOP)
        # Longer than what a device may be silent for.
        await asyncio.sleep(7)
        resumed_at = time.time()
        process.send_signal(signal.SIGCONT)
        found = [before]
        while len(found) < 6 or timestamp(found[-1]) < resumed_at:
            found.append(await next_state(client))
        await client.close()
    player.kill()
    player.wait()
    times = [timestamp(document) for document in found]
    assert times == sorted(times)
    begin = before["sequence"]
    assert [document["sequence"] for document in found] == list(range(begin, begin + len(found)))
    fresh = [time for time in times if time >= resumed_at]
    # A window is 4 s: the first one holds nothing from before.
    assert fresh[0] - resumed_at > 3
    # Nor is there a flood of windows to catch up on.
    assert len(times) - len(fresh) < 5


def timestamp(document):
    return datetime.fromisoformat(document["time"]).timestamp()


async def test_a_broker_that_goes_and_comes_gets_the_current_state_again(tmp_path):
    port = free_port()
    async with Broker(tmp_path) as broker:
        environment = {"RTGENRE_MQTT__PORT": str(broker.port), "PYTHONPATH": "."}
        arguments = [DEMO_RECORDING, "--loop", "--node", "den", "--port", port]
        arguments += ["--mqtt-host", "127.0.0.1", "--hop-seconds", "0.5"]
        async with running(*arguments, environment=environment) as process:
            async with subscribed(broker.port, "rtgenre/#") as subscriber:
                await subscriber.until(lambda s: "rtgenre/den/state" in s.latest)
            before = json.loads(subscriber.latest["rtgenre/den/state"])
            await broker.stop()
            client = await connect(port)
            while (await next_state(client))["sequence"] < before["sequence"] + 3:
                pass
            await broker.start()
            async with subscribed(broker.port, "rtgenre/#") as subscriber:
                await subscriber.until(lambda s: "rtgenre/den/state" in s.latest)
            after = json.loads(subscriber.latest["rtgenre/den/state"])
            assert after["sequence"] >= before["sequence"] + 3
            await client.close()
            process.terminate()
            written = await process.stderr.read()
            assert b"never retrieved" not in written
            assert b"Traceback" not in written


async def test_two_rooms_share_one_process_and_keep_their_own_places(tmp_path):
    port = free_port()
    config = tmp_path / "rooms.toml"
    config.write_text(
        f"[[source]]\nnode = 'kitchen'\ninput = '{DEMO_RECORDING}'\nloop = true\n"
        f"[[source]]\nnode = 'bath'\ninput = '{DEMO_RECORDING}'\nloop = true\nchannel = 'left'\n"
    )
    environment = {"PYTHONPATH": "."}
    arguments = ["--config", config, "--port", port, "--hop-seconds", "0.5"]
    async with running(*arguments, environment=environment):
        client = await connect(port)
        hello = json.loads(await client.recv())
        assert [source["node"] for source in hello["sources"]] == ["kitchen", "bath"]
        nodes = {(await next_state(client))["node"] for _ in range(6)}
        assert nodes == {"kitchen", "bath"}
        await client.close()
