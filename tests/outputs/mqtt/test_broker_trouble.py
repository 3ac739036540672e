"""Whatever the MQTT broker does, each window is published as if there were none."""

import contextlib
import statistics
import time

import pytest

from tests.broker import Broker, a_slow_proxy, subscribed
from tests.outputs.mqtt.test_smarthome import next_state, running, settings
from tests.signals import tone

N_WINDOWS = 20
HOP_SECONDS = 0.25
BROKER_DELAY_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0


@contextlib.asynccontextmanager
async def a_broker(condition, folder):
    """A broker's port, and what brings it into its condition."""
    login = ["allow_anonymous false"] if condition == "refuses" else []
    async with Broker(folder, *login) as broker:
        if condition == "is slow":
            async with a_slow_proxy(broker.port, BROKER_DELAY_SECONDS) as port:
                yield broker, port
        else:
            yield broker, broker.port


async def bring_about(condition, broker):
    """Bring the broker into trouble while the service is publishing to it."""
    if condition == "refuses":
        await broker.has_logged("not authorised", times=1)
        return
    async with subscribed(broker.port, "rtgenre/den/state") as subscriber:
        await subscriber.until(lambda it: it.seen)
    if condition == "hangs":
        broker.freeze()
    if condition == "is gone":
        await broker.stop()


async def latencies_seconds(service, source):
    """Play window after window, each as soon as the one before was published."""
    found = []
    with service.hub.subscribe() as subscription:
        document = await next_state(subscription)
        for _ in range(N_WINDOWS):
            sequence = document["sequence"]
            source.play(tone(200, HOP_SECONDS), captured_at=time.time())
            while document["sequence"] == sequence:
                document = await next_state(subscription)
            found.append(document["latency_ms"] / 1000)
    return found


@pytest.mark.parametrize("condition", ["hangs", "is gone", "refuses", "is slow"])
async def test_no_window_waits_for_a_broker_in_trouble(tmp_path, condition):
    windows = {"windows": {"hop_seconds": HOP_SECONDS}}
    mqtt = {"timeout_seconds": TIMEOUT_SECONDS, "publish": "window"}
    async with (
        a_broker(condition, tmp_path) as (broker, port),
        running(settings(**windows)) as alone,
        running(settings(port, mqtt=mqtt, **windows)) as with_broker,
    ):
        for _, source in (alone, with_broker):
            source.play(tone(200, 4.0))
        await bring_about(condition, broker)
        without, with_trouble = [await latencies_seconds(*each) for each in (alone, with_broker)]
    # Not about speed: whoever waited for the broker would be behind by its delay or its timeout.
    delay_seconds = statistics.median(with_trouble) - statistics.median(without)
    assert delay_seconds < BROKER_DELAY_SECONDS / 2
    assert max(with_trouble) < TIMEOUT_SECONDS / 2
