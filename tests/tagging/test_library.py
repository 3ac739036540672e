from rtgenre.tagging.finding import stat_song
from rtgenre.tagging.library import GenreWriting
from rtgenre.tagging.song import Row
from tests.signals import tone
from tests.tagging.songs import song


def test_nothing_is_written_into_a_file_with_a_fault_which_may_be_one_being_copied(tmp_path):
    path = song(tmp_path / "song.flac", tone(300, 5))
    before = path.read_bytes()
    found = stat_song(str(path))
    row = Row(found.path, found.size, found.modified, genre="jazz", fault="ends early, after 5 s")
    written = GenreWriting(overwrite=True).written(found, row)
    assert written.genre_tag == "not written: the file is damaged or cut short"
    assert path.read_bytes() == before
