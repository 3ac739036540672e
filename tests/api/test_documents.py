"""What README.md, docs/api.md and the examples show of the API runs as it is written."""

import os
import re
import runpy
from pathlib import Path

import matplotlib as mpl
import pytest
import soundfile

from rtgenre import DecodeError
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.sources.names import told_path
from tests.signals import music, tone

ROOT = Path(__file__).parent.parent.parent
SNIPPETS = [
    (page, snippet)
    for page in ("README.md", "docs/api.md")
    for snippet in re.findall(
        r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE
    )
]

mpl.use("agg")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with ``song.mp3`` in it."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.mp3", music(6, 44100), 44100)
    return tmp_path


@pytest.fixture
def run_example(folder, monkeypatch, capsys):
    """Return what an example prints."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_readme_shows_the_api():
    assert "README.md" in {page for page, _ in SNIPPETS}


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_each_snippet_runs_and_names_a_genre(page, snippet, folder, capsys):
    exec(compile(snippet, page, "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert any(genre in printed for genre in GENRE_COLORS)


def test_the_embedded_example_tells_what_plays(run_example):
    genres = run_example("embedded.py", "song.mp3").split()
    assert genres
    assert set(genres) <= GENRE_COLORS.keys()


def test_the_sections_example_draws_a_picture(run_example, folder):
    assert run_example("sections.py", "song.mp3", "song.png")
    assert (folder / "song.png").read_bytes().startswith(b"\x89PNG")


def test_a_plot_names_each_section_where_it_is(model, song):
    verdict = model.classify(song)
    axes = verdict.plot()
    names = [text.get_text() for text in axes.texts]
    assert names == [section.genre for section in verdict.sections] == ["jazz", "rock"]
    for text, section in zip(axes.texts, verdict.sections, strict=True):
        assert section.start_seconds < text.get_position()[0] < section.end_seconds
    assert axes.get_xlim() == pytest.approx((0, 40), abs=0.1)
    assert [entry.get_text() for entry in axes.get_legend().get_texts()] == names


@pytest.mark.parametrize("name", ["A$_^{ x$.wav", os.fsdecode(b"caf\xe9.wav")])
def test_a_plot_bears_any_name_of_a_file(model, tmp_path, name):
    soundfile.write(tmp_path / "song.wav", tone(200, 8), 22050)
    path = (tmp_path / "song.wav").rename(tmp_path / name)
    axes = model.classify(path).plot()
    axes.figure.savefig(tmp_path / "plot.png")
    assert axes.get_title(loc="left") == f"{told_path(name)}: jazz"


def test_a_file_that_is_gone_cannot_be_plotted(model, tmp_path):
    path = tmp_path / "gone.wav"
    soundfile.write(path, tone(200, 8), 22050)
    verdict = model.classify(path)
    path.unlink()
    with pytest.raises(DecodeError, match="there is no such file"):
        verdict.plot()
