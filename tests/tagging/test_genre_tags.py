import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import APIC, ID3

from rtgenre.tagging.genre_tags import genre_name, write_genre
from rtgenre.tagging.song_tags import read_tags
from tests.signals import tone
from tests.tagging.songs import song

TONE = tone(200, 5, rate_hz=48000)
TAGS = {"title": "Für Elise", "artist": "L. v. B.", "album": "Bagatelles"}
ENDINGS = ["mp3", "flac", "ogg", "opus", "m4a", "wma", "aiff", "wav", "wv"]


@pytest.fixture(params=ENDINGS)
def tagged(request, tmp_path):
    return song(tmp_path / f"song.{request.param}", TONE, rate_hz=48000, **TAGS)


def decoded(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_the_genre_is_written_where_there_is_none_and_nothing_else_changes(tagged):
    before, sound = read_tags(tagged), decoded(tagged)
    tagged.chmod(0o640)
    assert write_genre(tagged, "hiphop", overwrite=False) == "written"
    after = read_tags(tagged)
    assert after.genre == "Hip-Hop"
    assert (after.title, after.artist, after.album) == (before.title, before.artist, before.album)
    assert decoded(tagged) == sound
    assert tagged.stat().st_mode & 0o777 == 0o640
    assert list(tagged.parent.iterdir()) == [tagged]


def test_a_genre_that_is_there_is_kept_unless_it_is_to_be_overwritten(tagged):
    write_genre(tagged, "jazz", overwrite=False)
    content = tagged.read_bytes()
    assert write_genre(tagged, "rock", overwrite=False) == "kept"
    assert tagged.read_bytes() == content
    assert write_genre(tagged, "rock", overwrite=True) == "written"
    assert read_tags(tagged).genre == "Rock"
    assert write_genre(tagged, "rock", overwrite=True) == "kept"


def test_a_genre_that_mutagen_does_not_read_is_kept_too(tmp_path):
    path = song(tmp_path / "song.wav", TONE, rate_hz=48000, **TAGS, genre="Tango")
    assert mutagen.File(path).tags is None
    assert write_genre(path, "jazz", overwrite=False) == "kept"
    assert write_genre(path, "jazz", overwrite=True) == "written"
    after = read_tags(path)
    assert (after.genre, after.title) == ("Jazz", TAGS["title"])


def test_id3_stays_of_its_version_with_its_cover(tmp_path):
    path = song(tmp_path / "song.mp3", TONE, **TAGS)
    tags = ID3(path)
    tags.add(APIC(encoding=0, mime="image/png", type=3, desc="", data=b"cover" * 999))
    tags.save(v2_version=3)
    assert write_genre(path, "jazz", overwrite=False) == "written"
    tags = ID3(path, translate=False)
    assert tags.version == (2, 3, 0)
    assert str(tags["TCON"]) == "Jazz"
    assert tags.getall("APIC")[0].data == b"cover" * 999


def test_a_file_behind_a_link_is_written_and_the_link_stays(tmp_path):
    path = song(tmp_path / "song.flac", TONE)
    link = tmp_path / "link.flac"
    link.symlink_to(path)
    assert write_genre(link, "jazz", overwrite=False) == "written"
    assert link.is_symlink()
    assert read_tags(path).genre == "Jazz"


def test_files_that_cannot_be_written_are_left_as_they_are_and_say_why(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"no audio")
    assert write_genre(path, "jazz", overwrite=False).startswith("not written: ")
    assert path.read_bytes() == b"no audio"
    (tmp_path / "notes.txt").write_text("words")
    told = write_genre(tmp_path / "notes.txt", "jazz", overwrite=False)
    assert told == "tags of such files cannot be written"
    told = write_genre(tmp_path / "gone.mp3", "jazz", overwrite=False)
    assert told == "not written: No such file or directory"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["notes.txt", "song.mp3"]


def test_a_genre_of_somebodys_own_is_written_as_it_is_called():
    assert genre_name("the kids' songs") == "the kids' songs"


WRITER = """
import sys
from pathlib import Path
from rtgenre.tagging.genre_tags import write_genre
print("writing", flush=True)
for number in range(10**6):
    for path in sys.argv[1:]:
        write_genre(Path(path), f"genre {number}", overwrite=True)
"""


def test_a_write_that_is_interrupted_never_harms_a_file(tmp_path):
    paths = [song(tmp_path / f"song.{ending}", TONE, **TAGS) for ending in ("mp3", "flac", "m4a")]
    sounds = [decoded(path) for path in paths]
    for delay in (0.0, 0.003, 0.01, 0.02, 0.05):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, *map(str, paths)], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(delay)
            process.send_signal(signal.SIGKILL)
        assert [decoded(path) for path in paths] == sounds
        assert all(read_tags(path).title == "Für Elise" for path in paths)
    for path in paths:
        assert write_genre(path, "jazz", overwrite=True) == "written"
        assert mutagen.File(path) is not None
    # What was left of an interrupted write is gone as soon as one succeeds.
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_stays_its_owners(tmp_path):
    path = song(tmp_path / "song.flac", TONE)
    shutil.chown(path, 12345, 23456)
    assert write_genre(path, "jazz", overwrite=False) == "written"
    status = Path(path).stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)
