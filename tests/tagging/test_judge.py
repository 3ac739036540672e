import numpy as np
import pytest

from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError
from rtgenre.sources.decoder import DecodeError
from rtgenre.tagging.file_verdict import classify_file
from rtgenre.tagging.finding import stat_song
from rtgenre.tagging.judge import Judge, model_of
from rtgenre.tracking.smoothing import TrackerParams
from tests.signals import music, tone
from tests.tagging.songs import song

CLASSIFIER = Classifier.load(find_model_folder("cnn"))
MODEL = model_of(CLASSIFIER.info)


def judge(**fields):
    settings = {"channel": "mix", "hop_seconds": 2.0, "tracker_params": TrackerParams()}
    return Judge(
        **{"model_folder": "cnn", "model": MODEL, "sample_seconds": None, **settings, **fields}
    )


@pytest.fixture
def path(tmp_path):
    return song(tmp_path / "song.flac", np.tile(music(6), 2), title="T")


def test_a_row_says_what_classify_says(path):
    row = judge()(stat_song(str(path)))
    verdict = classify_file(
        path, CLASSIFIER, channel="mix", hop_seconds=2.0, tracker_params=TrackerParams()
    )
    assert (row.genre, row.probabilities) == (verdict.genre, verdict.probabilities)
    assert (row.model, row.model_checksum, row.title, row.fault) == (
        MODEL[0], f"{MODEL[1]}+2s", "T", None,
    )  # fmt: skip
    assert row.sections[0]["start_seconds"] == 0


def test_a_file_of_exactly_one_window_is_judged_though_its_rate_is_changed(tmp_path):
    path = song(tmp_path / "short.wav", tone(300, 4, 44100), 44100)
    verdict = classify_file(
        path, CLASSIFIER, channel="mix", hop_seconds=2.0, tracker_params=TrackerParams()
    )
    assert verdict.seconds == 4.0


def test_a_sampled_row_hears_less_and_has_no_sections(path):
    row = judge(sample_seconds=4.0)(stat_song(str(path)))
    assert row.genre is not None
    assert (row.sections, row.sample_seconds) == ((), 4.0)
    assert sum(row.probabilities.values()) == pytest.approx(1, abs=1e-3)


def test_a_fault_that_stays_names_the_model_and_one_that_may_pass_none(tmp_path):
    short = song(tmp_path / "short.wav", tone(300, 2))
    assert judge()(stat_song(str(short))).model == MODEL[0]
    found = stat_song(str(short))
    short.unlink()
    row = judge()(found)
    assert (row.fault, row.model, row.genre) == ("there is no such file", "", None)


def test_a_fault_of_several_lines_is_one_line_of_the_table(path, monkeypatch):
    def fail(path, *_, **__):
        raise DecodeError(path, "one\ntwo")

    monkeypatch.setattr("rtgenre.tagging.judge.classify_file", fail)
    assert judge()(stat_song(str(path))).fault == r"one\ntwo"


def test_another_model_of_the_same_name_is_refused(path):
    with pytest.raises(ModelError, match=r"on this worker; cnn 0 ffff is asked for"):
        judge(model=("cnn 0", "ffff"))(stat_song(str(path)))
