import numpy as np

from rtgenre.learning.distances import WEIGHT, fit_distance
from rtgenre.learning.examples import OTHER, Examples


def learnt(noise=1.0):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, OTHER], 200)
    embeddings = rng.normal(0, noise, (600, 6)).astype(np.float32)
    embeddings[:200, 0] += 5.0
    embeddings[200:400, 1] += 5.0
    embeddings[400:, 2] += 9.0
    return Examples(embeddings, labels, np.arange(600), np.arange(600))


def test_other_music_is_further_than_music_of_the_genres():
    examples = learnt()
    far = fit_distance(examples, 2).of(examples.embeddings)
    assert abs(far[:400].mean()) < 1e-3
    assert abs(far[:400].std() - WEIGHT) < 1e-2
    assert far[400:].min() > far[:400].mean() + WEIGHT


def test_what_varies_much_within_genres_counts_less_not_what_tells_them_apart():
    examples = learnt()
    examples.embeddings[:, 3] *= 5.0
    distance = fit_distance(examples, 2)
    within = [
        (examples.embeddings[examples.labels == label] @ distance.whitening) - centre
        for label, centre in enumerate(distance.centres)
    ]
    # 1 but for EVENNESS, which holds small directions back.
    assert 0.5 < np.concatenate(within).std(axis=0).min() < 1.1
    assert np.concatenate(within).std(axis=0).max() < 1.1


def test_a_genre_whose_windows_are_all_alike_has_a_distance_too():
    far = fit_distance(learnt(noise=0.0), 2).of(learnt().embeddings)
    assert np.isfinite(far).all()
