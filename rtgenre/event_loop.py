"""The one way into asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run_in_event_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on a selector loop: aiomqtt needs one, on Windows too."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(coroutine)
