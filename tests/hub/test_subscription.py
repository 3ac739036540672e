"""How a hub's connection to the broker ends; test_service.py has whole ones."""

from __future__ import annotations

import asyncio

import aiomqtt

from rtgenre.hub.roster import Roster
from rtgenre.hub.subscription import Subscription
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.metrics import Metrics
from tests.broker import settings_for


async def test_a_stop_is_heeded_though_the_connection_fails_at_the_same_moment(monkeypatch):
    listening = asyncio.Event()

    async def fail_when_cancelled(_: object) -> None:
        listening.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # As wait_for does before Python 3.12.
            raise aiomqtt.MqttError("Disconnected") from None

    monkeypatch.setattr(Subscription, "_listen", fail_when_cancelled)
    metrics = Metrics()
    roster = Roster(Hub(), ColumnHub([]), metrics, instance="00c0ffee", colors={})
    subscription = Subscription(settings_for(1), roster, metrics, on_answer=lambda *_: None)
    task = asyncio.create_task(subscription.run())
    await listening.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    task.cancel()
    assert done
