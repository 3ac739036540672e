"""Listens inside a program that has an event loop of its own; `python embedded.py [INPUT]`.

FastAPI takes `lifespan` as it is, `app = FastAPI(lifespan=lifespan)`; its handlers return `now`.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from rtgenre import RtgenreError, listen, load_model

SOURCE = sys.argv[1] if len(sys.argv) > 1 else ""
now: dict[str, str | None] = {"genre": None, "problem": None}


async def follow() -> None:
    """Keep `now` current for as long as the source plays."""
    try:
        model = await asyncio.to_thread(load_model)
        async for state in listen(SOURCE, model=model):
            genre = state["genre"] or state["state"]
            if now["genre"] != genre:
                now["genre"] = genre
                print(genre, flush=True)
    except RtgenreError as error:
        now["problem"] = str(error)
        print(error, file=sys.stderr)


@contextlib.asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Listen for as long as the application runs."""
    task = asyncio.create_task(follow())
    try:
        yield {"follow": task}
    finally:
        task.cancel()
        await asyncio.wait({task})


async def main() -> None:
    """Stand in for an application: it answers while the music is followed."""
    async with lifespan(app=None) as state:
        await state["follow"]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
