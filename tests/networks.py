"""Networks that are quick and predictable, for the tests of what is around them."""

import threading
from dataclasses import replace
from functools import cache

import numpy as np

from rtgenre.learning.examples import Examples, write_examples
from rtgenre.model.classifier import Classifier
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.features import log_mel_spectrogram
from rtgenre.model.info import EXAMPLES_FILE_NAME, ModelInfo
from tests.signals import noise, tone

INFO = ModelInfo("test", "1", ("jazz", "rock"), FeatureParams(), has_music_output=True)


class ToneNetwork:
    """Says jazz to a spectrum that is loudest in the lower half, rock otherwise."""

    def __init__(self):
        self.batch_sizes = []

    def run(self, features):
        self.batch_sizes.append(len(features))
        loudest_band = features.mean(axis=1).argmax(axis=1)
        is_jazz = loudest_band < features.shape[2] // 2
        jazz = np.where(is_jazz, 0.9, 0.1)
        return np.stack([jazz, 1 - jazz, np.ones_like(jazz)], axis=1).astype(np.float32)


class HeldNetwork(ToneNetwork):
    """Waits inside ``run`` until it is let go, as a slow machine does."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def run(self, features):
        self.entered.set()
        assert self.let_go.wait(30)
        return super().run(features)


def tone_classifier(network=None):
    return Classifier(INFO, network or ToneNetwork())


class HearingNetwork(ToneNetwork):
    """A tone network that gives an embedding, too: how loud eight bands are, as a shape."""

    def run(self, features):
        said = super().run(features)
        bands = features.mean(axis=1).reshape(len(features), 8, -1).mean(axis=2)
        shape = bands - bands.mean(axis=1, keepdims=True)
        spread = np.maximum(shape.std(axis=1, keepdims=True), 1e-3)
        return np.concatenate([said, shape / spread], axis=1).astype(np.float32)


HEARING_INFO = replace(INFO, name="hearing", embedding_size=8)


def hearing_classifier(network=None):
    return Classifier(HEARING_INFO, network or HearingNetwork())


_COPIES = 100
"""Of each example, almost alike: models have thousands, and few count for less than one lesson."""


def write_hearing_examples(folder, *further):
    """Write what the hearing network was taught: low sounds as jazz, high ones as rock.

    Args:
        folder: of the model.
        further: for each genre behind these its tone's frequency.
    """
    embeddings, labels = _hearing_examples(further)
    generator = np.random.default_rng(4)
    embeddings = np.repeat(embeddings, _COPIES, axis=0)
    embeddings = embeddings + generator.normal(0, 0.02, embeddings.shape).astype(np.float32)
    index = np.arange(len(embeddings))
    examples = Examples(embeddings, np.repeat(labels, _COPIES), index, index)
    write_examples(examples, folder / EXAMPLES_FILE_NAME)


@cache
def _hearing_examples(further):
    network, features, labels = HearingNetwork(), [], []
    generator = np.random.default_rng(3)
    for index in range(40):
        is_low = index % 2 == 0
        hz = generator.uniform(60, 900) if is_low else generator.uniform(3000, 9000)
        sound = tone(hz) + noise(amplitude=generator.uniform(0.001, 0.05), seed=index)
        features.append(log_mel_spectrogram(sound, HEARING_INFO.features))
        labels.append(0 if is_low else 1)
    for label, hz in enumerate(further, start=2):
        sound = tone(hz) + noise(amplitude=0.003)
        features.append(log_mel_spectrogram(sound, HEARING_INFO.features))
        labels.append(label)
    return network.run(np.stack(features))[:, HEARING_INFO.n_probabilities :], np.array(labels)
