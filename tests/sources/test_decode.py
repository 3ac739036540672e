import contextlib
import os
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtgenre.sources import decode
from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.types import Track

from .conftest import peak_frequency_hz, tone

SECONDS = 1.3
SUBTYPES = {"a.ogg": "VORBIS", "a.opus": "OPUS"}


def _write(path, samples=None, rate_hz=44100):
    soundfile.write(path, tone() if samples is None else samples, rate_hz)
    return path


def _encoded(path, source, *arguments):
    command = ["ffmpeg", "-loglevel", "error", "-i", source, *arguments, path]
    subprocess.run(command, check=True)
    return path


def _read(path, block_seconds=0.5):
    """Return the samples, their rate, and what is remarked of the file."""
    with contextlib.closing(open_audio(path)) as file:
        samples = np.concatenate(list(file.blocks(block_seconds)))
        return samples, file.sample_rate_hz, file.remark


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_formats_of_libsndfile_decode_without_ffmpeg(tmp_path, monkeypatch, name):
    monkeypatch.setattr(decode, "find_ffmpeg", lambda: None)
    samples, rate_hz, remark = _read(_write(tmp_path / name))
    assert rate_hz == 44100
    assert remark is None
    assert len(samples) == 44100
    assert samples.dtype == np.float32
    assert peak_frequency_hz(samples[:, 1], 44100) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("name", "arguments", "frame"),
    [
        ("cbr.mp3", "-b:a 128k", 1),
        ("vbr.mp3", "-q:a 2", 1),
        # Without a header that says how long it is, and with what an encoder adds at both ends.
        ("bare.mp3", "-q:a 2 -write_xing 0", 3 * 1152),
        ("aac.m4a", "-c:a aac", 1024),
        ("alac.m4a", "-c:a alac", 1),
        ("a.aac", "-c:a aac", 3 * 1024),
        ("a.opus", "-c:a libopus -ar 48000", 960),
        ("opus.webm", "-c:a libopus -ar 48000", 960),
        ("vorbis.ogg", "-c:a libvorbis", 2048),
        ("a.flac", "-sample_fmt s32", 1),
        ("24.wav", "-c:a pcm_s24le", 1),
        ("32.wav", "-c:a pcm_s32le", 1),
        ("float.wav", "-c:a pcm_f32le", 1),
        ("a.aiff", "-c:a pcm_s24be", 1),
        ("a.wma", "-c:a wmav2", 2 * 2048),
        ("a.wv", "", 1),
        ("no-suffix-at-all.ac3", "-c:a ac3", 1536),
    ],
)
def test_what_people_have_is_read_to_its_last_frame(tmp_path, name, arguments, frame):
    source = _write(tmp_path / "source.wav", tone(SECONDS))
    samples, rate_hz, remark = _read(_encoded(tmp_path / name, source, *arguments.split()))
    assert remark is None
    assert samples.shape[1] == 2
    assert len(samples) == pytest.approx(SECONDS * rate_hz, abs=frame)
    assert peak_frequency_hz(samples[:rate_hz, 0], rate_hz) == pytest.approx(440, abs=2)


def test_an_mp3_with_a_picture_in_its_tags_is_read_whole(tmp_path, tone_wav):
    picture = tmp_path / "cover.png"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=300x300"]
    subprocess.run([*command, "-frames:v", "1", picture], check=True)
    arguments = ["-i", picture, "-map", "0:a", "-map", "1:v", "-c:v", "copy"]
    samples, _, remark = _read(_encoded(tmp_path / "a.mp3", tone_wav, *arguments))
    assert len(samples) == 44100
    assert remark is None


@pytest.fixture
def odd_opus(tmp_path):
    """Four seconds of Opus in which time once steps back by 3 ms, where libsndfile gives up."""
    path = tmp_path / "odd.opus"
    step = "asetpts=PTS-gte(T\\,2)*0.003/TB"
    sine = ["-f", "lavfi", "-i", "sine=440:sample_rate=48000:duration=4"]
    command = ["ffmpeg", "-loglevel", "error", *sine, "-af", step, "-ac", "2", "-c:a", "libopus"]
    subprocess.run([*command, path], check=True)
    return path


def test_where_libsndfile_gives_up_ffmpeg_goes_on_without_a_seam(odd_opus):
    samples, rate_hz, remark = _read(odd_opus)
    assert remark is None
    assert len(samples) == pytest.approx(4 * rate_hz, abs=960)
    mono = samples[:, 0]
    inner = mono[rate_hz // 2 : -rate_hz // 2]
    jumps = np.abs(np.diff(inner))
    assert np.max(jumps) < 1.5 * np.median(np.sort(jumps)[-2000:])


def test_the_tags_of_what_ffmpeg_decodes_are_its_title(tmp_path, tone_wav):
    path = tmp_path / "01.m4a"
    _encoded(path, tone_wav, "-metadata", "title=A=B", "-metadata", "artist=Beyonc\u00e9")
    decoder = open_audio(path)
    assert decoder.track == Track("A=B", "Beyonc\u00e9")
    assert len(decoder.read(1000)) == 1000
    decoder.close()


def test_without_ffmpeg_a_file_that_libsndfile_gives_up_says_how_to_get_it(odd_opus, monkeypatch):
    monkeypatch.setattr(decode, "find_ffmpeg", lambda: None)
    samples, rate_hz, remark = _read(odd_opus)
    assert 1.5 * rate_hz < len(samples) < 3.5 * rate_hz
    assert "damaged after" in remark
    assert "ffmpeg, which may, is not installed: install it with" in remark


def test_an_mp3_is_not_searched_anew_at_every_read(tmp_path, monkeypatch):
    # libmpg123 complains on standard error of what it finds where it is set down.
    path = _write(tmp_path / "a.mp3")
    monkeypatch.delattr(soundfile.SoundFile, "seek")
    assert len(_read(path, 0.1)[0]) == 44100


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
    samples, _, _ = _read(path, 0.1)
    np.testing.assert_allclose(samples, written, atol=1e-4)


def test_a_rate_of_gigahertz_costs_no_memory(tmp_path, monkeypatch):
    path = _write(tmp_path / "a.wav", tone(0.1, 44100, 2))
    header = bytearray(path.read_bytes())
    header[24:28] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(header)
    asked = []
    read = soundfile.SoundFile.read

    def noting(file, n_frames, **keywords):
        asked.append(n_frames)
        return read(file, n_frames, **keywords)

    monkeypatch.setattr(soundfile.SoundFile, "read", noting)
    assert len(_read(path)[0]) == 4410
    assert max(asked) <= 2**22


def test_a_damaged_file_gives_what_can_be_read_and_then_says_what_is_wrong(tmp_path):
    whole = _write(tmp_path / "whole.flac", tone(4.0))
    path = tmp_path / "half.flac"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    samples, _, remark = _read(path, 0.25)
    assert 44100 <= len(samples) <= 3 * 44100
    assert re.match(r"ends early, after \d\.\d s of 4\.0 s", remark)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.mp3"])
def test_a_file_cut_short_says_how_much_is_missing(tmp_path, name):
    whole = _write(tmp_path / name, tone(4.0))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    samples, _, remark = _read(whole)
    assert re.fullmatch(r"ends early, after [12]\.\d s of 4\.\d s", remark)
    assert len(samples) / 44100 == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_an_ogg_file_that_was_cut_off_is_said_to_lack_its_end_before_it_is_read(tmp_path, name):
    path = tmp_path / name
    # A tone would fit into one page.
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * 48000)
    soundfile.write(path, noise, 48000, format="OGG", subtype=SUBTYPES[name])
    assert _read(path)[2] is None
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told = "its end is missing, as where a copy or a recording was cut off"
    # A song of which only parts are heard is not read to its end.
    with contextlib.closing(open_audio(path)) as file:
        assert file.remark == told
    samples, _, remark = _read(path)
    assert remark == told
    assert 0.5 < len(samples) / 48000 < 3.5


def test_less_than_a_second_too_little_is_not_worth_a_word(tmp_path):
    whole = _write(tmp_path / "a.wav", tone(4.0))
    whole.write_bytes(whole.read_bytes()[: -44100 * 4 // 2])
    samples, _, remark = _read(whole)
    assert len(samples) == pytest.approx(3.5 * 44100, abs=20)
    assert remark is None


def test_a_wav_of_unknown_length_from_a_pipe_is_not_called_short(tmp_path, tone_wav):
    path = tmp_path / "piped.wav"
    with path.open("wb") as output:
        command = ["ffmpeg", "-loglevel", "error", "-i", tone_wav, "-f", "wav", "-"]
        piped = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        output.write(piped.stdout)
    samples, _, remark = _read(path)
    assert len(samples) == 44100
    assert remark is None


def test_a_truncated_m4a_is_one_clear_line(tmp_path, tone_wav):
    path = _encoded(tmp_path / "a.m4a", tone_wav)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DecodeError) as caught:
        _read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"no music here\n" * 99, "is not audio"),
        # ffmpeg takes it for music until nothing comes out of it.
        (
            np.random.default_rng(0).bytes(100_000),
            "is not audio that can be read: nothing in it can be decoded",
        ),
    ],
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


def test_an_address_without_its_beginning_is_told_what_it_lacks():
    with pytest.raises(DecodeError, match=r"no such file; .* write http://radio\.example/live"):
        open_audio(Path("radio.example/live"))


def test_a_wav_without_samples_is_an_error(tmp_path):
    path = _write(tmp_path / "nothing.wav", np.zeros((0, 2), np.float32))
    with pytest.raises(DecodeError, match=r"nothing\.wav: "):
        _read(path)


def test_a_playlist_in_disguise_opens_nothing_on_the_network(tmp_path):
    path = tmp_path / "song.m4a"
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DecodeError, match="is not audio that can be read"):
        open_audio(path)


def test_raw_samples_are_refused_with_what_reads_them(tmp_path):
    path = tmp_path / "song.raw"
    path.write_bytes(tone().tobytes())
    with pytest.raises(DecodeError, match=r"no header .* 'rtgenre run - .*song\.raw' reads them"):
        open_audio(path)


def test_what_has_a_header_is_read_though_it_is_called_raw(tmp_path, tone_wav):
    samples, _, _ = _read(tone_wav.rename(tmp_path / "song.raw"))
    assert len(samples) == 44100


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
@pytest.mark.parametrize("suffix", ["wav", "m4a"])
def test_a_name_that_is_not_utf_8_is_read_and_told_with_escapes(tmp_path, tone_wav, suffix):
    path = tmp_path / os.fsdecode(b"caf\xe9." + suffix.encode())
    _encoded(path, tone_wav)
    assert len(_read(path)[0]) >= 44100
    path.write_bytes(b"no music")
    with pytest.raises(DecodeError, match=r"caf\\xe9\.") as caught:
        open_audio(path)
    str(caught.value).encode()


def test_a_name_cannot_forge_a_line(tmp_path):
    path = tmp_path / "a\n12:00:00 INFO all is well\x1b[2J\u2028.wav"
    with pytest.raises(DecodeError) as caught:
        open_audio(path)
    assert str(caught.value).endswith(
        r"a\n12:00:00 INFO all is well\x1b[2J\u2028.wav: there is no such file"
    )


@pytest.mark.parametrize("name", ["a.m4a", "a.ogg"])
def test_no_temporary_folder_is_needed(tmp_path, tone_wav, monkeypatch, name):
    def refuse(*_arguments, **_keywords):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "_get_default_tempdir", refuse)
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert len(_read(_encoded(tmp_path / name, tone_wav))[0]) >= 44100


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "m4a"])
def test_what_is_skipped_is_not_read_and_the_rest_is(tmp_path, ending):
    path = tmp_path / f"rising.{ending}"
    samples = np.concatenate([tone(5, 22050, 1, 200), tone(5, 22050, 1, 2000)])
    source = ["-f", "f32le", "-ar", "22050", "-ac", "1", "-i", "-"]
    subprocess.run(["ffmpeg", "-v", "error", *source, path], input=samples.tobytes(), check=True)
    with closing(open_audio(path)) as file:
        file.read(22050)
        file.skip(5 * 22050)
        rest = np.concatenate(list(file.blocks()))[:, 0]
        assert file.remark is None
    assert len(rest) == pytest.approx(4 * 22050, abs=3000)
    spectrum = np.abs(np.fft.rfft(rest[:22050]))
    assert spectrum.argmax() == pytest.approx(2000, abs=5)
