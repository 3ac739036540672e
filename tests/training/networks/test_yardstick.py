import numpy as np
import pytest

from training.networks.fitting import NO_GENRE, Examples
from training.networks.yardstick import _evening, fit_linear_head


@pytest.mark.parametrize("n_labels", [2, 3])
def test_what_differs_in_mean_or_maximum_is_told_apart(n_labels):
    rng = np.random.default_rng(1)
    kinds = np.tile(np.arange(n_labels + 2), 40)  # the genres, other music, no music
    steps = rng.normal(scale=0.3, size=(len(kinds), 6, 8))
    steps[:, :, :5] += 4.0 * np.eye(5)[kinds][:, None]
    genres = np.where(kinds < n_labels, kinds, NO_GENRE)
    examples = Examples(
        copies=[steps.astype(np.float16)],
        genres=genres,
        is_music=(kinds < n_labels + 1).astype(np.float32),
        weights=np.ones(len(kinds), np.float32),
        recording_index=np.arange(len(kinds)),
        n_labels=n_labels,
    )

    logits = np.asarray(fit_linear_head(examples)(steps.astype(np.float32)))

    assert logits.shape == (len(kinds), n_labels + 2)
    known, music = genres != NO_GENRE, kinds < n_labels + 1
    np.testing.assert_array_equal(logits[known, :n_labels].argmax(axis=1), genres[known])
    assert logits[music, -2].min() > logits[~music, -2].max()
    assert logits[known, -1].min() > logits[music & ~known, -1].max()


def test_it_learns_from_what_is_heard_through_rooms_too():
    rng = np.random.default_rng(1)
    genres = np.tile([0, 1, 2, NO_GENRE], 10)
    steps = rng.normal(size=(40, 6, 4)).astype(np.float16)
    is_music = np.tile([1, 1, 1, 0], 10).astype(np.float32)
    is_music[3] = 1.0  # some other music, so that there is something to tell apart
    weights = np.ones(40, np.float32)

    def head_of(*copies):
        return fit_linear_head(
            Examples(list(copies), genres, is_music, weights, np.arange(40), n_labels=3)
        )

    alone, both = head_of(steps), head_of(steps, 50 * steps)
    kernels = [one.get_layer("alone").get_weights()[0] for one in (alone, both)]
    assert not np.allclose(*kernels, rtol=0.01)


def test_directions_in_which_windows_of_one_genre_differ_count_for_less():
    rng = np.random.default_rng(1)
    genres = np.repeat([0, 1], 500)
    common = rng.normal(size=1000)
    noise = rng.normal(scale=0.1, size=(1000, 3))
    # The genres lie apart in the first value; the others vary together, whatever the genre.
    values = np.stack([0.5 * genres, common, common], axis=1) + noise
    even = values.astype(np.float32) @ _evening(values.astype(np.float32), genres)

    def apart(some):
        """Distance of the genres' means, in standard deviations of the widest direction."""
        means = [some[genres == genre].mean(axis=0) for genre in (0, 1)]
        centred = np.concatenate([some[genres == genre] - means[genre] for genre in (0, 1)])
        widest = np.linalg.eigvalsh(np.cov(centred.T)).max()
        return np.linalg.norm(means[1] - means[0]) / np.sqrt(widest)

    assert apart(even) > 1.3 * apart(values)


def test_where_no_other_music_is_known_all_music_is_of_the_genres():
    genres = np.tile([0, 1, NO_GENRE], 20)
    steps = np.random.default_rng(1).normal(size=(60, 6, 4)).astype(np.float16)
    is_music = (genres != NO_GENRE).astype(np.float32)
    weights = np.ones(60, np.float32)
    head = fit_linear_head(Examples([steps], genres, is_music, weights, np.arange(60), n_labels=2))
    familiar = np.asarray(head(steps.astype(np.float32)))[:, -1]
    np.testing.assert_allclose(familiar, np.log(41), rtol=1e-5)


def test_music_that_people_talk_over_is_judged_by_weights_of_its_own():
    rng = np.random.default_rng(1)
    kinds = np.tile(np.arange(3), 2000)  # two genres, no music
    quiet = rng.normal(scale=0.3, size=(6000, 2, 4)).astype(np.float32)
    quiet[:, :, 0] += (np.array([-1, 1, 0])[kinds])[:, None]
    quiet[kinds == 2, :, 1] += 3.0
    # Talk is heard in the last value, and drowns what tells the genres apart where nobody talks.
    talked = quiet.copy()
    talked[kinds < 2, :, 2] = quiet[kinds < 2, :, 0]
    talked[kinds < 2, :, 0] = quiet[kinds < 2, :, 2]
    talked[kinds < 2, :, 3] += 3.0
    music = kinds < 2

    def head_of(*copies):
        examples = Examples(
            copies=[one.astype(np.float16) for one in copies],
            genres=np.where(music, kinds, NO_GENRE),
            is_music=music.astype(np.float32),
            weights=np.ones(6000, np.float32),
            recording_index=np.arange(6000),
            n_labels=2,
        )
        return fit_linear_head(examples)

    def right(head, heard):
        logits = np.asarray(head(heard))
        return (logits[music, :2].argmax(axis=1) == kinds[music]).mean()

    before, head = head_of(quiet, quiet, quiet), head_of(quiet, quiet, quiet, talked)
    assert right(before, talked) < 0.6
    assert right(head, talked) > 0.95
    off = np.abs(np.asarray(head(quiet)) - np.asarray(before(quiet)))[music]
    assert off.max() < 0.1 * np.abs(np.asarray(before(quiet)))[music].max()


def test_without_copies_with_talk_all_is_judged_alike():
    rng = np.random.default_rng(1)
    steps = rng.normal(size=(60, 6, 4)).astype(np.float16)
    genres = np.tile([0, 1, NO_GENRE], 20)
    is_music = (genres != NO_GENRE).astype(np.float32)
    head = fit_linear_head(
        Examples([steps] * 3, genres, is_music, np.ones(60, np.float32), np.arange(60), n_labels=2)
    )
    alone, talked_over = (head.get_layer(name).get_weights() for name in ("alone", "talked_over"))
    for mine, theirs in zip(alone, talked_over, strict=True):
        np.testing.assert_array_equal(mine, theirs)
