import asyncio
import contextlib

import numpy as np

from rtgenre.sources import retry
from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import AudioSource, SourceError
from rtgenre.sources.retry import run_with_retries
from rtgenre.types import Block

from .conftest import Heard, eventually


class MissingSource(AudioSource):
    """Cannot be used for the first few times."""

    def __init__(self, attempts, *, live):
        super().__init__("missing", live=live)
        self.attempts = attempts
        self.problems = []

    async def run(self, deliver):
        self.problems.append(self.problem)
        if len(self.problems) < self.attempts:
            raise SourceError("it is not there")
        await deliver(Block(np.zeros((1, 1), np.float32), 44100, 0.0))


async def test_a_live_source_that_is_missing_is_a_problem_until_it_is_there(monkeypatch):
    monkeypatch.setattr(retry, "Backoff", lambda **_: Backoff(0.01, 0.01))
    source, heard = MissingSource(3, live=True), Heard()
    await run_with_retries(source, heard)
    assert source.problems == [None, "it is not there", "it is not there"]
    assert source.problem is None
    assert heard.n_samples == 1


async def test_a_source_whose_end_is_waited_for_ends_and_is_written_down():
    source = MissingSource(3, live=False)
    await run_with_retries(source, Heard())
    assert source.failures == ["it is not there"]
    assert source.problem == "it is not there"


async def test_a_source_that_is_stopped_while_it_waits_stops():
    source = MissingSource(9, live=True)
    task = asyncio.create_task(run_with_retries(source, Heard()))
    await eventually(lambda: source.problem is not None)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
