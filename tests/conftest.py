"""What all tests share."""

import contextlib
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import hypothesis
import pytest

# How long an example takes is the machine's affair, which others use at the same time.
hypothesis.settings.register_profile("rtgenre", deadline=None)
hypothesis.settings.load_profile("rtgenre")


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
