"""What `rtgenre` exports: all of it, lazily, and with one class for all errors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rtgenre
from rtgenre.history.store import HistoryError
from rtgenre.outputs.errors import OutputError


def test_every_public_name_is_there_and_documented():
    for name in rtgenre.__all__:
        assert getattr(rtgenre, name).__doc__, name
    assert set(rtgenre.__all__) <= set(dir(rtgenre))


def test_every_public_name_and_what_it_holds_is_in_the_page_of_the_api():
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    named = {name.removesuffix("()") for name in re.findall(r"`([\w.()]+)`", page)}
    assert set(rtgenre.__all__) <= named
    told_elsewhere = {rtgenre.TrackerParams, rtgenre.StateDocument}
    for public in {getattr(rtgenre, name) for name in rtgenre.__all__} - told_elsewhere:
        if isinstance(public, type) and not issubclass(public, Exception):
            held = {name for name in dir(public) if not name.startswith("_")}
            assert held <= named, public
            for name in held - getattr(public, "__dataclass_fields__", {}).keys():
                assert getattr(public, name).__doc__, name


def test_a_name_that_is_not_there_is_an_attribute_error():
    name = "load_modle"
    with pytest.raises(AttributeError, match=name):
        getattr(rtgenre, name)


@pytest.mark.parametrize(
    "error",
    [
        rtgenre.ConfigError,
        rtgenre.DecodeError,
        rtgenre.ModelError,
        rtgenre.SamplesError,
        rtgenre.SourceError,
        HistoryError,
        OutputError,
    ],
)
def test_one_except_clause_catches_every_error(error):
    assert issubclass(error, rtgenre.RtgenreError)


def test_importing_rtgenre_imports_nothing_heavy():
    program = "import rtgenre, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"numpy", "pydantic", "asyncio", "soundfile", "sounddevice"}
    assert {name for name in loaded if name.startswith("rtgenre")} == {"rtgenre"}
