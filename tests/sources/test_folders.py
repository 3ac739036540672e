from rtgenre.sources.folders import expand_paths


def test_folders_give_their_audio_files_in_order_and_say_when_there_are_none(tmp_path):
    for name in ["b.wav", "deep/a.FLAC", "notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    named = tmp_path / "notes.txt"
    files, failures = expand_paths([tmp_path, named, tmp_path / "empty"])
    assert files == [tmp_path / "b.wav", tmp_path / "deep/a.FLAC", named]
    assert failures == [f"{tmp_path / 'empty'}: there are no audio files in this folder"]
