import threading

import numpy as np
import pytest

from rtgenre import (
    ConfigError,
    DecodeError,
    Model,
    ModelError,
    RtgenreError,
    SamplesError,
    TrackerParams,
    load_model,
)
from rtgenre.api.model import SharedClassifier
from rtgenre.cli import main
from tests.networks import INFO, ToneNetwork
from tests.signals import noise, tone


def test_a_shipped_model_is_loaded_by_its_name_and_judges_a_window():
    model = load_model("crnn")
    assert model.window_seconds == model.info.features.window_seconds
    prediction = model.predict(noise(model.window_seconds, 44100), 44100)
    assert tuple(prediction.probabilities) == model.labels
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert prediction.genre in model.labels
    assert 0 <= prediction.music <= 1


def test_a_model_that_is_not_there_is_an_error_that_names_the_others():
    with pytest.raises(ModelError, match=r"no model folder 'nosuch'; models: .*crnn"):
        load_model("nosuch")


def test_a_song_is_told_as_its_sections(model, song):
    verdict = model.classify(str(song))
    assert [section.genre for section in verdict.sections] == ["jazz", "rock"]
    assert verdict.sections[0].end_seconds == pytest.approx(20, abs=8)
    assert verdict.genre in {"jazz", "rock"}
    assert set(verdict.probabilities) == {"jazz", "rock"}


def test_the_command_says_what_the_call_says(song, printed):
    assert main(["classify", "--json", str(song)]) == 0
    assert printed() == load_model().classify(song).document()


def test_smoothing_is_a_keyword_with_the_limits_of_the_setting(model, song):
    verdict = model.classify(song, smoothing=TrackerParams(unknown_below=0.99))
    assert verdict.reason == "unsure"
    with pytest.raises(ConfigError, match=r"\[smoothing\] unknown_below = 2"):
        model.classify(song, smoothing=TrackerParams(unknown_below=2))
    with pytest.raises(ConfigError, match=r"\[windows\] hop_seconds = 9"):
        model.classify(song, hop_seconds=9)


def test_a_file_that_cannot_be_used_is_an_error_that_begins_with_its_name(model, tmp_path, song):
    with pytest.raises(DecodeError, match=r"nosuch.wav: there is no such file"):
        model.classify(tmp_path / "nosuch.wav")
    with pytest.raises(RtgenreError, match="this input has 1 channel"):
        model.classify(song, channel=2)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000])
def test_exactly_one_window_at_any_rate_is_enough(model, rate_hz):
    assert model.predict(tone(200, 4, rate_hz), rate_hz).genre == "jazz"


def test_the_newest_window_and_the_chosen_channel_are_judged(model):
    low, high = tone(200, 8, 44100), tone(8000, 8, 44100)
    assert model.predict(np.concatenate([low, high]), 44100).genre == "rock"
    stereo = np.stack([low, high], axis=1)
    assert model.predict(stereo, 44100, channel="left").genre == "jazz"
    assert model.predict(stereo.astype(np.float64), 44100, channel=2).genre == "rock"


@pytest.mark.parametrize(
    ("samples", "rate_hz", "message"),
    [
        (np.zeros(200_000, dtype=np.int16), 44100, "divide 16-bit ones by 32768"),
        (np.zeros((2, 200_000)), 44100, r"shape \(2, 200000\); \(n_samples,\) or"),
        (np.zeros(100), 44100, "at least 4 s of 44100 samples"),
        (np.zeros((200_000, 1, 1)), 44100, "shape"),
        (np.zeros((200_000, 0)), 44100, "shape"),
        (np.zeros(200_000), 0, "rate_hz is 0"),
    ],
)
def test_samples_that_cannot_be_judged_are_refused_with_what_is_needed(
    model, samples, rate_hz, message
):
    with pytest.raises(SamplesError, match=message) as caught:
        model.predict(samples, rate_hz)
    assert isinstance(caught.value, ValueError)


def test_a_channel_that_is_not_there_is_refused(model):
    with pytest.raises(SamplesError, match="channel 3 was asked for"):
        model.predict(np.zeros((200_000, 2)), 44100, channel=3)


class Watched(ToneNetwork):
    """Says so if two threads are in it at the same time."""

    def __init__(self):
        super().__init__()
        self._inside = threading.Lock()

    def run(self, features):
        assert self._inside.acquire(blocking=False)
        outputs = super().run(features)
        self._inside.release()
        return outputs


def test_threads_that_share_a_model_take_turns():
    model = Model(SharedClassifier(INFO, Watched()))
    samples = tone(200, 4, 22050)
    genres = []

    def judge():
        genres.extend(model.predict(samples, 22050).genre for _ in range(20))

    threads = [threading.Thread(target=judge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert genres == ["jazz"] * 80


class Nonsense(ToneNetwork):
    def run(self, features):
        return super().run(features) * np.nan


def test_nonsense_of_a_network_is_a_model_error():
    model = Model(SharedClassifier(INFO, Nonsense()))
    with pytest.raises(ModelError, match=r"the model test 1 cannot be run: .* not finite"):
        model.predict(tone(200, 4, 22050), 22050)
