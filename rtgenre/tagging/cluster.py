"""The same as ``processes``, on a Dask cluster that somebody has started."""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import pickle
import queue
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgenre import __version__
from rtgenre.errors import RtgenreError, one_line
from rtgenre.sources.decode import NO_SUCH_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from rtgenre.tagging.song import Row, Song

_CONNECT_SECONDS = 10
# Enough that no worker waits for us; little, so that little is done anew when one dies.
_SONGS_PER_THREAD = 2
# So many wait where there is no worker, for clusters that grow when there is work.
_LEAST_SONGS = 8
# How often it is looked how many workers there are.
_LOOK_SECONDS = 3.0
# So many looks in a row at which no worker has a song are borne; then twice so many, and so on.
_LOOKS_BEFORE_ANEW = 3


class WorkersDied:
    """Takes the place of a row where several workers died of a song."""

    def __str__(self) -> str:
        return "each worker that judged it died"


def each_on_cluster(
    judge: Callable[[Song], Row],
    songs: Iterable[Song],
    *,
    scheduler: str,
    tell_workers: Callable[[int], None] = lambda _: None,
) -> Generator[tuple[Song, Row | WorkersDied], None, None]:
    """Yield each song with its row as soon as it is there, in any order, every one once.

    What a worker had when it died is done by another one. Songs are handed out only as workers
    get free, and closing the iterator takes back what was handed out.

    Args:
        judge: needs rtgenre on the workers, and the songs at the same places.
        songs: what is to be judged.
        scheduler: its address, as ``tcp://host:8786``.
        tell_workers: called every few seconds with the number of workers.

    Raises:
        RtgenreError: the scheduler does not answer, or no longer; dask.distributed is missing; or
            a worker cannot do it.
    """
    client = _connected(scheduler)
    try:
        yield from _Run(client, judge, songs, scheduler, tell_workers).rows()
    finally:
        # Nothing is left to be said to a scheduler that is gone.
        with contextlib.suppress(OSError, TimeoutError):
            client.close(timeout=2)


class _Run:
    """The songs that are with workers."""

    def __init__(
        self,
        client: Any,
        judge: Callable[[Song], Row],
        songs: Iterable[Song],
        scheduler: str,
        tell_workers: Callable[[int], None],
    ) -> None:
        self._client = client
        self._songs = iter(songs)
        self._scheduler = scheduler
        self._tell_workers = tell_workers
        # Two runs at the same scheduler must not take each other's rows.
        self._number = secrets.token_hex(4)
        self._tries = itertools.count()
        # What was taught makes a judge some megabytes large: workers get it once, from each other.
        self._packed = pickle.dumps(judge)
        self._judge = self._submit_judge()
        # By the scheduler's name for the task.
        self._given: dict[str, tuple[Song, Any]] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        # For how many looks workers have had nothing of ours, and for how many that is borne.
        self._idle_looks, self._most_idle_looks = 0, _LOOKS_BEFORE_ANEW

    def rows(self) -> Iterator[tuple[Song, Row | WorkersDied]]:
        """Yield each song with its row."""
        most = self._look()
        while True:
            while len(self._given) < most and (song := next(self._songs, None)) is not None:
                self._give(song)
            if not self._given:
                return
            try:
                key = self._done.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                most = self._look()
                continue
            if key not in self._given:
                continue  # handed out anew meanwhile
            song, future = self._given.pop(key)
            if future.status in ("lost", "pending"):
                # The worker that had its row died before we fetched it.
                self._wait_for(song, future)
                continue
            try:
                row = self._row(song, future)
            except TimeoutError:
                self._give(song)
                continue
            yield song, row

    def _look(self) -> int:
        """Return how many songs should be with workers."""
        try:
            threads = self._client.nthreads()
            if threads and self._judge.status != "finished":
                self._mend_lost_judge(self._client.processing())
        except (OSError, TimeoutError, RuntimeError) as error:
            raise self._lost() from error
        self._tell_workers(len(threads))
        return max(_LEAST_SONGS, _SONGS_PER_THREAD * int(sum(threads.values())))

    def _mend_lost_judge(self, processing: dict[str, tuple[str, ...]]) -> None:
        """Hand out anew what waits for a judge that no worker makes.

        Where a worker dies at the wrong moment, Dask's scheduler may wait for ever for the judge of
        another one, which knows nothing of it.
        """
        if any(key in self._given for keys in processing.values() for key in keys):
            self._idle_looks = 0
            return
        self._idle_looks += 1
        if self._idle_looks < self._most_idle_looks:
            return
        self._idle_looks, self._most_idle_looks = 0, 2 * self._most_idle_looks
        waiting = list(self._given.values())
        self._given.clear()
        # What is not taken back keeps a worker's place for ever.
        self._client.cancel([self._judge, *(future for _, future in waiting)])
        self._judge = self._submit_judge()
        for song, _ in waiting:
            self._give(song)

    def _submit_judge(self) -> Any:
        name = f"judge-{self._number}-{next(self._tries)}"
        return self._submit(name, _unpacked, self._packed, __version__)

    def _give(self, song: Song) -> None:
        name = f"{song.path}-{self._number}-{next(self._tries)}"
        self._wait_for(song, self._submit(name, _judged, self._judge, song))

    def _wait_for(self, song: Song, future: Any) -> None:
        self._given[future.key] = song, future
        future.add_done_callback(lambda done: self._done.put(done.key))

    def _submit(self, name: str, function: Callable[..., object], *arguments: object) -> Any:
        # The dashboard shows what comes before the name for all, and the name on each task.
        key = f"rtgenre-tag-{name}"
        try:
            return self._client.submit(function, *arguments, key=key, pure=False)
        except (OSError, RuntimeError) as error:
            raise self._lost() from error

    def _row(self, song: Song, future: Any) -> Row | WorkersDied:
        """Fetch a row.

        Raises:
            TimeoutError: the worker that has it does not hand it out.
            RtgenreError: the scheduler is gone, or no worker can do it.
        """
        error = self._error(future)
        if error is None:
            try:
                row: Row = future.result(timeout=_CONNECT_SECONDS)
            except TimeoutError:
                raise
            except (OSError, RuntimeError) as lost:
                raise self._lost() from lost
            if row.fault == NO_SUCH_FILE and not song.is_remote and Path(song.location).exists():
                return replace(row, fault="the worker has no such file: it needs the same paths")
            return row
        if type(error).__name__ == "KilledWorker":
            return WorkersDied()
        if type(error).__name__ == "CommClosedError":
            raise self._lost() from error
        if isinstance(error, ModuleNotFoundError):
            raise RtgenreError(
                f"a worker at {self._scheduler} has no module {error.name}: install the same "
                "version of rtgenre there"
            ) from error
        raise error

    def _error(self, future: Any) -> BaseException | None:
        if future.status not in ("finished", "error"):
            raise self._lost()
        try:
            error: BaseException | None = future.exception(timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError, RuntimeError) as lost:
            raise self._lost() from lost
        return error

    def _lost(self) -> RtgenreError:
        return RtgenreError(
            f"the scheduler at {self._scheduler} does not answer any more; the same command goes "
            "on where it was stopped"
        )


def _unpacked(judge: bytes, version: str) -> Any:
    """Unpack what judges on a worker, before it could judge otherwise than it is meant.

    Raises:
        RtgenreError: the worker has another version of rtgenre.
    """
    if version != __version__:
        raise RtgenreError(
            f"a worker has rtgenre {__version__}; {version} is asked for: install the same "
            "version there"
        )
    return pickle.loads(judge)


def _judged(judge: Callable[[Song], Row], song: Song) -> Row:
    """Judge a song on a worker."""
    return judge(song)


def _connected(scheduler: str) -> Any:
    try:
        import dask.config
        import distributed
    except ImportError:
        raise RtgenreError(
            "--scheduler needs dask.distributed: pip install 'rtgenre[cluster]'"
        ) from None
    # What matters is said in one line by us; that much was taught is no reason to warn.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return distributed.Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_SECONDS, set_as_default=False, name="rtgenre-tag"
        )
    # The last two: TLS is not set up, or is demanded.
    except (OSError, ValueError, TimeoutError, ImportError, TypeError, RuntimeError) as error:
        problem = one_line(str(error))
    # A client that is half made closes in an instant now, at the program's end never.
    gc.collect()
    raise RtgenreError(
        f"no Dask scheduler answers at {one_line(scheduler)} within {_CONNECT_SECONDS} s "
        f"({problem}); start one with 'dask scheduler', and workers with 'dask worker'"
    )
