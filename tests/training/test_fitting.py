import numpy as np

from training.fitting import Batches, Examples

N_WINDOWS, N_STEPS = 64, 24


def batches(splice_share):
    """Windows whose every feature is their own number, so that one sees where each step is from."""
    numbers = np.arange(N_WINDOWS, dtype=np.float16)
    features = np.tile(numbers[:, None, None], (1, N_STEPS, 3))
    genres = np.arange(N_WINDOWS) % 4
    genres[::8] = -1
    examples = Examples([features], (3,), genres, np.arange(N_WINDOWS), 4)
    return examples, Batches(
        examples, N_WINDOWS, clean_share=1.0, mixup_alpha=0.0, splice_share=splice_share, seed=1
    )


def test_spliced_windows_end_with_the_window_whose_genre_is_asked_for():
    examples, made = batches(splice_share=1.0)
    features, targets = made[0]
    ends = features[:, -1, 0].astype(int)
    np.testing.assert_array_equal(targets, examples.targets()[ends])
    n_new = (features[:, :, 0] == features[:, -1:, 0]).sum(axis=1)
    assert n_new.min() >= N_STEPS // 4
    assert (n_new < N_STEPS).sum() > N_WINDOWS / 2


def test_windows_stay_whole_where_none_is_to_be_spliced():
    _, made = batches(splice_share=0.0)
    features, _ = made[0]
    assert (features == features[:, :1]).all()
