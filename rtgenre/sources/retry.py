"""Waits for an input that cannot be used yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rtgenre.sources.backoff import Backoff
from rtgenre.sources.base import SourceError

if TYPE_CHECKING:
    from rtgenre.sources.base import AudioSource, Deliver
    from rtgenre.types import Block


async def run_with_retries(source: AudioSource, deliver: Deliver) -> None:
    """Run a source until it ends; one that cannot be used is tried again, ever more seldom.

    Meanwhile its ``problem`` says why. One that is not live, such as a file at maximum speed,
    ends instead and is written down in its ``failures``: somebody waits for the end.
    """
    backoff = Backoff(first_seconds=1.0, longest_seconds=30.0)

    async def deliver_again(block: Block) -> None:
        backoff.reset()
        source.problem = None
        await deliver(block)

    while True:
        try:
            await source.run(deliver_again)
        except SourceError as error:
            source.problem = str(error)
        else:
            return
        if not source.live:
            source.failures = source.failures or [source.problem]
            return
        await asyncio.sleep(backoff.next_seconds())
