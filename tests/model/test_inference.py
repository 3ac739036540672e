import asyncio

import numpy as np
import pytest

from rtgenre.model.inference import BatchingClassifier
from tests.networks import HeldNetwork, ToneNetwork, tone_classifier
from tests.signals import tone

LOW, HIGH = tone(200), tone(8000)


async def test_windows_that_wait_together_go_as_one_batch_and_each_gets_its_own_answer():
    network = HeldNetwork()
    async with BatchingClassifier(tone_classifier(network)) as inference:
        first = asyncio.create_task(inference.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        others = [asyncio.create_task(inference.classify(w)) for w in (HIGH, LOW, HIGH)]
        await asyncio.sleep(0)
        network.let_go.set()
        answers = await asyncio.gather(first, *others)
    assert network.batch_sizes == [1, 3]
    assert [a.batch_size for a in answers] == [1, 3, 3, 3]
    assert [a.prediction.probabilities.argmax() for a in answers] == [0, 1, 0, 1]


async def test_the_event_loop_runs_on_while_the_network_computes():
    network = HeldNetwork()
    async with BatchingClassifier(tone_classifier(network)) as inference:
        waiting = asyncio.create_task(inference.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        assert not waiting.done()
        network.let_go.set()
        await waiting


async def test_an_error_reaches_whoever_asked_and_the_next_window_is_served():
    async with BatchingClassifier(tone_classifier(ToneNetwork())) as inference:
        with pytest.raises(ValueError, match="shape"):
            await inference.classify(np.zeros(10, dtype=np.float32))
        answer = await inference.classify(LOW)
        assert answer.prediction.probabilities.argmax() == 0


async def test_somebody_who_gives_up_waiting_does_not_stop_the_others():
    network = HeldNetwork()
    async with BatchingClassifier(tone_classifier(network)) as inference:
        given_up = asyncio.create_task(inference.classify(LOW))
        await asyncio.to_thread(network.entered.wait)
        other = asyncio.create_task(inference.classify(HIGH))
        await asyncio.sleep(0)
        given_up.cancel()
        network.let_go.set()
        assert (await other).prediction.probabilities.argmax() == 1
