from rtgenre.tagging.finding import stat_song
from rtgenre.tagging.library import GenreWriting
from rtgenre.tagging.song import DAMAGED, Row
from rtgenre.tagging.summary import written_text
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


def test_what_became_of_the_genres_in_files_is_said_with_the_reason_where_it_failed():
    told = ["written", "written", "kept", "not written: Permission denied", None, DAMAGED]
    rows = [Row(f"/{i}.mp3", 1, "", genre_tag=tag) for i, tag in enumerate(told)]
    assert written_text(rows) == (
        "genres in files: 2 written, 1 kept, 2 not written",
        ["/3.mp3: not written: Permission denied"],
    )
    assert written_text([])[0] == "genres in files: none to write"
