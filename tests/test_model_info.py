import json

import pytest

from rtgenre.features import FeatureParams
from rtgenre.model_info import ModelError, ModelInfo, read_model_info, write_model_info

INFO = ModelInfo(
    name="crnn",
    version="1.2",
    labels=("jazz", "rock"),
    features=FeatureParams(),
    has_music_output=True,
    data={"name": "synthetic"},
    scores={"valid": {"track_accuracy": 0.5}},
)


def test_what_is_written_is_read_back_unchanged(tmp_path):
    write_model_info(INFO, tmp_path)
    assert read_model_info(tmp_path) == INFO
    assert INFO.n_outputs == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format is 99; this version reads 1"),
        ({"labels": ["jazz"]}, "at least two different"),
        ({"labels": ["jazz", "jazz"]}, "at least two different"),
        ({"labels": None}, "does not describe a model"),
        ({"features": {"sample_rate_hz": 22050, "colour": 3}}, "colour"),
        ({"features": {"fmax_hz": 90000}}, "half the sample rate"),
        ({"features": 3}, "does not describe a model"),
        ({"name": ...}, "'name' is missing"),
    ],
)
def test_a_wrong_field_is_one_clear_error(tmp_path, change, message):
    write_model_info(INFO, tmp_path)
    path = tmp_path / "model.json"
    document = json.loads(path.read_text()) | change
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not ...}))
    with pytest.raises(ModelError, match=message):
        read_model_info(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"format": 1}', "\x00"])
def test_anything_else_is_one_clear_error(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.json"):
        read_model_info(tmp_path)


def test_a_folder_without_it_is_one_clear_error(tmp_path):
    with pytest.raises(ModelError, match=r"it has no model\.json"):
        read_model_info(tmp_path)
