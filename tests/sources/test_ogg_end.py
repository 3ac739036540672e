import pytest
import soundfile

from rtgenre.sources.ogg_end import is_cut_off, lacks_end

from .conftest import tone


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("ogg") / "a.ogg"
    soundfile.write(path, tone(3.0), 44100)
    return path.read_bytes()


def _last_page(content):
    return content.rfind(b"OggS")


def test_a_file_that_is_cut_anywhere_but_between_pages_lacks_its_end(whole):
    last = _last_page(whole)
    before = _last_page(whole[:last])
    ends = {len(whole) // 2, last + 1, last + 4, last + 20, last + 27, len(whole) - 1}
    assert [end for end in ends if not is_cut_off(whole[:end])] == []
    assert is_cut_off(whole[: before + 40])


def test_a_recording_that_ends_with_a_page_is_whole_though_it_says_nothing_of_an_end(whole):
    # As old encoders wrote, and who stops recording a radio.
    assert not is_cut_off(whole[: _last_page(whole)])


def test_what_other_programs_add_behind_the_end_does_not_hide_it(whole):
    assert not is_cut_off(whole)
    assert not is_cut_off(whole + b"TAG" + bytes(125))


def test_a_copy_that_has_its_size_before_its_content_lacks_its_end(tmp_path, whole):
    copy = tmp_path / "copy.ogg"
    copy.write_bytes(whole[:20_000] + bytes(300_000))
    assert lacks_end(copy)
    copy.write_bytes(whole)
    assert not lacks_end(copy)


def test_of_other_formats_and_of_what_is_gone_nothing_is_said(tmp_path):
    other = tmp_path / "a.flac"
    other.write_bytes(b"fLaC" + bytes(1000))
    assert not lacks_end(other)
    assert not lacks_end(tmp_path / "gone.ogg")
