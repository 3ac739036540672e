"""Hears only as many windows of a recording as it takes to know all of them; pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rtgenre.types import Prediction, Window

WINDOWS_APART = 4
"""From one window that is heard to the next at most."""


def predict_sparingly(
    windows: Iterable[Window],
    *,
    predict: Callable[[Window], Prediction],
    alike: Callable[[Sequence[Window], Prediction, Prediction], bool],
) -> Iterator[tuple[Window, Prediction]]:
    """Say what every window is, and hear only some of them.

    Every fourth is heard. What lies between two that are alike is taken for the nearer one; where
    they are not, the one in the middle is heard, too, and so on. So where one music ends and
    another begins is found as exactly as if all were heard (bisection); a change that is over
    before the next fourth window may not be.

    Args:
        windows: of one recording, in order.
        predict: hears one window.
        alike: whether windows one after another, of which the first and the last were heard, are
            all of the same music.

    Yields:
        Each window, in order, with what was heard of it or is taken for it.
    """
    later = iter(windows)
    first = next(later, None)
    if first is None:
        return
    said = predict(first)
    yield first, said
    while further := list(islice(later, WINDOWS_APART)):
        stretch, said_first = [first, *further], said
        first, said = further[-1], predict(further[-1])
        between = _say_between(stretch, said_first, said, predict, alike)
        yield from zip(further, [*between, said], strict=True)


def _say_between(
    stretch: Sequence[Window],
    first: Prediction,
    last: Prediction,
    predict: Callable[[Window], Prediction],
    alike: Callable[[Sequence[Window], Prediction, Prediction], bool],
) -> list[Prediction]:
    """Say what those windows of a stretch are that lie between its first and its last."""
    n_between = len(stretch) - 2
    if n_between < 1:
        return []
    if alike(stretch, first, last):
        n_last = n_between // 2
        return [first] * (n_between - n_last) + [last] * n_last
    middle = len(stretch) // 2
    said = predict(stretch[middle])
    before = _say_between(stretch[: middle + 1], first, said, predict, alike)
    return [*before, said, *_say_between(stretch[middle:], said, last, predict, alike)]
