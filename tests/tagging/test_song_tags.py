import os

import pytest
import soundfile

from rtgenre.tagging.song_tags import SongTags, read_tags
from tests.signals import tone
from tests.tagging.songs import song

TONE = tone(200, 5)


@pytest.mark.parametrize("ending", ["mp3", "flac", "ogg", "opus", "m4a", "wma", "aiff", "wv"])
def test_title_artist_album_and_genre_are_read_from_every_kind_of_tags(tmp_path, ending):
    tags = {"title": "Für Elise", "artist": "L. v. B.", "album": "Bagatelles", "genre": "Classical"}
    path = song(tmp_path / f"song.{ending}", TONE, rate_hz=48000, **tags)
    read = read_tags(path)
    assert read.seconds == pytest.approx(len(TONE) / 48000, abs=0.3)
    assert (read.title, read.artist, read.album, read.genre) == tuple(tags.values())


@pytest.mark.parametrize("ending", ["wav", "aiff"])
def test_titles_in_chunks_that_mutagen_does_not_read_are_not_lost(tmp_path, ending):
    path = tmp_path / f"song.{ending}"
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        file.title, file.artist, file.genre = "Für\nElise", "L. v. B.", "Classical"
        file.write(TONE[:16000])
    read = read_tags(path)
    assert (read.title, read.artist) == (r"Für\nElise", "L. v. B.")
    # AIFF has no chunk for a genre.
    assert read.genre == ("Classical" if ending == "wav" else "")


def test_a_tag_of_several_lines_or_without_end_stays_one_short_line(tmp_path):
    path = song(tmp_path / "song.flac", TONE, title="one\ntwo", artist="x" * 9000)
    read = read_tags(path)
    assert read.title == r"one\ntwo"
    assert read.artist == "x" * 500


def test_a_file_without_tags_or_that_is_none_says_nothing(tmp_path):
    assert read_tags(song(tmp_path / "song.flac", TONE)).title == ""
    assert read_tags(tmp_path / "missing.mp3") == SongTags()
    for ending in ["mp3", "flac", "ogg", "m4a", "txt"]:
        path = tmp_path / f"broken.{ending}"
        path.write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7fOggSfLaC\x00\x00\x00ftyp" * 40)
        assert read_tags(path).title == ""


def test_a_header_that_mutagen_stumbles_over_ends_no_program(tmp_path):
    # Of this one it raises struct.error.
    path = song(tmp_path / "song.opus", TONE, rate_hz=48000, title="T")
    content = bytearray(path.read_bytes())
    at = content.index(b"OpusHead")
    content[at - 1] = len(content[at : at + 18])
    content[26:28] = b"\x01\x12"
    path.write_bytes(content[: at + 18] + content[at + 19 :])
    assert read_tags(path) == SongTags()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "song.mp3")
    assert read_tags(tmp_path / "song.mp3") == SongTags()
