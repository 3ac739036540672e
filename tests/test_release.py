"""What must fit together before a release."""

import json
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from scripts.release import disagreements

ROOT = Path(__file__).parent.parent


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "rtgenre").mkdir()
    (tmp_path / "rtgenre" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-11-26\n\n- Models: crnn 2026.11.26\n"
    )
    app = tmp_path / "deploy" / "home-assistant" / "rtgenre"
    app.mkdir(parents=True)
    (tmp_path / "deploy" / "Dockerfile").write_text('LABEL org.image.version="1.2.0" \\\n')
    (app / "config.yaml").write_text('name: rtgenre\nversion: "1.2.0"\n')
    (app / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0\n\n- New.\n\n## 1.1.0\n")
    model = tmp_path / "models" / "crnn"
    model.mkdir(parents=True)
    (model / "model.json").write_text(json.dumps({"name": "crnn", "version": "2026.11.26"}))
    (model / "README.md").write_text("# crnn 2026.11.26\nA model.\n")
    return tmp_path


def set_version(tree, version):
    """Write another version wherever one stands."""
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        path.write_text(path.read_text().replace("1.2.0", version))


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_tree_in_which_all_agrees_can_be_released(tree):
    assert disagreements(tree) == []


def test_changes_that_belong_to_no_version_are_in_the_way(tree):
    replace(tree / "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Something new.\n")
    problems = disagreements(tree)
    assert any("begins with 'Unreleased', the version is 1.2.0" in problem for problem in problems)


def test_a_version_that_the_changelog_does_not_know_is_in_the_way(tree):
    set_version(tree, "1.3.0")
    replace(tree / "CHANGELOG.md", "1.3.0", "1.2.0")
    (problem,) = disagreements(tree)
    assert "write '## 1.3.0 - YYYY-MM-DD'" in problem


def test_a_version_that_is_not_semantic_is_in_the_way(tree):
    set_version(tree, "1.2")
    (problem,) = disagreements(tree)
    assert "not semantic" in problem


@pytest.mark.parametrize("name", ["Dockerfile", "config.yaml", "CHANGELOG.md"])
def test_an_image_that_would_be_taken_for_the_version_before_is_in_the_way(tree, name):
    (path,) = (tree / "deploy").rglob(name)
    replace(path, "1.2.0", "1.1.0")
    (problem,) = disagreements(tree)
    assert problem == f"{path.relative_to(tree)} says 1.1.0, the version is 1.2.0"


def test_a_model_that_the_changelog_does_not_name_is_in_the_way(tree):
    replace(tree / "models" / "crnn" / "model.json", "2026.11.26", "2026.11.27")
    replace(tree / "models" / "crnn" / "README.md", "2026.11.26", "2026.11.27")
    (problem,) = disagreements(tree)
    assert "crnn 2026.11.27 ships" in problem


def test_a_card_of_another_version_than_its_model_is_in_the_way(tree):
    replace(tree / "models" / "crnn" / "README.md", "2026.11.26", "2026.10.01")
    (problem,) = disagreements(tree)
    assert "export it again" in problem


def test_the_sdist_holds_the_pictures_and_records_that_its_own_tests_look_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    left_out = project["tool"]["hatch"]["build"]["targets"]["sdist"]["exclude"]
    files = [f"/docs/{path.name}" for path in (ROOT / "docs").iterdir()]
    assert "/docs/arm.json" in files
    assert not [file for file in files for pattern in left_out if fnmatch(file, pattern)]
