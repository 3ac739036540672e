from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.training.conftest import tone, write_wav
from tests.training.libraries import right_classifier, write_library, write_negatives
from training import evaluate, tune
from training.data.dataset import DatasetError
from training.data.library import OTHER, read_library
from training.evaluate import Material, recordings_of
from training.release.runs import names_fingerprint
from training.scoring import listening

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("librosa")

N_ARTISTS = 5


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return write_library(tmp_path / "world", n_artists=N_ARTISTS, seconds=13.0)


@pytest.fixture(autouse=True)
def right_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evaluate, tune):
        monkeypatch.setattr(module, "load_classifier", lambda _name: right_classifier())


def test_a_model_that_is_right_scores_one_on_recordings(world: Path, tmp_path: Path) -> None:
    negatives = write_negatives(tmp_path / "negatives")
    material = Material((world,), "all", negatives=negatives)

    figures = evaluate.evaluate(right_classifier(), material, tmp_path / "plots")

    of_world = figures["collections"]["world"]
    assert (of_world["n_recordings"], of_world["accuracy"]) == (3 * N_ARTISTS, 1.0)
    assert of_world["n_windows"] == 15 * 5
    assert of_world["other_music"]["taken_for_unfamiliar"] == 1.0
    live = figures["live"]["world"]
    assert live["n_recordings"] == 15
    assert live["settled_right_share"] > 0.6
    assert live["wrong_switches_per_minute"] == 0.0
    assert figures["negatives"] == {"n_windows": 3, "shown_share": 0.0, "by_kind": {"noise": 0.0}}
    plot = (tmp_path / "plots" / "confusion-world.png").read_bytes()
    assert plot.startswith(b"\x89PNG")


def test_short_or_unlabelled_recordings_are_judged_but_not_played_live(tmp_path: Path) -> None:
    short = write_library(tmp_path / "short", n_artists=2, seconds=2.0)
    other = write_library(tmp_path / "none", n_artists=2, seconds=13.0, genres=(OTHER,))
    (short / "audio" / "low.short0.wav").write_bytes(b"nonsense")

    figures = evaluate.evaluate(right_classifier(), Material((short, other), "all"), None)

    assert figures["live"] == {"short": {}, "none": {}}
    assert figures["collections"]["short"]["n_recordings"] == 5
    assert figures["collections"]["none"]["other_music"]["n_recordings"] == 2
    assert "short: recordings right" in evaluate.summary(figures)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg, which makes the MP3")
def test_what_a_condition_costs_is_measured_on_recordings(world: Path, tmp_path: Path) -> None:
    chosen = [one for one in read_library(world) if one.name.endswith(("world0", "world1"))]
    talk = write_library(tmp_path / "talk", n_artists=1, genres=("low",))
    figures = listening.judge_conditions(right_classifier(), chosen, read_library(talk))
    assert figures["n_windows"] == 6 * 5
    assert figures["accuracy"]["clean"] == 1.0
    assert figures["points_lost"]["gain_minus_30db"] == 0.0
    assert set(figures["accuracy"]) >= {"pink_noise_10db", "phone_band", "mp3_64kbps"}
    assert set(figures["accuracy"]) >= {"talk_10db", "talk_5db", "talk_0db"}


def test_all_recordings_or_those_held_out_can_be_asked_for(world: Path, tmp_path: Path) -> None:
    second = write_library(tmp_path / "second", seconds=1.0)
    everything = recordings_of(Material((world, second), "all"), {})
    held_out = recordings_of(Material((world, second), "held-out"), {})
    assert len(everything) == 40
    rest = [one for one in everything if one not in held_out]
    assert not {one.artist for one in held_out} & {one.artist for one in rest}
    assert {one.collection for one in held_out} == {"world", "second"}


def test_artists_of_fewer_libraries_than_a_model_was_made_of_are_not_taken_for_held_out_ones(
    world: Path, tmp_path: Path
) -> None:
    both = (world, write_library(tmp_path / "second", seconds=1.0))
    everything = recordings_of(Material(both, "all"), {})
    fingerprint = names_fingerprint(one.name for one in everything)
    made_of = {"music": "20 of world, 20 of second", "fingerprint": fingerprint}
    assert recordings_of(Material(both, "held-out"), made_of)
    assert recordings_of(Material((world,), "all"), made_of)
    with pytest.raises(DatasetError, match=r"20 of world, 20 of second\); name the folders"):
        recordings_of(Material((world,), "held-out"), made_of)


def test_a_split_that_no_recording_is_of_is_an_error_that_says_what_to_do(world: Path) -> None:
    with pytest.raises(DatasetError, match="no splits; 'all' and 'held-out' are always possible"):
        recordings_of(Material((world,), "test"), {})


def test_the_command_judges_several_libraries_at_once(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "gtzan" / "low" / "low.00000.wav", tone(200.0, 5.0))
    data = ["--data", str(world), str(tmp_path / "gtzan"), "--split", "all"]

    evaluate.main([*data, "--json"])
    figures = json.loads(capsys.readouterr().out)
    evaluate.main(data)

    assert list(figures["collections"]) == ["world", "gtzan"]
    assert figures["split"] == "all"
    output = capsys.readouterr().out
    assert "world: recordings right" in output
    assert "gtzan: recordings right" in output


def test_the_tracker_is_tuned_on_recordings_too(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "GRID", {"time_constant_seconds": (4.0,)})

    tune.main(["--data", str(world), "--split", "all", "--switches", "100", "--seconds", "inf"])

    assert "1 of 1 settings are calm and quick enough" in capsys.readouterr().out


def test_tuning_on_clips_that_are_too_short_ends_with_one_line(tmp_path: Path) -> None:
    short = write_library(tmp_path / "short", n_artists=2, seconds=2.0)
    with pytest.raises(SystemExit, match="error: none of the recordings plays 12 s of a genre"):
        tune.main(["--data", str(short), "--split", "all"])
