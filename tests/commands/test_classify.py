import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from rtgenre.commands import classify
from rtgenre.commands.classify import classify_files
from rtgenre.config import Config
from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.model.classifier import Classifier
from rtgenre.tagging.file_verdict import classify_file
from tests.networks import INFO, ToneNetwork
from tests.signals import tone


class ToneOrTalk(ToneNetwork):
    """Says no music to a spectrum that is loudest in the upper half."""

    def run(self, features):
        outputs = super().run(features)
        outputs[:, -1] = outputs[:, 0] > 0.5
        return outputs


MUSIC, TALK = tone(200, 8), tone(8000, 62)


@pytest.fixture
def classified(tmp_path, monkeypatch, capsys):
    """Return what is printed about a file that holds these samples."""
    classifier = Classifier(INFO, ToneOrTalk())
    monkeypatch.setattr(classify.Classifier, "load", lambda *_, **__: classifier)

    def run(samples, *, as_json=False):
        path = tmp_path / "heard.wav"
        soundfile.write(path, samples, 22050)
        assert classify_files([path], Config(), as_json=as_json) == 0
        out = capsys.readouterr().out
        return json.loads(out) if as_json else out.replace(str(tmp_path), "").splitlines()

    return run


def test_a_little_music_after_much_talk_is_told_with_the_talk(classified):
    lines = classified(np.concatenate([TALK, MUSIC]))
    assert lines[0] == "/heard.wav: jazz for 0:06 of 1:10  (jazz 90%, rock 10%)"
    assert lines[1:] == ["     0:00 -  1:04  no music", "     1:04 -  1:10  jazz"]


def test_talk_alone_is_no_music_and_has_no_confidence(classified):
    assert classified(TALK) == ["/heard.wav: no music", "     0:00 -  1:02  no music"]
    verdict = classified(TALK, as_json=True)
    assert (verdict["genre"], verdict["reason"]) == ("unknown", "not_music")
    assert verdict["confidence"] is None
    assert verdict["probabilities"] == {"jazz": 0.5, "rock": 0.5}
    assert verdict["music_seconds"] == 0


def test_ten_seconds_of_zeros_are_silence_from_their_beginning(classified):
    assert classified(np.zeros(220500)) == ["/heard.wav: silence", "     0:00 -  0:10  silence"]
    verdict = classified(np.zeros(220500), as_json=True)
    assert (verdict["genre"], verdict["reason"], verdict["confidence"]) == ("silence", None, None)


def test_music_within_silence_is_judged_by_what_sounds(classified):
    quiet = np.zeros(5 * 22050, dtype=np.float32)
    lines = classified(np.concatenate([quiet, MUSIC, quiet]))
    assert lines[0] == "/heard.wav: jazz for 0:08 of 0:18  (jazz 90%, rock 10%)"
    assert [line.split()[-1] for line in lines[1:]] == ["silence", "jazz", "silence"]


def test_how_much_is_music_of_no_genre_is_said_beside_the_genres(classified, monkeypatch):
    def hear(*arguments, **keywords):
        return replace(classify_file(*arguments, **keywords), familiar=0.7)

    monkeypatch.setattr(classify, "classify_file", hear)
    assert classified(MUSIC)[0] == "/heard.wav: jazz  (jazz 63%, rock 7%; other music 30%)"


@pytest.mark.skipif(os.name == "nt", reason="has no such terminals")
def test_documents_of_several_files_go_where_standard_output_leads_from_a_terminal_too():
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "rtgenre", "classify", "--json", *DEMO_RECORDINGS[:2]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, text=True) as process:
        os.close(end)
        out = process.stdout.read()
    os.close(terminal)
    assert [json.loads(line)["genre"] for line in out.splitlines()] == ["classical", "jazz"]
