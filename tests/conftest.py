"""What all tests share."""

import contextlib
import gc
import logging
import os
import signal
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import hypothesis
import pytest

# Test processes share the cores: threads of numpy's that wait for each other busily only heat them.
# It reads this when it is imported, also in the programs that tests start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Shells let what they start with `&` ignore Ctrl-C, and so would all programs that tests end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair, which others use at the same time.
hypothesis.settings.register_profile("rtgenre", deadline=None)
hypothesis.settings.load_profile("rtgenre")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Use one worker more than there are cores, for tests often wait: for sound, for processes."""
    n_cores = yield
    return n_cores + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage in what is imported: it stays, and to go through it takes seconds."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the trainings.

    Near the end tests of one module are shared out, and each process that gets some makes what
    they share: a network, in half a minute. It had better be something quick then.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/training/"))


@contextlib.contextmanager
def _logs_as_they_were() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("rtgenre", "asyncio")]
    before = [(it.handlers, it.level, it.propagate) for it in loggers]
    yield
    for it, (handlers, level, propagate) in zip(loggers, before, strict=True):
        it.handlers, it.propagate = handlers, propagate
        it.setLevel(level)


@pytest.fixture(autouse=True, scope="module")
def _restore_logging_of_module() -> Iterator[None]:
    """Whatever the fixtures of a module set up, the next one finds the logs as they were."""
    with _logs_as_they_were():
        yield


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Whatever a test sets up, the next one finds the logs as they were."""
    with _logs_as_they_were():
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_this_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What somebody has set for rtgenre on this machine, a broker for example, is not tested."""
    folder = str(tmp_path_factory.mktemp("settings"))
    with mock.patch.dict(os.environ, {"XDG_CONFIG_HOME": folder}):
        yield


@pytest.fixture(scope="session")
def librosa() -> ModuleType:
    """librosa, without compiling its loops, which takes half a minute in a fresh installation.

    Nothing that is called here has any: they count zero crossings and look for peaks and pitches.
    """
    import numba

    def leave(*args: Any, **_: Any) -> Any:
        return args[0] if args and callable(args[0]) else lambda function: function

    decorators = dict.fromkeys(("jit", "njit", "vectorize", "guvectorize", "stencil"), leave)
    with mock.patch.multiple(numba, **decorators):
        import librosa

        # It loads its parts when they are asked for.
        assert all([librosa.load, librosa.feature.melspectrogram, librosa.filters.mel])
    return librosa
