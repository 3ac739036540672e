"""Runs the ``model.tflite`` of a model folder with LiteRT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rtgenre.model.arrays import ArraysError
from rtgenre.model.features import log_mel_spectrogram
from rtgenre.model.head import Head, read_head
from rtgenre.model.info import (
    HEAD_FILE_NAME,
    TFLITE_FILE_NAME,
    ModelError,
    ModelInfo,
    check_unchanged,
    read_model_info,
)
from rtgenre.model.standard_error import quiet_for_a_moment
from rtgenre.types import FloatArray, Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAX_FILE_BYTES = 256 * 2**20


class Network(Protocol):
    """A loaded network, whatever runs it."""

    def run(self, features: FloatArray) -> FloatArray:
        """Turn ``(batch, *shape of the features)`` into ``(batch, n_outputs)``."""

    def copy(self) -> Network:
        """Return the same network once more, for another thread."""


class Classifier:
    """A model that is loaded, checked and ready; use it from one thread at a time."""

    def __init__(self, info: ModelInfo, network: Network, head: Head | None = None) -> None:
        self.info = info
        self.head = head
        """What was learnt on top of the network; None without own genres."""
        self._network = network

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Classifier:
        """Load a model folder and run it once on silence.

        Raises:
            ModelError: a file is missing, unreadable or does not fit ``model.json``.
        """
        info = read_model_info(folder)
        classifier = cls(info, _load_network(info, folder, threads), _load_head(info, folder))
        shape = (1, *info.features.shape)
        try:
            classifier.predict(np.zeros(shape, dtype=np.float32))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the model in {folder} does not fit model.json: {error}") from error
        return classifier

    def copy(self) -> Classifier:
        """Load the network once more, so that another thread can use it at the same time.

        Raises:
            ModelError: it is not there any more.
        """
        try:
            return Classifier(self.info, self._network.copy(), self.head)
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelError(f"the model {self.info.identity} cannot be run: {error}") from error

    def predict_window(self, samples: FloatArray) -> Prediction:
        """Classify one window of ``(window_samples,)``, mono, at the model's rate.

        Raises:
            ValueError: the window or the network's output has a wrong shape.
        """
        features = log_mel_spectrogram(samples, self.info.features)
        (prediction,) = self.predict(features[None])
        return prediction

    def predict(self, features: FloatArray) -> list[Prediction]:
        """Classify a batch of log-mel spectrograms.

        Args:
            features: ``(batch, *info.features.shape)`` float32, see ``rtgenre.model.features``.

        Raises:
            ValueError: the network's input or output has another shape, or is not finite.
        """
        outputs = self._network.run(features)
        expected = (len(features), self.info.n_outputs)
        if outputs.shape != expected:
            raise ValueError(
                f"its network gives outputs of shape {outputs.shape}; {self.info.n_network_labels} "
                f"labels{' and a music output' * self.info.has_music_output}"
                f"{' and a familiar output' * self.info.has_familiar_output} and an embedding of "
                f"{self.info.embedding_size} need {expected}"
            )
        if not np.isfinite(outputs).all():
            raise ValueError("its network gives outputs that are not finite")
        predictions = [self._prediction(row) for row in outputs]
        return predictions if self.head is None else self.head.apply(predictions)

    def _prediction(self, outputs: FloatArray) -> Prediction:
        n_labels = self.info.n_network_labels
        likelihoods = np.clip(outputs[:n_labels], 1e-9, None)
        shares = np.clip(outputs[n_labels : self.info.n_probabilities], 0.0, 1.0)
        return Prediction(
            probabilities=np.asarray(likelihoods / likelihoods.sum(), dtype=np.float32),
            music=float(shares[0]) if self.info.has_music_output else 1.0,
            familiar=float(shares[-1]) if self.info.has_familiar_output else 1.0,
            embedding=outputs[self.info.n_probabilities :] if self.info.embedding_size else None,
        )


def _load_network(info: ModelInfo, folder: Path, threads: int) -> Network:
    path = folder / TFLITE_FILE_NAME
    if not path.is_file():
        raise ModelError(f"no {TFLITE_FILE_NAME} in {folder}; python -m training.export makes it")
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ModelError(
            f"{path} has {path.stat().st_size / 2**20:.0f} MB; at most "
            f"{_MAX_FILE_BYTES // 2**20} MB are read"
        )
    check_unchanged(info, path)
    try:
        return LiteRtNetwork(path, threads)
    except ImportError as error:
        raise ModelError(f"{path} needs LiteRT: pip install ai-edge-litert ({error})") from error
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(f"{path} is not a model that can be run: {error}") from error


def _load_head(info: ModelInfo, folder: Path) -> Head | None:
    if not info.has_head:
        return None
    path = folder / HEAD_FILE_NAME
    if not path.is_file():
        raise ModelError(f"no {HEAD_FILE_NAME} in {folder}; rtgenre learn makes such a model anew")
    check_unchanged(info, path)
    try:
        return read_head(
            path,
            n_network=info.n_network_labels,
            n_labels=len(info.labels),
            embedding_size=info.embedding_size,
        )
    except ArraysError as error:
        raise ModelError(f"{error}; rtgenre learn makes such a model anew") from error


class LiteRtNetwork:
    """A TFLite file, run by LiteRT's interpreter."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._path = path
        self._threads = threads
        # Its C++ code writes by itself; its errors come as exceptions.
        with quiet_for_a_moment():
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._single(self._interpreter.get_input_details(), "input")
        self._output = self._single(self._interpreter.get_output_details(), "output")

    def run(self, features: FloatArray) -> FloatArray:
        """Run the windows one after another: recurrent layers are converted for a batch of one."""
        outputs = np.empty((len(features), self._output["shape"][-1]), dtype=np.float32)
        for index, window in enumerate(features):
            self._interpreter.set_tensor(self._input["index"], window[None])
            self._interpreter.invoke()
            outputs[index] = self._interpreter.get_tensor(self._output["index"])[0]
        return outputs

    def copy(self) -> LiteRtNetwork:
        """Load the file once more."""
        return LiteRtNetwork(self._path, self._threads)

    @staticmethod
    def _single(details: Sequence[dict[str, Any]], what: str) -> dict[str, Any]:
        if len(details) != 1 or details[0]["dtype"] != np.float32 or not len(details[0]["shape"]):
            found = ", ".join(f"{d['dtype'].__name__} {list(d['shape'])}" for d in details)
            raise ValueError(f"one float32 {what} is needed; it has {found or 'none'}")
        return details[0]
