"""``model.json``: what a model's weights fix, stored beside them."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from rtgenre.errors import RtgenreError
from rtgenre.model.feature_params import FeatureParams

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "model.json"
TFLITE_FILE_NAME = "model.tflite"
HEAD_FILE_NAME = "head.npz"
"""What was learnt on top of the network: see ``rtgenre.model.head``."""
EXAMPLES_FILE_NAME = "examples.npz"
"""What heads are learnt from: see ``rtgenre.learning.examples``."""
FORMAT = 1

_MAX_BYTES = 2**20
# A model.json beyond these is a mistake, and would cost memory and time before anyone noticed.
_MAX_FEATURE_PARAMS = {
    "sample_rate_hz": 192_000,
    "frame_length": 65_536,
    "hop_length": 65_536,
    "n_mels": 1024,
    "top_db": 200.0,
    "window_seconds": 60.0,
}
_MAX_EMBEDDING_SIZE = 256
# What features are computed from: an array of about this many values, several times over.
_MAX_FEATURE_VALUES = 2**23


class ModelError(RtgenreError):
    """A model folder cannot be used; the message says what was found and what is needed."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model's name, labels and input, as its ``model.json`` states them."""

    name: str
    version: str
    labels: tuple[str, ...]
    """In the order of the probabilities: the network's outputs, or what a head makes of them."""
    features: FeatureParams
    has_music_output: bool
    """After the labels' outputs comes the probability that this is music."""
    has_familiar_output: bool = False
    """Then comes the probability that the music is of one of the labels."""
    embedding_size: int = 0
    """How many values of an embedding of the window come last, at most 256."""
    network_labels: tuple[str, ...] = ()
    """Of a model with a head: the network's outputs, which the head turns into ``labels``."""
    data: dict[str, Any] = field(default_factory=dict)
    """What it was trained on, for people."""
    scores: dict[str, Any] = field(default_factory=dict)
    """What ``training.evaluate`` measured, for people."""
    checksums: dict[str, str] = field(default_factory=dict, compare=False)
    """SHA-256 of the model's files as they were exported, by name."""

    @property
    def has_head(self) -> bool:
        """Whether own genres were learnt on top of the network."""
        return bool(self.network_labels)

    @property
    def n_network_labels(self) -> int:
        """How many genres the network has outputs for."""
        return len(self.network_labels or self.labels)

    @property
    def n_outputs(self) -> int:
        """Length of the network's output: labels, music, familiar, embedding."""
        return self.n_probabilities + self.embedding_size

    @property
    def n_probabilities(self) -> int:
        """How many outputs are probabilities: of the network's labels, of music and of familiar."""
        return self.n_network_labels + self.has_music_output + self.has_familiar_output

    @property
    def short_checksum(self) -> str:
        """First eight digits of the SHA-256 of its head, else of ``model.tflite``, if known."""
        name = HEAD_FILE_NAME if self.has_head else TFLITE_FILE_NAME
        return self.checksums.get(name, "")[:8]

    @property
    def identity(self) -> str:
        """Name, version and short checksum: no two models have the same."""
        return " ".join(filter(None, [self.name, self.version, self.short_checksum]))


def read_model_info(folder: Path) -> ModelInfo:
    """Read and check ``folder/model.json``.

    Raises:
        ModelError: the file is missing, is not JSON, or a field is missing or wrong.
    """
    path = folder / FILE_NAME
    try:
        document = json.loads(_read_text(path))
    except FileNotFoundError:
        raise ModelError(f"no model in {folder}: it has no {FILE_NAME}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    try:
        return _from_document(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path} does not describe a model: {reason}") from error


def write_model_info(info: ModelInfo, folder: Path) -> None:
    """Write ``info`` to ``folder/model.json``, which ``read_model_info`` gives back unchanged.

    The checksums are those of the files that are in the folder now.
    """
    names = (TFLITE_FILE_NAME, HEAD_FILE_NAME, EXAMPLES_FILE_NAME)
    checksums = {name: _sha256(folder / name) for name in names if (folder / name).is_file()}
    document = {"format": FORMAT, **asdict(info), "checksums": checksums}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def check_unchanged(info: ModelInfo, path: Path) -> None:
    """Check that a file is the one that was exported, where its checksum is known.

    LiteRT finds most damage to a file by itself, but not all: some ends the process.

    Raises:
        ModelError: it is another file, or was damaged.
    """
    expected = info.checksums.get(path.name)
    if expected is not None and _sha256(path) != expected:
        raise ModelError(
            f"{path} is not the file that its {FILE_NAME} describes, or is damaged (their SHA-256 "
            "differ); copy or export the whole model folder again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_text(path: Path) -> str:
    # Opening a pipe would wait for a writer, and a device may have no end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES} bytes, the most that are read")
    return content.decode()


def _from_document(document: dict[str, Any]) -> ModelInfo:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}; this version reads {FORMAT}")
    return ModelInfo(
        name=str(document["name"]),
        version=str(document["version"]),
        labels=_labels(document, "labels"),
        features=_feature_params(document["features"]),
        has_music_output=_checked_bool(document, "has_music_output"),
        has_familiar_output=_checked_bool(
            {"has_familiar_output": False, **document}, "has_familiar_output"
        ),
        embedding_size=_embedding_size(document.get("embedding_size", 0)),
        network_labels=(
            _labels(document, "network_labels") if document.get("network_labels") else ()
        ),
        data=dict(document.get("data", {})),
        scores=dict(document.get("scores", {})),
        checksums=_checksums(document.get("checksums", {})),
    )


def _labels(document: dict[str, Any], name: str) -> tuple[str, ...]:
    labels = document[name]
    if not isinstance(labels, list) or not all(
        isinstance(label, str) and label for label in labels
    ):
        raise ValueError(f"{name} are {labels!r}; a list of names is needed")
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"{name} are {labels}; at least two different ones are needed")
    return tuple(labels)


def _feature_params(document: dict[str, Any]) -> FeatureParams:
    for parameter in fields(FeatureParams):
        value = document.get(parameter.name, parameter.default)
        if parameter.name == "recipe":
            continue  # FeatureParams knows which there are
        whole = isinstance(parameter.default, int)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{parameter.name} is {value!r}; {kind} is needed")
        # Written so that NaN, which compares as false, is refused too.
        if not value <= _MAX_FEATURE_PARAMS.get(parameter.name, float("inf")):
            raise ValueError(
                f"{parameter.name} is {value:g}; at most "
                f"{_MAX_FEATURE_PARAMS.get(parameter.name, float('inf')):g} is possible"
            )
    params = FeatureParams(**document)
    _check_memory(params)
    return params


def _check_memory(params: FeatureParams) -> None:
    """Refuse parameters that are possible one by one, but together ask for gigabytes."""
    arrays = {
        "n_frames x frame_length": params.n_frames * params.frame_length,
        "n_frames x n_mels": params.n_frames * params.n_mels,
        "n_mels x frame_length": params.n_mels * params.frame_length,
    }
    name, n_values = max(arrays.items(), key=lambda item: item[1])
    if n_values > _MAX_FEATURE_VALUES:
        raise ValueError(
            f"its features need {n_values} values ({name}) for one window; at most "
            f"{_MAX_FEATURE_VALUES} are possible: choose shorter windows or frames, a longer "
            "hop_length or fewer n_mels"
        )


def _checksums(document: Any) -> dict[str, str]:
    if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
        raise ValueError(f"checksums are {document!r}; a SHA-256 for each file name is needed")
    return document


def _embedding_size(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_EMBEDDING_SIZE:
        raise ValueError(
            f"embedding_size is {value!r}; a whole number from 0 to {_MAX_EMBEDDING_SIZE} is needed"
        )
    return value


def _checked_bool(document: dict[str, Any], name: str) -> bool:
    value = document[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; true or false is needed")
    return value
