import pytest

from rtgenre.sources.folders import expand_paths


def test_folders_give_their_audio_files_in_order_and_say_when_there_are_none(tmp_path):
    for name in ["b.wav", "deep/a.FLAC", "notes.txt", "._b.wav"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    named = tmp_path / "notes.txt"
    files, failures = expand_paths([tmp_path, named, tmp_path / "empty"])
    assert files == [tmp_path / "b.wav", tmp_path / "deep/a.FLAC", named]
    assert failures == [f"{tmp_path / 'empty'}: there are no audio files in this folder"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("party.m3u", "b.mp3\n# a remark\n\n../other/a.mp3\n"),
        ("party.M3U8", "\ufeff#EXTM3U\n#EXTINF:200,Somebody - Song\nb.mp3\r\n..\\other\\a.mp3"),
        ("party.pls", "[playlist]\nFile1=b.mp3\nTitle1=Song\nFile2=../other/a.mp3\nLength1=200\n"),
        (
            "party.xspf",
            "<playlist><location>b.mp3</location><location>../other/%61.mp3</location></playlist>",
        ),
    ],
)
def test_a_playlist_gives_its_files_in_its_order_from_where_it_lies(tmp_path, name, text):
    playlist = tmp_path / "lists" / name
    playlist.parent.mkdir()
    playlist.write_text(text, encoding="utf-8")
    found = [playlist.parent / "b.mp3", playlist.parent / "../other/a.mp3"]
    assert expand_paths([playlist]) == (found, [])


def test_a_playlist_may_name_files_wherever_they_are(tmp_path):
    playlist = tmp_path / "all.m3u"
    playlist.write_text(
        "/music/A B.mp3\nfile:///music/A%20B.mp3\nFile://localhost/music/%C3%A4.mp3\n"
    )
    files, failures = expand_paths([playlist])
    assert [*map(str, files)] == ["/music/A B.mp3", "/music/A B.mp3", "/music/ä.mp3"]
    assert not failures


def test_a_playlist_of_streams_is_not_taken_for_files_and_its_user_is_told_what_to_do(tmp_path):
    playlist = tmp_path / "radio.m3u"
    playlist.write_text("http://radio.example/jazz\nsong.mp3\nhttps://radio.example/rock\n")
    advice = "listen to a stream in it by its address, such as http://radio.example/jazz"
    assert expand_paths([playlist]) == (
        [tmp_path / "song.mp3"],
        [f"{playlist}: of this playlist only files are played; {advice}"],
    )


def test_a_playlist_without_files_is_told(tmp_path):
    for name, content in (("empty.m3u", b""), ("binary.pls", b"File1=a\0.mp3"), ("x.xspf", b"<x>")):
        (tmp_path / name).write_bytes(content)
        failures = [f"{tmp_path / name}: this playlist names no files"]
        assert expand_paths([tmp_path / name]) == ([], failures)
    (tmp_path / "folder.m3u").mkdir()
    none = f"{tmp_path / 'folder.m3u'}: there are no audio files in this folder"
    assert expand_paths([tmp_path / "folder.m3u"]) == ([], [none])
