import numpy as np

from training.fitting import NO_GENRE, Examples
from training.yardstick import fit_linear_head

N_LABELS = 3


def test_what_differs_in_mean_or_maximum_is_told_apart():
    rng = np.random.default_rng(1)
    kinds = np.tile(np.arange(N_LABELS + 2), 40)  # the genres, other music, no music
    steps = rng.normal(scale=0.3, size=(len(kinds), 6, 8))
    steps[:, :, :5] += 4.0 * np.eye(5)[kinds][:, None]
    genres = np.where(kinds < N_LABELS, kinds, NO_GENRE)
    examples = Examples(
        copies=[steps.astype(np.float16)],
        genres=genres,
        is_music=(kinds < N_LABELS + 1).astype(np.float32),
        weights=np.ones(len(kinds), np.float32),
        recording_index=np.arange(len(kinds)),
        n_labels=N_LABELS,
    )

    logits = np.asarray(fit_linear_head(examples)(steps.astype(np.float32)))

    assert logits.shape == (len(kinds), N_LABELS + 2)
    known, music = genres != NO_GENRE, kinds < N_LABELS + 1
    np.testing.assert_array_equal(logits[known, :N_LABELS].argmax(axis=1), genres[known])
    assert logits[music, -2].min() > logits[~music, -2].max()
    assert logits[known, -1].min() > logits[music & ~known, -1].max()


def test_it_learns_from_windows_as_they_are_alone():
    rng = np.random.default_rng(1)
    genres = np.tile([0, 1, 2, NO_GENRE], 10)
    steps = rng.normal(size=(40, 6, 4)).astype(np.float16)
    examples = Examples(
        copies=[steps, 50 * steps],
        genres=genres,
        is_music=np.tile([1, 1, 1, 0], 10).astype(np.float32),
        weights=np.ones(40, np.float32),
        recording_index=np.arange(40),
        n_labels=3,
    )
    is_other = examples.is_music.copy()
    is_other[3] = 1.0  # some other music, so that there is something to tell apart
    examples.is_music[:] = is_other
    alone = Examples(
        [steps], genres, is_other, examples.weights, examples.recording_index, n_labels=3
    )
    one, other = fit_linear_head(examples), fit_linear_head(alone)
    for found, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
