from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.info import ModelInfo
from tests.training.conftest import GENRE_HZ, make_track, tone, write_wav
from tests.training.libraries import right_classifier, write_library
from training import evaluate as evaluate_module
from training.data.dataset import FEATURES, DatasetError, FloatArray, Track, save_tracks
from training.evaluate import Material, evaluate, load_split, main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("librosa")

LABELS = tuple(GENRE_HZ)


class Ear:
    """A network that finds a tone by where the energy is: right by construction, but for hiss."""

    def run(self, features: FloatArray) -> FloatArray:
        loudest_band = (10.0 ** (features / 10.0)).sum(axis=1).argmax(axis=1)
        heard = np.digitize(loudest_band, [12, 45])  # low, middle, high
        genres = np.eye(3, dtype=np.float32)[np.array([1, 2, 0])[heard]]
        is_flat = features.std(axis=(1, 2)) < 1.0
        return np.column_stack([genres, 1.0 - is_flat]).astype(np.float32)


def ear() -> Classifier:
    info = ModelInfo("ear", "1", LABELS, FEATURES, has_music_output=True)
    return Classifier(info, Ear())


def test_a_model_that_is_right_scores_one_everywhere(dataset: Path) -> None:
    figures = evaluate(ear(), Material((dataset,), "valid"), None)

    assert figures["window_accuracy"] == figures["track_accuracy"] == 1.0
    assert figures["window_accuracy_95"] == [1.0, 1.0]
    assert figures["ece"] == pytest.approx(0.0, abs=1e-3)
    assert (figures["n_tracks"], figures["n_windows"]) == (6, 18)
    assert figures["per_genre"]["low"]["f1"] == 1.0
    assert figures["per_genre"]["low"]["n_windows"] == 6
    assert figures["music_rejected_share"] == 0.0


def test_mistakes_are_counted_where_they_are(dataset: Path) -> None:
    wrong = make_track("low", 0)
    tracks = [Track("high.00009", "high", None, wrong.columns), make_track("low", 1)]
    save_tracks(dataset, "mixed", tracks)

    figures = evaluate(ear(), Material((dataset,), "mixed"), None)

    assert figures["window_accuracy"] == figures["track_accuracy"] == 0.5
    assert figures["per_genre"]["high"]["recall"] == 0.0
    assert figures["per_genre"]["low"]["precision"] == 0.5
    assert figures["confusion"][LABELS.index("high")][LABELS.index("low")] == 3


def test_a_folder_of_music_scores_as_its_spectrograms_do(music: Path) -> None:
    (music / "low" / "broken.wav").write_bytes(b"nonsense")

    figures = evaluate(ear(), Material((music,), "all"), None)

    assert (figures["n_tracks"], figures["window_accuracy"]) == (9, 1.0)


def test_a_clip_shorter_than_a_window_counts_as_one_window(tmp_path: Path) -> None:
    write_wav(tmp_path / "low" / "low.00000.wav", tone(200.0, 2.5))

    figures = evaluate(ear(), Material((tmp_path,), "all"), None)

    assert (figures["n_tracks"], figures["n_windows"]) == (1, 1)
    assert figures["window_accuracy"] == 1.0


def test_a_folder_of_music_is_split_by_the_partition_in_it(music: Path) -> None:
    (music / "partition.csv").write_text(
        "track,split\nlow.00000,test\nhigh.00001,test\nhigh.00002,train\n", encoding="utf-8"
    )

    names = [track.name for track in load_split(music, "test")]

    assert names == ["high.00001", "low.00000"]


def test_a_split_that_no_music_belongs_to_is_an_error_that_says_what_to_do(music: Path) -> None:
    with pytest.raises(DatasetError, match=r"none of 9 files .* use --split all"):
        load_split(music, "test")


def test_noise_taken_for_music_is_counted_by_kind(dataset: Path) -> None:
    flat = np.full((100, FEATURES.n_mels), 200, dtype=np.uint8)
    tone_like = make_track("low", 0).columns
    save_tracks(
        dataset,
        "negatives_valid",
        [
            Track("noise.00000", "noise", None, flat),
            Track("speech.00000", "speech", None, tone_like[:100]),
        ],
    )

    figures = evaluate(ear(), Material((dataset,), "valid", negatives=dataset), None)

    assert figures["negatives"]["by_kind"] == {"noise": 0.0, "speech": 1.0}
    assert figures["negatives"]["shown_share"] == 0.5


def test_what_a_condition_costs_is_measured_on_recordings(music: Path) -> None:
    # A phone does not pass the low tone, so that what is left of it is noise of the middle.
    figures = evaluate(ear(), Material((music,), "all", conditions=True), None)["conditions"]

    assert figures["n_windows"] == 27
    assert figures["points_lost"]["clean"] == 0.0
    assert figures["points_lost"]["gain_minus_30db"] == pytest.approx(0.0, abs=5.0)
    assert set(figures["accuracy"]) >= {"clean", "pink_noise_10db", "phone_band", "mp3_64kbps"}


def test_pictures_are_drawn_where_asked_for(dataset: Path, tmp_path: Path) -> None:
    evaluate(ear(), Material((dataset,), "valid"), tmp_path / "plots")

    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / "plots" / name).read_bytes().startswith(b"\x89PNG")


def test_json_stands_alone_on_standard_output(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_module, "load_classifier", lambda _name: ear())

    main(["--data", str(dataset), "--split", "valid", "--json"])

    figures = json.loads(capsys.readouterr().out)
    needed = {"window_accuracy", "track_accuracy", "ece", "n_windows", "n_tracks", "per_genre"}
    assert needed <= set(figures)
    assert figures["live"]["minutes"] > 0


def test_the_summary_names_the_main_figures(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_module, "load_classifier", lambda _name: ear())

    main(["--data", str(dataset)])

    output = capsys.readouterr().out
    assert "windows  100.0% of 18 right" in output
    assert "wrong switches a minute" in output


def test_a_missing_model_ends_the_command_with_one_line(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="error: no model"):
        main(["--data", str(dataset), "--model", str(tmp_path / "nowhere")])


def test_a_missing_split_ends_the_command_with_one_line(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_module, "load_classifier", lambda _name: ear())

    with pytest.raises(SystemExit, match=r"error: .* no mel_test\.npz; splits found: valid"):
        main(["--data", str(dataset), "--split", "test"])


def test_genres_that_the_model_has_not_are_named_and_alone_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = write_library(tmp_path / "world", n_artists=1, seconds=5.0, genres=("low", "polka"))
    figures = evaluate(right_classifier(), Material((library,), "all"), None)
    assert figures["collections"]["world"]["n_recordings"] == 1
    assert "left out, as right has no such genre: 1 of polka" in capsys.readouterr().err

    polka = write_library(tmp_path / "polka", n_artists=2, seconds=5.0, genres=("polka",))
    expected = r"right knows none of the genres \(2 of polka\); it knows high, low, middle"
    with pytest.raises(DatasetError, match=expected):
        evaluate(right_classifier(), Material((polka,), "all"), None)


def test_negatives_that_hold_nothing_to_judge_are_an_error(tmp_path: Path) -> None:
    library = write_library(tmp_path / "world", n_artists=1, seconds=5.0)
    material = Material((library,), "all", negatives=library)
    with pytest.raises(DatasetError, match="world holds nothing of the split 'valid'"):
        evaluate(right_classifier(), material, None)


def test_a_second_dataset_is_refused_rather_than_passed_over(dataset: Path) -> None:
    with pytest.raises(DatasetError, match="ear is judged on one dataset, not on 2"):
        evaluate(ear(), Material((dataset, dataset), "valid"), None)
