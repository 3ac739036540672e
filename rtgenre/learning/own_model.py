"""A model folder of one's own: a copy of the network, and what was learnt on top of it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre import __version__
from rtgenre.learning.examples import (
    OTHER,
    Examples,
    first_missing,
    joined,
    read_examples,
    write_examples,
)
from rtgenre.learning.genres import LearningError
from rtgenre.model.arrays import ArraysError
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.head import FAMILIAR_AT_LIMIT, write_head
from rtgenre.model.info import (
    EXAMPLES_FILE_NAME,
    HEAD_FILE_NAME,
    TFLITE_FILE_NAME,
    check_unchanged,
    read_model_info,
    write_model_info,
)
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    from pathlib import Path

    from rtgenre.learning.lesson import Lesson
    from rtgenre.model.head import Head
    from rtgenre.model.info import ModelInfo

LEARNT_ON = "learnt_on"
"""Key in ``data`` of ``model.json``: name of the model that was learnt on."""


def find_ground_folder(name_or_path: str) -> Path:
    """Find the folder of a model that can be learnt on: of an own model, the one below it.

    Raises:
        LearningError: that model gives no embeddings, or has no examples.
        ModelError: there is no such model.
    """
    folder = find_model_folder(name_or_path)
    info = read_model_info(folder)
    if info.has_head:
        folder = find_model_folder(str(info.data.get(LEARNT_ON, "crnn")))
        info = read_model_info(folder)
    if not info.embedding_size or not (folder / EXAMPLES_FILE_NAME).is_file():
        raise LearningError(
            f"the model {info.name} cannot be learnt on: it gives no embeddings, or has no "
            f"{EXAMPLES_FILE_NAME}; use --model crnn"
        )
    return folder


def read_ground_examples(folder: Path, info: ModelInfo) -> Examples:
    """Read the examples of a model.

    Raises:
        LearningError: they are damaged.
        ModelError: they are not those that were exported.
    """
    path = folder / EXAMPLES_FILE_NAME
    check_unchanged(info, path)
    try:
        examples = read_examples(
            path, n_labels=len(info.labels), embedding_size=info.embedding_size
        )
    except ArraysError as error:
        raise LearningError(f"{error}; install rtgenre again, or copy the model anew") from error
    missing = first_missing(examples, len(info.labels))
    if missing is not None:
        raise LearningError(f"{path} has no examples of {info.labels[missing]}")
    return examples


def write_own_model(
    folder: Path, ground_folder: Path, lesson: Lesson, head: Head, scores: dict[str, Any]
) -> ModelInfo:
    """Write a model folder, whole or not at all; it replaces an own model of the same name.

    Args:
        folder: where it belongs.
        ground_folder: of the model that was learnt on.
        lesson: what was learnt.
        head: what came of it.
        scores: what ``rtgenre models`` shows.

    Raises:
        LearningError: the disk is full, or the folder cannot be written.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    before = folder.with_name(f".{folder.name}.{os.getpid()}.before")
    try:
        part.mkdir(parents=True)
        shutil.copyfile(ground_folder / TFLITE_FILE_NAME, part / TFLITE_FILE_NAME)
        write_head(head, part / HEAD_FILE_NAME)
        ground = read_model_info(ground_folder)
        write_examples(
            _all_examples(lesson, head, read_ground_examples(ground_folder, ground)),
            part / EXAMPLES_FILE_NAME,
        )
        info = _info(folder.name, ground, lesson, scores)
        write_model_info(info, part)
        Classifier.load(part)
        if folder.exists():
            folder.rename(before)
        part.rename(folder)
    except OSError as error:
        raise LearningError(f"{told_path(folder)} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
    return info


def _info(name: str, ground: ModelInfo, lesson: Lesson, scores: dict[str, Any]) -> ModelInfo:
    now = datetime.now(UTC)
    return replace(
        ground,
        name=name,
        version=f"{now:%Y.%m.%d-%H%M%S}",
        labels=lesson.labels,
        network_labels=ground.labels,
        data={
            LEARNT_ON: ground.name,
            "learnt_on_version": ground.version,
            "learnt_at": now.isoformat(timespec="seconds"),
            "learnt_by": f"rtgenre {__version__}",
            "songs": {
                genre: sum(song.genre == genre for song in lesson.songs)
                for genre in sorted({song.genre for song in lesson.songs})
            },
        },
        scores=scores,
        checksums={},
    )


def _all_examples(lesson: Lesson, head: Head, ground: Examples) -> Examples:
    """Give the songs' windows with what they are to be told from, for what is taught later.

    Where the known genres go, what of them is unfamiliar is other music from now on.
    """
    own = lesson.taught().examples
    if lesson.known:
        return joined(ground, own)
    other = ground.select(head.familiar(ground.embeddings) < FAMILIAR_AT_LIMIT)
    return joined(own, replace(other, labels=np.full(len(other), OTHER, np.int64)))
