"""Take the ears out of a model that ships, so that new networks are trained behind them.

    python -m training.ears_of runs/ears --model crnn

reads both out of the model's TFLite file and writes a folder as ``training.distil`` does, which
``training.train --ear`` and ``training.distil --begin-with`` take. They are as they ship: most of
the weights in 8 bits, the others with float16's digits.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtgenre.model.feature_params import TWO_EARS_FEATURES
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import TFLITE_FILE_NAME, ModelError, read_model_info
from training.data.dataset import DatasetError
from training.data.whole_file import written_whole
from training.frontends import yamnet
from training.frontends.apart import taught_arrays_of
from training.frontends.ear import EAR_FILE_NAME, build_ear
from training.frontends.musicnn import read_million_songs
from training.frontends.second_ear import SECOND_EAR_FILE_NAME, build_second_ear
from training.release.restore import restore
from training.release.runs import claim_folder, git_commit

if TYPE_CHECKING:
    from collections.abc import Sequence


def take_out(model: str, run_folder: Path) -> None:
    """Write the ears of a model as a run folder of ``training.distil``.

    Args:
        model: its name, or its folder.
        run_folder: written.

    Raises:
        DatasetError: the model has other ears, or the folder holds another run.
        ModelError: there is no such model.
    """
    folder = find_model_folder(model)
    info = read_model_info(folder)
    if info.features.recipe != TWO_EARS_FEATURES.recipe:
        raise DatasetError(f"{folder} has no such ears: its model hears {info.features.recipe}")
    recipe = {"ears_of": f"{info.name} {info.version}"}
    claim_folder(run_folder, recipe, EAR_FILE_NAME)
    ear = build_ear(yamnet.load_yamnet())
    before = read_million_songs()
    second = build_second_ear(before)
    for one in (ear, second):
        restore(one, folder / TFLITE_FILE_NAME)
    with written_whole(run_folder / EAR_FILE_NAME) as part:
        ear.save(part)
    with written_whole(run_folder / SECOND_EAR_FILE_NAME) as part:
        np.savez(part, allow_pickle=False, **taught_arrays_of(second, before))
    report = json.dumps({"options": recipe, "git_commit": git_commit()}, indent=2)
    (run_folder / "run.json").write_text(f"{report}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="training.ears_of",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="folder to write")
    parser.add_argument("--model", default="crnn", help="name or folder; default: %(default)s")
    args = parser.parse_args(arguments)
    try:
        take_out(args.model, args.run)
    except (DatasetError, ModelError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
