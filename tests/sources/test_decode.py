import subprocess

import numpy as np
import pytest
import soundfile

from rtgenre.sources import decode
from rtgenre.sources.decode import DecodeError, expand_paths, open_audio, read_audio_blocks

from .conftest import peak_frequency_hz, tone


def _write(path, samples=None, rate_hz=44100):
    soundfile.write(path, tone() if samples is None else samples, rate_hz)
    return path


def _encoded(path, source):
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", source, path], check=True)
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_formats_of_libsndfile_decode_without_ffmpeg(tmp_path, monkeypatch, name):
    monkeypatch.setattr(decode, "find_ffmpeg", lambda: None)
    blocks = list(read_audio_blocks(_write(tmp_path / name)))
    samples = np.concatenate([block for block, _ in blocks])
    assert {rate for _, rate in blocks} == {44100}
    assert len(samples) == 44100
    assert samples.dtype == np.float32
    assert peak_frequency_hz(samples[:, 1], 44100) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("name", ["a.m4a", "a.wma", "video.mkv", "no-suffix-at-all.ac3"])
def test_other_formats_decode_through_ffmpeg(tmp_path, tone_wav, name):
    path = _encoded(tmp_path / name, tone_wav)
    blocks = list(read_audio_blocks(path))
    samples = np.concatenate([block for block, _ in blocks])
    rate = blocks[0][1]
    assert samples.shape[1] == 2
    assert len(samples) / rate == pytest.approx(1.0, abs=0.15)
    assert peak_frequency_hz(samples[:rate, 0], rate) == pytest.approx(440, abs=2)


def test_without_ffmpeg_the_message_says_how_to_get_it(tmp_path, tone_wav, monkeypatch):
    path = _encoded(tmp_path / "a.m4a", tone_wav)
    monkeypatch.setattr(decode, "find_ffmpeg", lambda: None)
    with pytest.raises(DecodeError, match=r"a\.m4a: .*ffmpeg.* is not installed: install it with"):
        open_audio(path)


@pytest.mark.parametrize(("rate_hz", "n_channels"), [(8000, 1), (192000, 2), (44100, 8)])
def test_unusual_rates_and_channel_counts_keep_their_samples(tmp_path, rate_hz, n_channels):
    written = tone(0.3, rate_hz, n_channels)
    written[:, -1] *= 0.5
    path = _write(tmp_path / "a.wav", written, rate_hz)
    samples = np.concatenate([block for block, _ in read_audio_blocks(path, 0.1)])
    np.testing.assert_allclose(samples, written, atol=1e-4)


def test_a_damaged_file_gives_what_can_be_read_and_then_says_what_is_wrong(tmp_path):
    whole = _write(tmp_path / "whole.flac", tone(4.0))
    path = tmp_path / "half.flac"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    read = []
    with pytest.raises(DecodeError, match=r"half\.flac: damaged after \d\.\d s"):
        read.extend(len(block) for block, _ in read_audio_blocks(path, 0.25))
    assert 44100 <= sum(read) <= 2 * 44100


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.mp3"])
def test_a_file_cut_short_says_how_much_is_missing(tmp_path, name):
    whole = _write(tmp_path / name, tone(4.0))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    read = []
    with pytest.raises(DecodeError, match=rf"{name}: ends early, after [12]\.\d s of 4\.\d s"):
        read.extend(len(block) for block, _ in read_audio_blocks(whole))
    assert sum(read) / 44100 == pytest.approx(2.0, abs=0.3)


def test_a_wav_of_unknown_length_from_a_pipe_is_not_called_short(tmp_path, tone_wav):
    path = tmp_path / "piped.wav"
    with path.open("wb") as output:
        command = ["ffmpeg", "-loglevel", "error", "-i", tone_wav, "-f", "wav", "-"]
        piped = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        output.write(piped.stdout)
    assert sum(len(block) for block, _ in read_audio_blocks(path)) == 44100


def test_a_truncated_m4a_is_one_clear_line(tmp_path, tone_wav):
    path = _encoded(tmp_path / "a.m4a", tone_wav)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DecodeError) as caught:
        list(read_audio_blocks(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", r"the file is empty \(0 bytes\)"), (b"no music here\n" * 99, "is not audio")],
)
def test_what_is_not_audio_is_named_so(tmp_path, content, message):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match=rf"song\.mp3: {message}"):
        open_audio(path)


def test_missing_files_and_folders_are_told_apart(tmp_path):
    with pytest.raises(DecodeError, match="there is no such file"):
        open_audio(tmp_path / "missing.wav")
    with pytest.raises(DecodeError, match="is a folder"):
        open_audio(tmp_path)


def test_a_wav_without_samples_is_an_error(tmp_path):
    path = _write(tmp_path / "nothing.wav", np.zeros((0, 2), np.float32))
    with pytest.raises(DecodeError, match=r"nothing\.wav: "):
        list(read_audio_blocks(path))


def test_a_playlist_in_disguise_opens_nothing_on_the_network(tmp_path):
    path = tmp_path / "song.m4a"
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DecodeError, match="is not audio that can be read"):
        open_audio(path)


def test_folders_give_their_audio_files_in_order_and_say_when_there_are_none(tmp_path):
    for name in ["b.wav", "deep/a.FLAC", "notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    named = tmp_path / "notes.txt"
    files, failures = expand_paths([tmp_path, named, tmp_path / "empty"])
    assert files == [tmp_path / "b.wav", tmp_path / "deep/a.FLAC", named]
    assert failures == [f"{tmp_path / 'empty'}: there are no audio files in this folder"]
