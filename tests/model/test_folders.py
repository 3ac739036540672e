import pytest

from rtgenre.model.folders import find_model_folder, new_model_folder, own_models, shipped_models
from rtgenre.model.info import ModelError


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
