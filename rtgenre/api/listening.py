"""Listening from a program's own event loop: one source, one state per window."""

from __future__ import annotations

import asyncio
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rtgenre.api.model import Model, load_model
from rtgenre.api.settings import checked_keywords
from rtgenre.errors import RtgenreError, first_cause
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.model.inference import InferenceWorkers
from rtgenre.monitoring.metrics import Metrics
from rtgenre.service.listener import Listener
from rtgenre.service.pipeline import Pipeline
from rtgenre.sources.open import open_source
from rtgenre.tracking.smoothing import TrackerParams

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from rtgenre.messages.documents import Document, StateDocument
    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Channel

AnyPath = str | PathLike[str]


def listen(
    source: AnyPath | int | Sequence[AnyPath] = "",
    *,
    model: Model | None = None,
    node: str | None = None,
    channel: Channel = "mix",
    speed: Literal["realtime", "max"] = "realtime",
    loop: bool = False,
    allow_private: bool = False,
    pcm_rate_hz: int = 44100,
    pcm_channels: int = 2,
    pcm_format: Literal["s16le", "f32le"] = "s16le",
    hop_seconds: float = 2.0,
    smoothing: TrackerParams | None = None,
    wait_for_input: bool = False,
) -> Listening:
    """Listen to one source: iterating over it, asynchronously, gives a state for each window.

    The keywords are the settings of the same names, which ``config.toml`` explains.

    Args:
        source: a device's index, name or part of it; empty for the default one; a file or folder,
            or several; a stream's address; a named pipe, or ``-`` for standard input, with raw PCM.
        model: what judges; None loads the default one.
        node: names the source in states; None is this machine's name.
        channel: ``mix`` is the mean of all; or ``left``, ``right`` or a number from 1.
        speed: of files: as they would be heard, or as fast as you take the states.
        loop: files begin again after the last one.
        allow_private: playlists and redirects from the internet may lead into this network.
        pcm_rate_hz: of raw PCM, 8000 to 192000 samples per second.
        pcm_channels: of raw PCM, 1 to 64.
        pcm_format: of raw PCM.
        hop_seconds: time between windows, 0.25 to 4.
        smoothing: how calm or how quick the shown genre is.
        wait_for_input: a source that cannot be used is a ``problem`` until it can, no error.

    Raises:
        ConfigError: a keyword is out of range.
        SourceError: no device matches, or several; or an address is not one.
        ModelError: the default model cannot be used.
    """
    config = checked_keywords(
        hop_seconds=hop_seconds,
        smoothing=smoothing or TrackerParams(),
        input=_input(source),
        channel=channel,
        speed=speed,
        loop=loop,
        allow_private=allow_private,
        pcm_rate_hz=pcm_rate_hz,
        pcm_channels=pcm_channels,
        pcm_format=pcm_format,
        **({} if node is None else {"node": node}),
    )
    source_config = config.source[0]
    opened = open_source(source_config, may_be_missing=wait_for_input)
    model = model or load_model()
    pipeline = Pipeline(
        node=source_config.node,
        source=opened.name,
        channel=source_config.channel,
        hop_seconds=config.windows.hop_seconds,
        info=model.info,
        tracker_params=config.smoothing,
        prompt=True,
    )
    pipeline.follow(model.taught)
    return Listening(model, opened, pipeline, wait_for_input=wait_for_input)


class Listening:
    """One source that is listened to while somebody iterates over it, once.

    Everything is closed when the iteration ends, by itself, by ``break`` or because its task is
    cancelled. With ``contextlib.aclosing(aiter(listening))`` it is closed before the program goes
    on.
    """

    def __init__(
        self, model: Model, source: AudioSource, pipeline: Pipeline, *, wait_for_input: bool
    ) -> None:
        self._model = model
        self._source = source
        self._pipeline = pipeline
        self._wait_for_input = wait_for_input
        self._hub = Hub()
        self._begun = False

    @property
    def source(self) -> str:
        """What is listened to, for people: ``device: USB Audio``."""
        return self._source.name

    @property
    def problem(self) -> str | None:
        """Why no audio, and so no state, comes just now; None while all is well."""
        return self._source.problem

    @property
    def failures(self) -> list[str]:
        """Files that could not be used and were passed over, one line each."""
        return list(self._source.failures)

    async def __aiter__(self) -> AsyncGenerator[StateDocument, None]:
        """Yield what is shown after each window, until the source ends.

        Of a live source who is too slow misses states and gets the newest; files wait.

        Raises:
            SourceError: the source cannot be used; devices and streams that are lost are a
                ``problem`` until they are back.
            ModelError: the network gives nonsense.
            RtgenreError: it was iterated before.
        """
        if self._begun:
            raise RtgenreError("this was listened to before; call listen() again")
        self._begun = True
        with self._hub.subscribe(lossless=True) as subscription:
            listening = asyncio.create_task(self._listen(), name=f"listen {self._pipeline.node}")
            arriving: asyncio.Task[Document] | None = None
            try:
                while True:
                    arriving = asyncio.create_task(subscription.get())
                    await asyncio.wait({arriving, listening}, return_when=asyncio.FIRST_COMPLETED)
                    if not arriving.done():
                        break
                    document = arriving.result()
                    if document["type"] == "state":
                        yield document
                listening.result()
            finally:
                tasks = {task for task in (arriving, listening) if task is not None}
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def _listen(self) -> None:
        async with InferenceWorkers(self._model.classifier) as inference:
            listener = Listener(
                self._source,
                self._pipeline,
                inference,
                hub=self._hub,
                column_hub=ColumnHub([self._pipeline.node]),
                metrics=Metrics(),
                wait_for_input=self._wait_for_input,
            )
            cause: BaseException | None = None
            try:
                await listener.run()
            except BaseExceptionGroup as group:
                cause = first_cause(group)
            # What was heard before the end is still taken.
            await self._hub.taken_by_lossless()
            if cause is not None:
                raise cause


def _input(source: AnyPath | int | Sequence[AnyPath]) -> str | int | tuple[str, ...]:
    if isinstance(source, int):
        return source
    if isinstance(source, PathLike):
        # So written it is no device's name or index.
        return str(Path(source).absolute())
    if isinstance(source, str):
        return source
    return tuple(fspath(path) for path in source)
