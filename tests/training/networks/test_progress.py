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
    progress = TimeLeft(4)
    for begin, end in ((1, 3), (3, 4)):
        model.fit(
            ones,
            ones,
            batch_size=2,
            initial_epoch=begin,
            epochs=end,
            callbacks=[progress],
            verbose=0,
        )
    lines = capsys.readouterr().err.split("\r")[1:]
    assert [line.split(", loss")[0] for line in lines] == [
        f"epoch {epoch}/4{batch}"
        for epoch in (2, 3, 4)
        for batch in (", batch 1/3", ", batch 2/3", ", batch 3/3", "")
    ]
    assert lines[-2].rstrip().endswith(", 0 s left")
    assert lines[-1].endswith("\n")
