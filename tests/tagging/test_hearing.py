from contextlib import closing

import numpy as np
import pytest
import soundfile

from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.tagging.hearing import predict_sample, sampled_windows, song_seconds
from tests.networks import INFO, tone_classifier
from tests.signals import tone
from tests.tagging.songs import song

LOW, HIGH = tone(200, 20), tone(8000, 20)


@pytest.mark.parametrize("ending", ["mp3", "flac", "ogg", "m4a", "wav"])
def test_a_sample_hears_every_part_of_a_song_in_every_format(tmp_path, ending):
    path = song(tmp_path / f"song.{ending}", np.concatenate([LOW, HIGH]))
    heard = predict_sample(path, tone_classifier(), sample_seconds=16)
    assert heard.seconds == pytest.approx(40, abs=0.2)
    assert [each.probabilities.argmax() for each in heard.predictions] == [0, 0, 1, 1]


@pytest.mark.parametrize("ending", ["mp3", "flac", "ogg", "m4a"])
def test_a_sample_is_the_sound_at_its_place_and_not_another(tmp_path, ending):
    rising = np.concatenate([tone(100 * (second + 1), 1) for second in range(40)])
    path = song(tmp_path / f"song.{ending}", rising)
    with closing(open_audio(path)) as file:
        seconds = song_seconds(file)
        windows = list(sampled_windows(file, INFO, seconds=seconds, sample_seconds=16))
    for index, window in enumerate(windows):
        middle = window.samples[len(window.samples) * 3 // 8 : len(window.samples) * 5 // 8]
        spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        heard_hz = spectrum.argmax() * 22050 / len(middle)
        # The windows' middles are at 5, 15, 25 and 35 s, between two tones.
        assert heard_hz == pytest.approx(100 * (10 * index + 5.5), abs=60)


@pytest.mark.parametrize("ending", ["webm", "mka"])
def test_a_song_that_does_not_say_its_length_is_sampled_as_any_other(tmp_path, ending):
    path = song(tmp_path / f"song.{ending}", np.concatenate([LOW, HIGH]), rate_hz=24000)
    heard = predict_sample(path, tone_classifier(), sample_seconds=16)
    assert heard.seconds == pytest.approx(40 * 22050 / 24000, abs=0.2)
    assert [each.probabilities.argmax() for each in heard.predictions] == [0, 0, 1, 1]


def test_silent_windows_are_not_judged(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, np.concatenate([np.zeros(20 * 22050), HIGH]), 22050)
    heard = predict_sample(path, tone_classifier(), sample_seconds=16)
    assert [each.probabilities.argmax() for each in heard.predictions] == [1, 1]


def test_a_song_shorter_than_a_window_is_told(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, tone(200, 3), 22050)
    with pytest.raises(DecodeError, match="shorter than one window; at least 4 s of audio"):
        predict_sample(path, tone_classifier(), sample_seconds=60)


def test_a_channel_that_the_song_has_not_is_told(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, LOW, 22050)
    with pytest.raises(DecodeError, match="channel 3 was asked for"):
        predict_sample(path, tone_classifier(), sample_seconds=60, channel=3)
