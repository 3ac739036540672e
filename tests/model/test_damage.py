"""Model files are only data: whatever is wrong with them is one clear error."""

import contextlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError, ModelInfo, read_model_info, write_model_info

# Each example writes the same files again.
several_times = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def folder(tmp_path):
    """Copy the shipped model and write its checksum."""
    shipped = find_model_folder("crnn")
    shutil.copy(shipped / "model.tflite", tmp_path)
    write_model_info(read_model_info(shipped), tmp_path)
    return tmp_path


@pytest.fixture
def healthy_bytes(folder):
    return (folder / "model.tflite").read_bytes()


def change_document(folder, **changes):
    path = folder / "model.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(document))


def error_of(folder):
    with pytest.raises(ModelError) as caught:
        Classifier.load(folder)
    return str(caught.value)


def test_a_folder_that_holds_only_what_training_saves_says_how_to_convert_it(folder):
    (folder / "model.tflite").rename(folder / "model.keras")
    assert "no model.tflite in" in error_of(folder)
    assert "training.export" in error_of(folder)


def test_an_unchanged_model_loads(folder):
    assert Classifier.load(folder).info.labels


@several_times
@given(data=st.data())
def test_any_damage_to_the_network_is_found_before_it_is_run(folder, healthy_bytes, data):
    damaged = bytearray(healthy_bytes)
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    kind = data.draw(st.sampled_from(["flip", "truncate", "insert", "zero"]))
    place = data.draw(st.integers(0, len(damaged) - 1))
    if kind == "flip":
        damaged[place] ^= 1 << rng.randrange(8)
    elif kind == "truncate":
        del damaged[place:]
    elif kind == "insert":
        damaged[place:place] = rng.randbytes(8)
    else:
        damaged[place : place + 64] = bytes(64)
    if bytes(damaged) == healthy_bytes:
        return
    (folder / "model.tflite").write_bytes(damaged)
    message = error_of(folder)
    assert "model.tflite" in message
    assert "damaged" in message


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 64, b"not a model at all", b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200]
)
def test_a_file_without_checksum_that_is_no_network_is_one_clear_error(folder, content):
    change_document(folder, checksums={})
    (folder / "model.tflite").write_bytes(content)
    assert "model.tflite" in error_of(folder)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_without_checksum_is_one_clear_error(folder, healthy_bytes, share):
    change_document(folder, checksums={})
    (folder / "model.tflite").write_bytes(healthy_bytes[: int(share * len(healthy_bytes))])
    assert "model.tflite" in error_of(folder)


def test_a_network_for_other_features_says_that_it_does_not_fit(folder):
    features = json.loads((folder / "model.json").read_text())["features"]
    change_document(folder, features=features | {"n_mels": features["n_mels"] // 2})
    assert "does not fit model.json" in error_of(folder)


def test_a_network_for_other_labels_says_how_many_it_gives(folder):
    change_document(folder, labels=["jazz", "rock"])
    message = error_of(folder)
    assert "does not fit model.json" in message
    assert "2 labels" in message


def test_a_network_that_is_a_folder_is_one_clear_error(folder):
    (folder / "model.tflite").unlink()
    (folder / "model.tflite").mkdir()
    assert "model.tflite" in error_of(folder)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([0, -1, 1e308, 10**30, "22050"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FEATURES = [
    "sample_rate_hz", "frame_length", "hop_length", "n_mels", "fmin_hz", "fmax_hz", "top_db",
    "window_seconds",
]  # fmt: skip


@several_times
@given(
    changes=st.dictionaries(
        st.sampled_from(["format", "name", "version", "labels", "features", "has_music_output",
                         "data", "scores", "checksums"]),
        json_values, max_size=3,
    ),
    features=st.dictionaries(st.sampled_from(FEATURES), json_values, max_size=3),
)  # fmt: skip
def test_any_json_in_any_field_is_a_description_or_one_clear_error(folder, changes, features):
    document = json.loads((find_model_folder("crnn") / "model.json").read_text())
    document["features"] |= features
    (folder / "model.json").write_text(json.dumps(document | changes))
    with contextlib.suppress(ModelError):
        info = read_model_info(folder)
        assert isinstance(info, ModelInfo)
        assert info.features.window_samples < 2e7
        assert info.features.n_frames > 0


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, " " * 2_000_000])
def test_absurd_json_is_one_clear_error(folder, text):
    (folder / "model.json").write_text(text)
    assert "model.json" in error_of(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_as_description_does_not_hang(folder):
    (folder / "model.json").unlink()
    os.mkfifo(folder / "model.json")
    assert "it is not a file" in error_of(folder)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
def test_a_link_to_a_device_without_end_eats_no_memory(folder):
    (folder / "model.json").unlink()
    (folder / "model.json").symlink_to("/dev/zero")
    assert "it is not a file" in error_of(folder)


@pytest.mark.parametrize(
    "features",
    [
        {
            "sample_rate_hz": 192_000,
            "window_seconds": 60.0,
            "frame_length": 65_536,
            "hop_length": 1,
        },
        {"sample_rate_hz": 192_000, "window_seconds": 60.0, "hop_length": 1, "n_mels": 1024},
        {"frame_length": 65_536, "n_mels": 1024, "window_seconds": 5.0},
    ],
    ids=["spectra", "mel bands", "filters"],
)
def test_features_that_together_ask_for_gigabytes_are_refused(folder, features):
    shipped = json.loads((folder / "model.json").read_text())["features"]
    change_document(folder, features=shipped | features)
    message = error_of(folder)
    assert "model.json does not describe a model: its features need" in message
    assert "at most 8388608 are possible" in message
