"""``model.json``: what a model's weights fix, stored beside them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rtgenre.features import FeatureParams

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "model.json"
FORMAT = 1


class ModelError(Exception):
    """A model folder cannot be used; the message says what was found and what is needed."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model's name, labels and input, as its ``model.json`` states them."""

    name: str
    version: str
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    features: FeatureParams
    has_music_output: bool
    """The network's last output, after the labels', is the probability that this is music."""
    data: dict[str, Any] = field(default_factory=dict)
    """What it was trained on, for people."""
    scores: dict[str, Any] = field(default_factory=dict)
    """What ``training.evaluate`` measured, for people."""

    @property
    def n_outputs(self) -> int:
        """Length of the network's output: the labels', and one for music."""
        return len(self.labels) + self.has_music_output


def read_model_info(folder: Path) -> ModelInfo:
    """Read and check ``folder/model.json``.

    Raises:
        ModelError: the file is missing, is not JSON, or a field is missing or wrong.
    """
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"no model in {folder}: it has no {FILE_NAME}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    try:
        return _from_document(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path} does not describe a model: {reason}") from error


def write_model_info(info: ModelInfo, folder: Path) -> None:
    """Write ``info`` to ``folder/model.json``, which ``read_model_info`` gives back unchanged."""
    document = {"format": FORMAT, **asdict(info)}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def _from_document(document: dict[str, Any]) -> ModelInfo:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}; this version reads {FORMAT}")
    labels = tuple(str(label) for label in document["labels"])
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"labels are {list(labels)}; at least two different ones are needed")
    return ModelInfo(
        name=str(document["name"]),
        version=str(document["version"]),
        labels=labels,
        features=FeatureParams(**document["features"]),
        has_music_output=bool(document["has_music_output"]),
        data=dict(document.get("data", {})),
        scores=dict(document.get("scores", {})),
    )
