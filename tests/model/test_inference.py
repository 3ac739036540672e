import asyncio

import numpy as np
import pytest

from rtgenre.model.inference import InferenceWorkers
from tests.networks import HeldNetwork, ToneNetwork, tone_classifier
from tests.signals import tone

LOW, HIGH = tone(200), tone(8000)


class HeldWhereLow(HeldNetwork):
    """Waits only at windows of a low tone; its copies do so, too."""

    def run(self, features):
        said = ToneNetwork.run(self, features)
        if said[0, 0] > 0.5:
            self.entered.set()
            assert self.let_go.wait(30)
        return said

    def copy(self):
        return self


async def test_every_window_gets_its_own_answer_as_soon_as_it_is_there():
    network = HeldWhereLow()
    async with InferenceWorkers(tone_classifier(network)) as workers:
        first, second = (asyncio.create_task(workers.classify(each)) for each in (HIGH, LOW))
        assert (await first).prediction.probabilities.argmax() == 1
        assert not second.done()
        network.let_go.set()
        assert (await second).prediction.probabilities.argmax() == 0


async def test_a_second_worker_goes_on_while_the_first_computes():
    network = HeldWhereLow()
    async with InferenceWorkers(tone_classifier(network), workers=2) as workers:
        held = asyncio.create_task(workers.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        for _ in range(3):
            assert (await workers.classify(HIGH)).prediction.probabilities.argmax() == 1
        assert not held.done()
        network.let_go.set()
        await held


async def test_turns_come_in_the_order_of_asking():
    network, served = HeldNetwork(), []

    async def ask(number):
        async with workers.turn() as classify:
            served.append(number)
            await classify(LOW)

    async with InferenceWorkers(tone_classifier(network)) as workers:
        asking = [asyncio.create_task(ask(number)) for number in range(5)]
        await asyncio.to_thread(network.entered.wait)
        assert served == [0]
        network.let_go.set()
        await asyncio.gather(*asking)
    assert served == [0, 1, 2, 3, 4]


async def test_the_event_loop_runs_on_while_the_network_computes():
    network = HeldNetwork()
    async with InferenceWorkers(tone_classifier(network)) as workers:
        waiting = asyncio.create_task(workers.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        assert not waiting.done()
        network.let_go.set()
        await waiting


async def test_an_error_reaches_whoever_asked_and_the_next_window_is_served():
    async with InferenceWorkers(tone_classifier(ToneNetwork())) as workers:
        with pytest.raises(ValueError, match="shape"):
            await workers.classify(np.zeros(10, dtype=np.float32))
        answer = await workers.classify(LOW)
        assert answer.prediction.probabilities.argmax() == 0


async def test_somebody_who_gives_up_waiting_does_not_stop_the_others():
    network = HeldNetwork()
    async with InferenceWorkers(tone_classifier(network)) as workers:
        given_up = asyncio.create_task(workers.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        other = asyncio.create_task(workers.classify(HIGH))
        await asyncio.sleep(0)
        given_up.cancel()
        network.let_go.set()
        assert (await other).prediction.probabilities.argmax() == 1
