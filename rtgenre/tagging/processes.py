"""A function over many items on all cores: a process that dies costs no item.

``learn`` and ``tag`` use it with ``rtgenre.tagging.hearing``, any other function of one argument
will do: ``for item, result in each_in_processes(function, items)``.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import traceback
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rtgenre.errors import RtgenreError
from rtgenre.model.standard_error import keep_messages
from rtgenre.threads import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

# A forked process would inherit locks that threads of ours hold.
_SPAWN = multiprocessing.get_context("spawn")
# An item whose process dies may have been unlucky; one that kills two is to blame.
_TRIES = 2
# So many deaths before anything was done at all: it is the machine, and no use to go on.
_MOST_DEATHS_AT_FIRST = 6


@dataclass(frozen=True, slots=True)
class ProcessDied:
    """Takes the place of a result where two processes died of an item."""

    exit_code: int | None
    """Negative: the number of the signal."""

    def __str__(self) -> str:
        return f"the process that judged it ended {_TRIES} times ({_told_exit(self.exit_code)})"


def each_in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], *, processes: int | None = None
) -> Generator[tuple[Item, Result | ProcessDied], None, None]:
    """Yield each item with its result as soon as it is there, in any order, every one once.

    Items are taken only as processes get free. Closing the iterator ends the processes, and so
    does the end of ours, however it comes.

    Args:
        function: of a module, since processes import it by name. It returns faults that belong to
            an item as values; it is called from one thread.
        items: what can be pickled.
        processes: how many; None is one for each core.

    Raises:
        RtgenreError: the function raised one, or the processes die before anything is done.
        RuntimeError: the function raised anything else; the message holds its traceback.
    """
    waiting = iter(items)
    workers: list[_Worker[Item, Result]] = []
    deaths, answers = 0, 0
    try:
        workers += [
            _Worker(function, item) for item in islice(waiting, processes or usable_cores())
        ]
        while workers:
            for worker in _ready(workers):
                item = worker.item
                answer = worker.answer()
                if isinstance(answer, ProcessDied):
                    deaths += 1
                    if not answers and deaths >= _MOST_DEATHS_AT_FIRST:
                        raise RtgenreError(
                            f"{deaths} processes ended ({_told_exit(answer.exit_code)}) before one "
                            "file was judged; is there too little memory?"
                        )
                    if worker.try_again():
                        continue
                else:
                    answers += 1
                if not worker.go_on(waiting):
                    workers.remove(worker)
                yield item, answer
    finally:
        for worker in workers:
            worker.kill()


class _Worker(Generic[Item, Result]):
    """A process, and the item that it has."""

    def __init__(self, function: Callable[[Item], Result], item: Item) -> None:
        self._function = function
        self._start()
        self._give(item)

    def answer(self) -> Result | ProcessDied:
        """Return what the process says of its item; wait for it."""
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return ProcessDied(self._process.exitcode)
        if kind == "told":
            raise RtgenreError(value)
        if kind == "failed":
            raise RuntimeError(value)
        result: Result = value
        return result

    def try_again(self) -> bool:
        """Give the item to a new process, unless it has had its tries."""
        if self._tries == _TRIES:
            return False
        self._tries += 1
        self._restart()
        self._send()
        return True

    def go_on(self, waiting: Iterator[Item]) -> bool:
        """Take the next item; without one let the process end, and return False."""
        for item in waiting:
            if not self._process.is_alive():
                self._restart()
            self._give(item)
            return True
        self.pipe.close()
        return False

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def _give(self, item: Item) -> None:
        self.item = item
        self._tries = 1
        self._send()

    def _send(self) -> None:
        # A process that is gone is noticed where its answer is awaited.
        with contextlib.suppress(OSError):
            self.pipe.send(self.item)

    def _restart(self) -> None:
        self.pipe.close()
        self._start()

    def _start(self) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_work, args=(self._function, theirs), daemon=True)
        with _interrupts_held():
            self._process.start()
        theirs.close()


def _ready(workers: list[_Worker[Item, Result]]) -> list[_Worker[Item, Result]]:
    """Wait until a process has an answer, or has died."""
    ready = set(map(id, wait([worker.pipe for worker in workers])))
    return [worker for worker in workers if id(worker.pipe) in ready]


def _work(function: Callable[[Any], Any], pipe: Connection) -> None:
    """Answer until nothing more comes, also because the other side has died."""
    # Ctrl-C reaches all processes of a terminal; ours is the one that acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_messages()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(_outcome(function, pipe.recv()))


def _outcome(function: Callable[[Any], Any], item: Any) -> tuple[str, Any]:
    try:
        return "done", function(item)
    except RtgenreError as error:
        return "told", str(error)
    except Exception:
        return "failed", traceback.format_exc()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let a process start with Ctrl-C held back, so that it never prints a traceback of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _told_exit(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {-exit_code}"
    return f"exit code {exit_code}"
