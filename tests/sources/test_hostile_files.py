"""Files that mean harm, or are none: each is read or refused in one line, quickly and cheaply."""

import contextlib
import os
import resource
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtgenre.sources.decode import open_audio
from rtgenre.sources.decoder import DecodeError
from rtgenre.sources.folders import expand_paths

from .conftest import tone

MAX_GROWTH_BYTES = 300 * 2**20


def heard(path):
    """Read a file to its end; return its blocks' shapes, and what is remarked."""
    with contextlib.closing(open_audio(path)) as file:
        shapes = [block.shape for block in file.blocks()]
        return shapes, file.remark


def a_wav(path, *, rate_hz=44100, n_channels=1, data_bytes=None, seconds=0.2):
    """Write a WAV of 16 bit whose header says what it is told to."""
    samples = np.zeros(round(seconds * 44100), dtype="<i2").tobytes()
    data_bytes = len(samples) if data_bytes is None else data_bytes
    form = struct.pack(
        "<HHIIHH", 1, n_channels, rate_hz, 2 * rate_hz % 2**32, 2 * n_channels % 2**16, 16
    )
    riff = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data"
    path.write_bytes(b"RIFF" + struct.pack("<I", 2**31) + riff + struct.pack("<I", data_bytes))
    with path.open("ab") as file:
        file.write(samples)
    return path


@pytest.fixture
def memory_is_bounded():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < MAX_GROWTH_BYTES


@pytest.mark.usefixtures("memory_is_bounded")
@pytest.mark.parametrize(
    "header",
    [
        {"rate_hz": 0},
        {"rate_hz": 1},
        {"rate_hz": 2_000_000_000},
        {"n_channels": 0},
        {"n_channels": 1024},
        {"n_channels": 65_535},
        {"data_bytes": 2**31 - 1},
        {"data_bytes": 1},
        {"seconds": 0.0, "data_bytes": 10**6},
    ],
    ids=str,
)
def test_a_header_that_lies_costs_no_memory_and_raises_nothing_else(tmp_path, header):
    path = a_wav(tmp_path / "liar.wav", **header)
    with contextlib.suppress(DecodeError):
        shapes, _ = heard(path)
        assert sum(frames for frames, _ in shapes) <= 0.2 * 44100 + 1


def test_a_file_of_nothing_but_nan_is_read(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full((4410, 2), np.nan), 44100, subtype="FLOAT")
    shapes, remark = heard(path)
    assert sum(frames for frames, _ in shapes) == 4410
    assert remark is None


@pytest.mark.usefixtures("memory_is_bounded")
def test_tags_of_200_mb_cost_no_memory(tmp_path):
    path = tmp_path / "tags.mp3"
    soundfile.write(tmp_path / "a.mp3", tone(), 44100)
    size = 200 * 2**20
    sizes = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    with path.open("wb") as file:
        file.write(b"ID3\3\0\0" + sizes)
        file.truncate(10 + size)  # zeros are padding, and take no disk
        file.seek(0, os.SEEK_END)
        file.write((tmp_path / "a.mp3").read_bytes())
    with contextlib.suppress(DecodeError):
        shapes, _ = heard(path)
        assert sum(frames for frames, _ in shapes) == pytest.approx(44100, abs=3 * 1152)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's files")
@pytest.mark.parametrize("kind", ["fifo", "device", "link to a device", "socket"])
def test_what_is_no_regular_file_is_refused_and_never_read(tmp_path, kind):
    path = tmp_path / "odd.wav"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        os.mknod(path, 0o140600)
    with pytest.raises(DecodeError, match=r"is (not a regular file|a named pipe); .*rtgenre run"):
        open_audio(path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_loops_of_links_are_told_and_not_followed_for_ever(tmp_path):
    (tmp_path / "round.wav").symlink_to(tmp_path / "about.wav")
    (tmp_path / "about.wav").symlink_to(tmp_path / "round.wav")
    with pytest.raises(DecodeError, match=r"round\.wav: cannot be read: "):
        open_audio(tmp_path / "round.wav")
    album = tmp_path / "album"
    album.mkdir()
    (album / "again").symlink_to(album)
    soundfile.write(album / "a.wav", tone(), 44100)
    files, failures = expand_paths([album])
    assert (files, failures) == ([album / "a.wav"], [])


@pytest.mark.parametrize("name", ["-i.wav", "--help.m4a", "-", "-f.mp3"])
def test_a_name_that_begins_with_a_dash_is_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", tone(), 44100)
    Path("a.wav").rename(name)
    shapes, _ = heard(Path(name))
    assert sum(frames for frames, _ in shapes) == 44100


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's standard input")
def test_a_file_named_like_standard_input_leaves_that_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", tone(), 44100)
    Path("a.wav").rename("-")
    before, kept = os.fstat(0), os.dup(0)
    try:
        heard(Path("-"))
        assert os.path.samestat(os.fstat(0), before)
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.mark.parametrize("suffix", [".m3u8", ".wav", ".mp3"])
def test_a_playlist_does_not_play_local_files(tmp_path, suffix):
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, tone(), 44100)
    playlist = tmp_path / f"list{suffix}"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(DecodeError):
        heard(playlist)


def test_ffconcat_does_not_play_local_files(tmp_path):
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, tone(), 44100)
    playlist = tmp_path / "list.wav"
    playlist.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    with pytest.raises(DecodeError):
        heard(playlist)
