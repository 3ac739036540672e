"""Holds README.md, docs/ and CONTRIBUTING.md to what there is."""

import json
import re
from pathlib import Path

import pytest

from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import read_model_info
from rtgenre.monitoring.health import NodeHealth, health_document
from rtgenre.outputs.colors import GENRE_COLORS
from rtgenre.outputs.web.schema import message_schema
from scripts.declared_settings import tables
from scripts.docs_links import on_page_markdown
from scripts.messages_page import with_tables
from scripts.rooms_picture import imported_rooms, picture, with_picture
from scripts.settings_page import config_file, page
from tests.documents import a_state

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "training" / "README.md",
    ROOT / "examples" / "README.md",
    *sorted(DOCS.glob("*.md")),
]

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(path):
    """Return the anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = HEADING.findall(CODE_BLOCK.sub("", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def test_the_settings_file_and_its_page_say_what_the_code_says_of_each_setting():
    message = "run: python -m scripts.settings_page"
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == config_file(), message
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == page(), message


def test_every_setting_says_what_it_does():
    silent = [
        f"[{table.name}] {setting.name}"
        for table in tables()
        for setting in table.settings
        if not setting.does and table.name != "colors"
    ]
    assert not silent, "write a docstring below each in rtgenre/config/"


def test_the_page_of_messages_says_what_the_types_say_of_each_field():
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert text.count("| field | value |") > 10
    assert with_tables(text) == text, "run: python -m scripts.messages_page"


def test_every_field_of_a_message_says_what_it_says():
    silent = [
        f"{name}.{field}"
        for name, kind in message_schema()["$defs"].items()
        for field, schema in kind["properties"].items()
        if field != "type" and "description" not in schema
    ]
    assert not silent, "write a docstring below each in the class of the message"


def test_every_limit_stands_beside_its_setting():
    text = " ".join(line.strip(" #") for line in config_file().splitlines())
    text = " ".join(text.replace("#", " ").split())
    limits = {setting.limits for table in tables() for setting in table.settings}
    assert "From 0.25 to 4" in limits
    for each in limits:
        assert each in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_exist(path):
    text = CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_has_its_place_in_the_site():
    named = set(re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert {path.name for path in DOCS.glob("*.md")} <= named


def test_the_site_loads_no_fonts_from_elsewhere():
    assert re.search(r"^  font: false\b", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)


def test_readme_is_short_and_starts_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    assert re.search(r"^make run\b.*\nmake test\b", text, re.MULTILINE)


def test_the_picture_of_the_rooms_shows_what_imports_what():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "flowchart" in text
    assert with_picture(text, picture(imported_rooms())) == text, (
        "run: python -m scripts.rooms_picture"
    )


def test_every_file_that_contributing_names_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w./-]+(?:\.(?:py|md|sh|toml)|/))`", text):
        assert (ROOT / name).exists() or any((ROOT / "rtgenre").rglob(name)), name


def test_the_site_names_files_outside_of_it_and_keeps_links_inside():
    text = "[card](../models/crnn/README.md#limits), [rooms](rooms.md)"
    assert on_page_markdown(text) == "`models/crnn/README.md`, [rooms](rooms.md)"


def test_the_examples_of_messages_are_such_as_are_sent():
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    state, health = (json.loads(block) for block in blocks[:2])
    assert state.keys() == a_state().keys()
    assert tuple(state["probabilities"]) == read_model_info(find_model_folder("crnn")).labels
    probability = state["probabilities"][state["genre"]]
    assert state["confidence"] == pytest.approx(
        probability * state["familiar_probability"], abs=1e-4
    )
    assert health["nodes"]["kitchen"].keys() == node_document().keys()
    topics = dict(re.findall(r"^rtgenre/kitchen/(\w+) (\S+)$", text, re.MULTILINE))
    assert topics["genre"] == state["genre"]
    assert float(topics["confidence"]) == pytest.approx(state["confidence"], abs=0.005)
    assert topics["color"] == GENRE_COLORS[state["genre"]]


def node_document():
    _, document = health_document([NodeHealth("kitchen", "a test", None, 1.0, 4.0)], "1")
    return document["nodes"]["kitchen"]
