"""Networks that are quick and predictable, for the tests of what is around them."""

import threading

import numpy as np

from rtgenre.model.classifier import Classifier
from rtgenre.model.features import FeatureParams
from rtgenre.model.info import ModelInfo

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
