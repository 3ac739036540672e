import json
from dataclasses import replace

import pytest

from rtgenre.model.feature_params import YAMNET_FEATURES, FeatureParams
from rtgenre.model.info import ModelError, ModelInfo, read_model_info, write_model_info

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


def test_a_model_that_knows_unfamiliar_music_is_read_back_with_its_features(tmp_path):
    info = replace(INFO, features=YAMNET_FEATURES, has_familiar_output=True)
    write_model_info(info, tmp_path)
    assert read_model_info(tmp_path) == info
    assert info.n_outputs == 4


def test_a_model_from_before_recipes_and_familiar_outputs_still_reads(tmp_path):
    write_model_info(INFO, tmp_path)
    path = tmp_path / "model.json"
    document = json.loads(path.read_text())
    del document["has_familiar_output"], document["features"]["recipe"]
    path.write_text(json.dumps(document))
    assert read_model_info(tmp_path).features == FeatureParams()
    assert not read_model_info(tmp_path).has_familiar_output


def test_version_and_short_checksum_tell_two_models_apart(tmp_path):
    identities = []
    for weights in (b"one", b"other"):
        (tmp_path / "model.tflite").write_bytes(weights)
        write_model_info(INFO, tmp_path)
        info = read_model_info(tmp_path)
        assert info.checksums["model.tflite"].startswith(info.short_checksum)
        identities.append(info.identity)
    assert identities == ["crnn 1.2 7692c3ad", "crnn 1.2 d9298a10"]
    assert INFO.identity == "crnn 1.2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format is 99; this version reads 1"),
        ({"labels": ["jazz"]}, "at least two different"),
        ({"labels": ["jazz", "jazz"]}, "at least two different"),
        ({"labels": None}, "does not describe a model"),
        ({"features": {"sample_rate_hz": 22050, "colour": 3}}, "colour"),
        ({"features": {"fmax_hz": 90000}}, "half the sample rate"),
        ({"features": {"recipe": "mfcc"}}, "recipe is 'mfcc'; it must be one of librosa, yamnet"),
        ({"features": 3}, "does not describe a model"),
        ({"has_familiar_output": "no"}, "has_familiar_output"),
        ({"embedding_size": 257}, "embedding_size is 257"),
        ({"embedding_size": True}, "embedding_size is True"),
        ({"name": ...}, "'name' is missing"),
        ({"checksums": {"model.tflite": 3}}, "a SHA-256 for each file name is needed"),
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
