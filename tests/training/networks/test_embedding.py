from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from rtgenre.learning.examples import read_examples
from training.data.library import Recording
from training.networks.embedding import fit_embedding, write_examples
from training.networks.fitting import Examples

N_STEPS, N_VALUES = 3, 6
GENRES = [0, 0, 1, -1]
RECORDINGS = [
    Recording(f"{i}", Path(f"{i}.wav"), str(genre), artist)
    for i, (genre, artist) in enumerate(zip(GENRES, ["a", "b", "b", "c"], strict=True))
]


def examples() -> Examples:
    """Ten windows of each recording, and five of no music far away from them."""
    rng = np.random.default_rng(1)
    spread = np.array([100.0, 10.0, 1.0, 1.0, 0.1, 0.1])
    steps = (rng.normal(size=(45, N_STEPS, N_VALUES)) * spread + 3.0).astype(np.float16)
    steps[40:] += 500
    return Examples(
        copies=[steps],
        genres=np.append(np.repeat(GENRES, 10), np.full(5, -1)),
        is_music=np.append(np.ones(40), np.zeros(5)).astype(np.float32),
        weights=np.ones(45, np.float32),
        recording_index=np.append(np.repeat(np.arange(4), 10), np.full(5, 4)),
        n_labels=2,
    )


def test_values_are_centred_on_music_and_alike_in_size_whatever_the_ear_s_units() -> None:
    material = examples()
    found = np.asarray(fit_embedding(material, size=4)(material.copies[0][:40].astype(np.float32)))
    assert found.shape == (40, 4)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose((found**2).mean(), 1.0, rtol=0.05)
    spreads = found.std(axis=0)
    assert (np.diff(spreads) <= 1e-3).all()
    np.testing.assert_allclose(np.corrcoef(found.T), np.eye(4), atol=0.02)


def test_what_an_ear_says_of_a_whole_window_counts_once_though_it_is_its_own_maximum() -> None:
    material = examples()
    steps = material.copies[0]
    steps[:, :, 0] = steps[:, :1, 0]
    model = fit_embedding(material, size=4)
    kernel, _ = model.get_layer("projection").get_weights()
    np.testing.assert_allclose(kernel[N_VALUES], 0.0, atol=1e-6)
    assert np.abs(kernel[0]).max() > 1e-4
    assert np.abs(kernel[N_VALUES + 1]).max() > 1e-4


def test_examples_hold_a_few_windows_of_every_recording_and_nothing_that_is_no_music(
    tmp_path: Path,
) -> None:
    material = examples()
    model = fit_embedding(material, size=4)
    write_examples(tmp_path / "examples.npz", model, material, RECORDINGS)
    with np.load(tmp_path / "examples.npz", allow_pickle=False) as kept:
        assert np.bincount(kept["recordings"]).tolist() == [4, 4, 4, 4]
        assert kept["labels"].tolist() == [0] * 8 + [1] * 4 + [255] * 4
        assert kept["groups"].tolist() == [0] * 4 + [1] * 8 + [2] * 4
        values = kept["embeddings"] * kept["scale"]
    expected = np.asarray(model(material.copies[0][:40].astype(np.float32)))
    distances = np.abs(values[:, None] - expected[None]).max(axis=2).min(axis=1)
    assert distances.max() < 0.03


def test_examples_hold_disturbed_windows_of_every_recording_too(tmp_path: Path) -> None:
    material = examples()
    copies = [material.copies[0]] * 2 + [material.copies[0] + np.float16(1.0)]
    write_examples(
        tmp_path / "examples.npz",
        fit_embedding(material, size=4),
        replace(material, copies=copies),
        RECORDINGS,
    )
    kept = read_examples(tmp_path / "examples.npz", n_labels=2, embedding_size=4)
    assert np.bincount(kept.recordings[~kept.as_it_is]).tolist() == [2, 2, 2, 2]
    assert np.bincount(kept.recordings[kept.as_it_is]).tolist() == [4, 4, 4, 4]
    means = [kept.embeddings[rows].mean() for rows in (kept.as_it_is, ~kept.as_it_is)]
    assert abs(means[0] - means[1]) > 0.1
