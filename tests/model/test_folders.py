import os

import pytest

from rtgenre.model.folders import find_model_folder, new_model_folder, own_models, shipped_models
from rtgenre.model.info import ModelError
from tests.rights import not_root


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "rtgenre" / "models"


def test_own_models_are_found_by_name_beside_the_shipped_ones(data_folder):
    (data_folder / "mine").mkdir(parents=True)
    (data_folder / "mine" / "model.json").write_text("{}")
    assert find_model_folder("mine") == data_folder / "mine"
    assert list(own_models()) == ["mine"]
    assert find_model_folder("crnn") == shipped_models()["crnn"]
    with pytest.raises(ModelError, match="models: cnn, crnn, mine, or give the path"):
        find_model_folder("nosuch")


@pytest.mark.parametrize("name", ["crnn", "", "..", "a/b", "-x", "a b", "x" * 65])
def test_names_that_are_taken_or_no_folder_s_are_refused(data_folder, name):
    with pytest.raises(ModelError, match=r"cannot be called|is that of a shipped model"):
        new_model_folder(name)


def test_a_new_model_belongs_into_the_user_s_data_folder(data_folder):
    assert new_model_folder("party") == data_folder / "party"


def test_a_model_that_is_half_written_is_none(data_folder):
    for name in (".mine.4711.part", "mine"):
        (data_folder / name).mkdir(parents=True)
        (data_folder / name / "model.json").write_text("{}")
    assert list(own_models()) == ["mine"]


@pytest.mark.parametrize("name", ["~nobody-of-that-name/model", "a" * 300, "a\0b"])
def test_a_name_that_no_folder_can_have_is_no_model(data_folder, name):
    with pytest.raises(ModelError):
        find_model_folder(name)


@pytest.mark.skipif(os.name == "nt", reason="has no such rights")
def test_a_closed_home_hides_no_shipped_model_and_is_told_for_others(data_folder, tmp_path):
    tmp_path.chmod(0)
    try:
        with not_root():
            assert find_model_folder("crnn") == shipped_models()["crnn"]
            with pytest.raises(ModelError, match=r"'mine' cannot be looked for: .*: Permission"):
                find_model_folder("mine")
    finally:
        tmp_path.chmod(0o700)
