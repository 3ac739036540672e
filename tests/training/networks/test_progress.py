from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers

from training.networks.progress import TimeLeft

if TYPE_CHECKING:
    import pytest


def test_after_each_batch_it_says_how_far_it_is_and_what_is_left_of_all_epochs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    ones = np.ones((6, 1), np.float32)
    model.fit(
        ones, ones, batch_size=2, epochs=4, initial_epoch=2, callbacks=[TimeLeft()], verbose=0
    )
    lines = capsys.readouterr().err.split("\r")[1:]
    assert [line.split(", loss")[0] for line in lines] == [
        f"epoch {epoch}/4, batch {batch}/3" for epoch in (3, 4) for batch in (1, 2, 3)
    ]
    assert lines[-1].rstrip().endswith(", 0 s left")
