import asyncio
import re
import threading

import numpy as np
import pytest

from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.model.inference import InferenceWorkers
from rtgenre.monitoring.metrics import Metrics
from rtgenre.service.listener import OPENING_SECONDS, Listener
from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.base import SourceError
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Block, Track
from tests.networks import INFO, HeldNetwork, ToneNetwork, tone_classifier
from tests.signals import tone
from tests.sources_in_memory import HandSource, MemorySource


def make_listener(source, inference, hub, channel="mix", *, node="kitchen", column_hub=None):
    pipeline = Pipeline(
        node=node,
        source=source.name,
        channel=channel,
        hop_seconds=2.0,
        info=INFO,
        tracker_params=TrackerParams(),
    )
    return Listener(
        source,
        pipeline,
        inference,
        hub=hub,
        column_hub=column_hub or ColumnHub([node]),
        metrics=Metrics(),
    )


async def test_a_late_model_skips_to_the_newest_window_and_counts_the_others():
    network, hub, source = HeldNetwork(), Hub(), HandSource()
    async with InferenceWorkers(tone_classifier(network)) as inference:
        with hub.subscribe() as subscription:
            listener = make_listener(source, inference, hub)
            running = asyncio.create_task(listener.run())
            source.play(tone(200, 4))
            await asyncio.to_thread(network.entered.wait)
            for _ in range(5):
                source.play(tone(200, 2))
            source.end()
            await source.drained()
            network.let_go.set()
            documents = [await subscription.get()]
            await running
            documents += [await subscription.get()]
    assert [d["window_end_seconds"] for d in documents] == [4.0, 14.0]
    assert listener.skipped_windows == 4


class SteppedNetwork(ToneNetwork):
    """Works on one window each time it is let."""

    def __init__(self):
        super().__init__()
        self.steps = threading.Semaphore(0)

    def run(self, features):
        assert self.steps.acquire(timeout=30)
        return super().run(features)


async def test_of_too_many_sources_each_skips_equally_often_and_is_served_its_newest_window():
    network, hub, sources = SteppedNetwork(), Hub(), [HandSource() for _ in range(4)]
    async with InferenceWorkers(tone_classifier(network)) as workers:
        with hub.subscribe(lossless=True) as subscription:
            listeners = [
                make_listener(source, workers, hub, node=f"room{number}")
                for number, source in enumerate(sources)
            ]
            running = [asyncio.create_task(listener.run()) for listener in listeners]
            ends = []
            for number in range(40):
                for source in sources:
                    source.play(tone(200, 4 if number == 0 else 2))
                    await source.drained()
                for _ in range(2):
                    network.steps.release()
                    ends.append((number, (await subscription.get())["window_end_seconds"]))
            skipped = [listener.skipped_windows for listener in listeners]
            assert sum(skipped) == pytest.approx(40 * 4 / 2, abs=4)
            assert max(skipped) - min(skipped) <= 1
            # No older than what came while the others had their turns.
            assert min(end - (4 + 2 * number) for number, end in ends) >= -4
            hint = listeners[0].health().hint
            assert re.match(r"too slow: (4[5-9]|5\d) % of windows skipped; ", hint)
            assert "raise hop_seconds above 2 in [windows]" in hint
            for source in sources:
                source.end()
            network.steps.release(100)
            await asyncio.gather(*running)


async def test_a_source_is_asked_for_blocks_that_end_with_the_window_unless_somebody_looks():
    source, hub, column_hub = HandSource(), Hub(), ColumnHub(["kitchen"])
    async with InferenceWorkers(tone_classifier()) as workers:
        listener = make_listener(source, workers, hub, column_hub=column_hub)
        running = asyncio.create_task(listener.run())
        assert source.wanted_seconds() == 0.02
        source.play(tone(200, 0.1))
        await source.drained()
        left = 3.9
        while left > 0.01:
            wanted = source.wanted_seconds()
            assert 0.02 <= wanted <= 0.5
            left -= wanted
            source.play(tone(200, wanted))
            await source.drained()
        assert left == pytest.approx(0, abs=1e-3)
        assert listener.pipeline.seconds_until_window == pytest.approx(2.0, abs=1e-3)
        with column_hub.subscribe("kitchen"):
            assert source.wanted_seconds() == 0.02
        assert source.wanted_seconds() == pytest.approx(0.5, abs=1e-3)
        source.end()
        await running


async def test_a_file_waits_for_the_model_and_skips_nothing():
    hub = Hub()
    blocks = [Block(tone(200, 1)[:, None], 22050, 1000.0 + i) for i in range(60)]
    source = MemorySource(blocks)
    ends = []

    async def collect():
        with hub.subscribe(lossless=True) as subscription:
            while True:
                ends.append((await subscription.get())["window_end_seconds"])

    async with InferenceWorkers(tone_classifier()) as inference:
        collecting = asyncio.create_task(collect())
        await asyncio.sleep(0)
        await make_listener(source, inference, hub).run()
        collecting.cancel()
    assert ends == [4.0 + 2 * i for i in range(29)]


@pytest.mark.parametrize(("seconds", "is_told"), [(3.0, True), (4.5, False)])
async def test_a_file_too_short_for_one_window_does_not_end_without_a_word(
    seconds, is_told, caplog
):
    source = MemorySource([Block(tone(200, seconds)[:, None], 22050, 1000.0)])
    async with InferenceWorkers(tone_classifier()) as inference:
        await make_listener(source, inference, Hub()).run()
    message = "memory was over before one window was full; at least 4 s of audio are needed"
    assert (message in caplog.text) == is_told


async def test_the_last_window_of_a_file_has_its_own_title_and_not_the_next_ones():
    network, hub, source = HeldNetwork(), Hub(), HandSource()
    async with InferenceWorkers(tone_classifier(network)) as inference:
        with hub.subscribe() as subscription:
            running = asyncio.create_task(make_listener(source, inference, hub).run())
            source.track = Track("one")
            # The resampler holds back the window's end until the next file begins.
            source.play(tone(200, 4, rate_hz=44100), 44100)
            await source.drained()
            source.track = Track("another", "somebody")
            source.play(tone(200, 4, rate_hz=44100), 44100, gap=True)
            await asyncio.to_thread(network.entered.wait)
            source.end()
            await source.drained()
            network.let_go.set()
            documents = [await subscription.get()]
            await running
            documents += [await subscription.get()]
    told = [(document["title"], document["artist"]) for document in documents]
    assert told == [("one", None), ("another", "somebody")]


async def test_a_missing_channel_ends_the_source_with_what_it_has():
    source = MemorySource([Block(tone(200, 1)[:, None], 22050, 1000.0)])
    async with InferenceWorkers(tone_classifier()) as inference:
        with pytest.raises(ExceptionGroup) as caught:
            await make_listener(source, inference, Hub(), channel=3).run()
    (error,) = caught.value.exceptions
    assert isinstance(error, SourceError)
    assert "memory: channel 3 was asked for; this input has 1 channel" in str(error)


@pytest.mark.parametrize("is_microphone", [True, False])
async def test_digital_silence_is_no_ill_health_and_a_hint_for_a_microphone_alone(is_microphone):
    source = HandSource(is_microphone=is_microphone)
    hub = Hub()
    async with InferenceWorkers(tone_classifier()) as inference:
        listener = make_listener(source, inference, hub)
        running = asyncio.create_task(listener.run())
        with hub.subscribe() as subscription:
            for seconds in range(1, 62):
                source.play(np.zeros(22050, dtype=np.float32))
                if seconds in range(4, 62, 2):
                    await subscription.get()
        await source.drained()
        health = listener.health()
        assert health.problem is health.reason is None
        assert (health.hint is not None and "muted" in health.hint) == is_microphone
        source.play(tone(200, 0.1))
        await source.drained()
        assert listener.health().hint is None
        source.end()
        await running


async def test_after_a_gap_a_window_may_take_its_length_and_two_hops():
    source, hub = HandSource(), Hub()
    async with InferenceWorkers(tone_classifier()) as inference:
        with hub.subscribe() as subscription:
            listener = make_listener(source, inference, hub)
            running = asyncio.create_task(listener.run())
            assert listener.health().allowed_seconds == 4.0 + 4.0 + OPENING_SECONDS
            source.play(tone(200, 4))
            await subscription.get()
            assert listener.health().allowed_seconds == 4.0
            source.play(tone(200, 1), gap=True)
            await source.drained()
            assert listener.health().allowed_seconds == 4.0 + 4.0
            source.play(tone(200, 3))
            await subscription.get()
            assert listener.health().allowed_seconds == 4.0
            source.end()
            await running


async def test_the_time_for_which_an_input_was_lost_is_no_ill_health_once_it_is_back():
    source, hub = HandSource(), Hub()
    async with InferenceWorkers(tone_classifier()) as inference:
        with hub.subscribe() as subscription:
            listener = make_listener(source, inference, hub)
            running = asyncio.create_task(listener.run())
            source.play(tone(200, 4))
            await subscription.get()
            listener._last_window_at -= 60
            assert "no window for 60.0 s" in listener.health().reason
            source.problem = "unplugged"
            listener.watch()
            source.problem = None
            assert listener.health().reason is None
            listener._last_window_at -= 10
            assert "no window for 70.0 s" in listener.health().reason
            source.end()
            await running
