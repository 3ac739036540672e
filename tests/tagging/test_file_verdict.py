import numpy as np

from rtgenre.tagging.file_verdict import classify_file
from rtgenre.tracking.smoothing import TrackerParams
from rtgenre.types import Prediction
from tests.networks import ToneNetwork, tone_classifier
from tests.signals import tone
from tests.tagging.songs import song

LOW, MIDDLE, HIGH = 200, 1000, 8000


def played(path, *parts):
    """Write a recording of so many seconds of each tone; 0 Hz is a rest."""
    return song(path, np.concatenate([tone(hz, seconds) for hz, seconds in parts]))


def judged(path, *, sparing, network=None, taught=None):
    """Return a file's verdict, and how many windows were heard."""
    network = network or ToneNetwork()
    verdict = classify_file(
        path,
        tone_classifier(network),
        channel="mix",
        hop_seconds=4.0,
        tracker_params=TrackerParams(),
        taught=taught,
        sparing=sparing,
    )
    return verdict, sum(network.batch_sizes)


def test_a_recording_that_stays_the_same_is_heard_in_part_and_judged_whole(tmp_path):
    path = played(tmp_path / "song.wav", (LOW, 68))
    all_heard, n_all = judged(path, sparing=False)
    some_heard, n_some = judged(path, sparing=True)
    assert (n_all, n_some) == (17, 5)
    assert some_heard == all_heard
    assert some_heard.seconds == 68


def test_a_change_of_genre_is_found_where_it_is_though_not_all_is_heard(tmp_path):
    path = played(tmp_path / "songs.wav", (LOW, 52), (HIGH, 48))
    all_heard, n_all = judged(path, sparing=False)
    some_heard, n_some = judged(path, sparing=True)
    assert [section.genre for section in some_heard.sections] == ["jazz", "rock"]
    assert some_heard == all_heard
    assert n_some < n_all / 2


def test_a_rest_between_two_stretches_of_the_same_music_is_not_passed_over(tmp_path):
    path = played(tmp_path / "rest.wav", (LOW, 4), (0, 8), (LOW, 8))
    verdict, _ = judged(path, sparing=True)
    assert [section.genre for section in verdict.sections] == ["jazz", "silence", "jazz"]
    assert verdict == judged(path, sparing=False)[0]


class MiddleIsLess(ToneNetwork):
    """Says jazz to tones in the middle, too, but is less sure."""

    def run(self, features):
        said = super().run(features)
        is_middle = features.mean(axis=1).argmax(axis=1) > 15
        said[is_middle & (said[:, 0] > 0.5), :2] = 0.6, 0.4
        return said


class TaughtTango:
    """What was taught: jazz of which the network is less sure is tango."""

    labels = ("jazz", "rock", "tango")

    def apply(self, heard):
        jazz, rock = heard.probabilities
        is_tango = 0.5 < jazz < 0.8
        told = [0.0, 0.0, 1.0] if is_tango else [jazz, rock, 0.0]
        return Prediction(np.array(told, np.float32), heard.music)


def test_two_windows_that_what_was_taught_tells_apart_are_not_taken_for_the_same(tmp_path):
    path = played(tmp_path / "tango.wav", (LOW, 12), (MIDDLE, 24))
    some_heard, _ = judged(path, sparing=True, network=MiddleIsLess(), taught=TaughtTango())
    assert [section.genre for section in some_heard.sections] == ["jazz", "tango"]
    all_heard, _ = judged(path, sparing=False, network=MiddleIsLess(), taught=TaughtTango())
    assert some_heard == all_heard
