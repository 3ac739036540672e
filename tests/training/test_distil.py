from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.training.frontends.test_musicnn import tiny_musicnn
from tests.training.frontends.test_teachers import tiny_teachers
from tests.training.libraries import write_library
from tests.training.tiny_yamnet import tiny_yamnet
from training import distil
from training.data.dataset import DatasetError
from training.data.library import held_out_names, read_library
from training.distil import DistilOptions
from training.frontends import second_ear, yamnet
from training.frontends.ear import build_ear
from training.frontends.lessons import AS_IT_IS, Excerpts, Lessons, by_length, read_sounds
from training.frontends.teachers import TEACHER_WEIGHTS, Teachers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from training.frontends.lessons import Sound

OPTIONS = DistilOptions(epochs=1, epoch_windows=4, batch_size=2)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write_library(tmp_path / "world", seconds=4.5, genres=("low", "high"))


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretrained weights come from elsewhere; small random ones are quicker and need no network."""
    monkeypatch.setattr(yamnet, "load_yamnet", tiny_yamnet)
    monkeypatch.setattr(Teachers, "load", tiny_teachers)
    for place in (distil, second_ear):
        monkeypatch.setattr(place, "read_million_songs", tiny_musicnn)


@pytest.fixture
def run_step_by_step() -> Iterator[Callable[[], None]]:
    """From its call on TensorFlow compiles nothing, which takes longer than a few batches."""
    yield lambda: tf.config.run_functions_eagerly(True)
    tf.config.run_functions_eagerly(False)


@pytest.mark.timeout(600)
def test_the_ears_are_taught_and_go_on_where_they_were_stopped(
    library: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    run_step_by_step: Callable[[], None],
) -> None:
    run = tmp_path / "run"
    options = ["--library", str(library), "--teachers", str(tmp_path), "--batch-size", "2"]
    options += ["--epoch-windows", "4", "--hearings", "2"]
    run_step_by_step()
    distil.main([str(run), "--hold-out", "--epochs", "1", *options])
    output = capsys.readouterr().err
    assert "the teachers hear what judges, batch 2/2" in output
    assert "the teachers hear what teaches, batch 2/2" in output
    epochs: list[tuple[int, int, int]] = []

    def begun(excerpts: Excerpts, said: Any, **options: int) -> Lessons:
        if options:
            epochs.append((excerpts.n_batches, options["epoch_batches"], options["epoch"]))
        return Lessons(excerpts, said, **options)

    monkeypatch.setattr(distil, "Lessons", begun)
    with monkeypatch.context() as later:
        later.setattr(distil, "_begin", None)  # the pupil goes on as it was
        distil.main([str(run), "--hold-out", "--epochs", "3", *options])

    output = capsys.readouterr().err
    assert "epoch 3/3, loss" in output
    assert "epoch 1/3" not in output
    assert "what judges" not in output, "nobody is asked again"
    assert "the teachers hear what teaches, batch 4/4" in output
    assert epochs == [(4, 2, 1)], "three epochs take two epochs' excerpts, heard twice"
    with pytest.raises(SystemExit, match=r"of another run .*hold_out is True, not False"):
        distil.main([str(run), "--epochs", "2", *options])
    ear = keras.models.load_model(run / "ear.keras", compile=False)
    assert ear.output_shape == (None, 25, 384)
    was = tiny_musicnn()
    for now, before in zip(second_ear.read_second_ear(run).vertical, was.vertical, strict=True):
        alive = before.norm.is_alive
        np.testing.assert_array_equal(now.kernel[..., ~alive], before.kernel[..., ~alive])
        assert not np.array_equal(now.kernel[..., alive], before.kernel[..., alive])
    report = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert set(report["unexplained_by_teacher"]) == set(TEACHER_WEIGHTS)
    assert 0 < report["unexplained_share"]["val_loss"] < 100
    # Each answer is held against what teachers said of that very excerpt.
    parts = [report["unexplained_by_teacher"][name] * w for name, w in TEACHER_WEIGHTS.items()]
    mean = sum(parts) / sum(TEACHER_WEIGHTS.values())
    assert mean == pytest.approx(report["unexplained_share"]["val_loss"], rel=1e-2)
    assert len((run / "history.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert (run / "curves.png").exists()

    monkeypatch.setattr(distil, "build_ear", None)  # another run begins with this ear
    onward = tmp_path / "onward"
    distil.main([str(onward), "--begin-with", str(run), "--epochs", "1", *options])
    report = json.loads((onward / "run.json").read_text(encoding="utf-8"))
    assert report["options"]["begin_with"] == str(run)


def test_the_ears_that_are_written_lie_between_what_they_were_and_what_they_became(
    library: Path, tmp_path: Path, run_step_by_step: Callable[[], None]
) -> None:
    run_step_by_step()
    (tmp_path / "begun").mkdir()
    build_ear(tiny_yamnet()).save(tmp_path / "begun" / "ear.keras")
    begun = second_ear.taught_arrays(second_ear.build_second_pupil(tiny_musicnn(), 64000))
    np.savez(tmp_path / "begun" / "second_ear.npz", allow_pickle=False, **begun)
    kernels = [tiny_yamnet()[0].kernel]
    seconds = [tiny_musicnn().middle[0].kernel]
    for kept in (0.5, 0.0):
        options = replace(OPTIONS, kept=kept)
        run, begin_with = tmp_path / str(kept), tmp_path / "begun"
        distil.distil([library], tmp_path, run, options, hold_out=False, begin_with=begin_with)
        kernels.append(keras.models.load_model(run / "ear.keras", compile=False).get_weights()[0])
        seconds.append(second_ear.read_second_ear(run).middle[0].kernel)
    for was, between, became in (kernels, seconds):
        np.testing.assert_allclose(between, (was + became) / 2, atol=1e-6)
        assert np.abs(became - was).max() > 1e-5


class _MusicIsRead(Exception):
    """What comes after it takes long."""


def test_artists_that_judge_are_held_out(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = read_library(library)
    read: list[set[Path]] = []

    def noted(paths: list[Path]) -> list[Sound]:
        read.append(set(paths))
        return read_sounds(paths)

    def stop(_weights: Path) -> None:
        raise _MusicIsRead

    def read_by(folder: Path, run: str, *, hold_out: bool, **more: Any) -> list[set[Path]]:
        read.clear()
        options = {"begin_with": None, "hold_out": hold_out, **more}
        with pytest.raises(_MusicIsRead):
            distil.distil([folder], tmp_path, tmp_path / run, OPTIONS, **options)
        return read

    monkeypatch.setattr(distil, "read_sounds", noted)
    monkeypatch.setattr(Teachers, "load", stop)
    judging = {one.path for one in recordings if one.name in held_out_names(recordings)}
    everything = {one.path for one in recordings}
    assert 0 < len(judging) < len(everything)
    assert read_by(library, "some", hold_out=True) == [everything - judging, judging, set()]
    assert read_by(library, "all", hold_out=False) == [everything, judging, set()]

    # Dealt anew with further music, other artists would be held out than by those who judge.
    first = library.rename(tmp_path / "first")
    further = write_library(library, seconds=4.5, genres=("middle",))
    _, judges, free = read_by(first, "more", hold_out=True, unlabelled=[further])
    assert judges == {first / one.relative_to(library) for one in judging}
    assert free == {one.path for one in read_library(further)}


def test_what_teachers_said_of_other_music_or_in_another_order_is_not_taken_over(
    library: Path, tmp_path: Path
) -> None:
    other = write_library(tmp_path / "gtzan", seconds=4.5, genres=("middle",))
    run = tmp_path / "run"

    def begin(*libraries: Path) -> None:
        distil.distil(libraries, tmp_path, run, OPTIONS, hold_out=True, begin_with=None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distil, "_ears", None)
        with pytest.raises(TypeError):
            begin(library, other)
        (run / "said").mkdir()
        with pytest.raises(TypeError):
            begin(library, other)
        with pytest.raises(DatasetError, match="holds said of another run"):
            begin(other, library)
        (first,) = library.glob("audio/low.world0.wav")
        first.write_bytes((library / "audio" / "low.world1.wav").read_bytes())
        with pytest.raises(DatasetError, match="holds said of another run"):
            begin(library, other)


def test_a_library_that_is_none_ends_the_command_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="error: no music was found"):
        distil.main(
            [str(tmp_path / "run"), "--library", str(tmp_path), "--teachers", str(tmp_path)]
        )


def test_a_folder_without_an_ear_to_begin_with_ends_the_command_with_one_line(
    library: Path, tmp_path: Path
) -> None:
    options = ["--library", str(library), "--teachers", str(tmp_path), "--epoch-windows", "16"]
    with pytest.raises(SystemExit, match=r"error: .*has no ear\.keras; make it with"):
        distil.main(
            [str(tmp_path / "run"), "--begin-with", str(tmp_path), "--batch-size", "8", *options]
        )


def test_too_few_artists_are_one_clear_error(tmp_path: Path) -> None:
    library = write_library(tmp_path / "few", n_artists=2, seconds=1.0, genres=("low",))
    with pytest.raises(DatasetError, match="fill only 2 folds of 5"):
        distil.distil(
            [library], tmp_path, tmp_path / "run", OPTIONS, hold_out=True, begin_with=None
        )


def test_the_pupil_begins_by_saying_what_its_ears_hear_already(library: Path) -> None:
    sounds = read_sounds([one.path for one in read_library(library)])
    excerpts = Excerpts(sounds, by_length(sounds), AS_IT_IS, batch_size=16, n_batches=2, seed=1)
    sound = keras.Input((64000,))
    pitch = 10.0 * ops.mean(ops.abs(sound[:, 1:] - sound[:, :-1]), axis=1, keepdims=True)
    pupil = keras.Model(sound, layers.Dense(2, name="said")(pitch))
    heard = [excerpts.for_pupils(index, 0) for index in range(2)]
    said = np.concatenate(
        [np.array([[30.0, -10.0]]) * np.abs(np.diff(one)).mean(axis=1)[:, None] for one in heard]
    ) + np.array([0.0, 5.0])

    distil._begin(pupil, Lessons(excerpts, said.astype(np.float16)), 2)

    found = np.concatenate([np.asarray(pupil(one)) for one in heard])
    unexplained = np.square(found - said).mean(axis=0) / said.var(axis=0)
    assert unexplained.max() < 0.05


def test_a_third_of_what_is_heard_is_free_music() -> None:
    long, short, free = (np.full(n, 999, np.int16) for n in (3000, 1000, 500))
    heard = distil._excerpts([long, short], [free], OPTIONS, 1)
    np.testing.assert_allclose(heard.shares, [1 / 2, 1 / 6, 1 / 3])
    alone = distil._excerpts([long, short], [], OPTIONS, 1)
    np.testing.assert_allclose(alone.shares, [0.75, 0.25])


def test_a_run_folder_that_cannot_be_written_ends_the_command_with_one_line(
    library: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"error: .*Not a directory"):
        distil.main(
            [str(tmp_path / "file" / "run"), "--library", str(library), "--teachers", str(tmp_path)]
        )
