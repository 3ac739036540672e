"""What `make test-arm` holds ARM to, and what it says when it cannot run."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from scripts.arm import ArmError, differences
from scripts.arm_page import PAGE, Board, page_with, table
from scripts.arm_record import ArmRecord, Comparison, Counts, Differences, in_words, read_record
from scripts.arm_service import check_service

ROOT = Path(__file__).parent.parent
A_RECORD = ArmRecord(
    date="2026-11-20",
    commit="abcdef0",
    model="crnn 1 12345678",
    python="3.13.5",
    windows=8,
    processors={
        "cortex-a53": Comparison(Differences(3e-6, 4e-4, 4e-3), Counts(250.0, 130.0, 20.0)),
        "cortex-a76": Comparison(Differences(1e-6, 4e-4, 3e-3), Counts(230.0, 130.0, 20.0)),
        "cortex-a72": Comparison(Differences(2e-5, 4e-4, 3e-3), Counts(240.0, 130.0, 20.0)),
    },
    minutes=30,
)


@pytest.fixture
def judged(tmp_path):
    """Save judgements whose last output is off by so much, and return their file."""

    def save(off=0.0, shape=(2, 4)):
        path = tmp_path / f"{off}-{shape}.npz"
        outputs = np.full(shape, 0.25, np.float32)
        outputs[-1, -1] += off
        np.savez(path, features=np.ones((2, 6), np.float32), outputs=outputs)
        return path

    return save


def refusal(tmp_path, user_id):
    """Run the script where nothing is but a user and the shell, and return what it says."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "id").write_text(f"#!/bin/sh\necho {user_id}\n")
    (tools / "id").chmod(0o755)
    result = subprocess.run(
        [shutil.which("sh"), "scripts/test-arm.sh", sys.executable],
        check=False,
        cwd=ROOT,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    return result.stderr


def test_a_network_that_says_something_else_of_the_same_input_fails(judged):
    found = differences(judged(), judged(0.0009), lambda _: np.full(4, 0.25))
    assert found.network == pytest.approx(0.0009, rel=1e-3)
    assert found.features == 0.0
    with pytest.raises(ArmError, match=r"network differ by 0\.002 .* at most 0\.001"):
        differences(judged(), judged(0.002), lambda _: np.full(4, 0.25))


def test_an_output_that_is_no_number_fails(judged):
    with pytest.raises(ArmError, match="network differ by nan"):
        differences(judged(), judged(np.nan), lambda _: np.full(4, 0.25))


def test_what_is_heard_may_differ_by_a_hundredth_and_no_more(judged):
    off = judged(0.02)
    arm = iter(np.load(off)["outputs"])
    with pytest.raises(ArmError, match=r"probabilities differ by 0\.02 .* at most 0\.01"):
        differences(judged(), off, lambda _: next(arm))


def test_a_model_with_other_outputs_fails(judged):
    with pytest.raises(ArmError, match=r"outputs have shape \(2, 5\), here \(2, 4\)"):
        differences(judged(), judged(shape=(2, 5)), lambda _: np.full(5, 0.25))


def test_who_is_not_root_is_told_so_in_a_line(tmp_path):
    assert refusal(tmp_path, 1000).count("\n") == 1
    shutil.rmtree(tmp_path / "bin")
    assert "needs root" in refusal(tmp_path, 1000)


def test_a_missing_tool_is_named_with_the_package_that_has_it(tmp_path):
    said = refusal(tmp_path, 0)
    assert said.count("\n") == 1
    assert "mmdebstrap is missing; apt-get install" in said


@pytest.mark.parametrize(
    ("today", "ago"), [(20, "today"), (21, "yesterday"), (27, "7 days ago")], ids=str
)
def test_ci_says_how_long_ago_arm_passed(today, ago):
    said = in_words(A_RECORD, date(2026, 11, today), A_RECORD.model)
    assert f"passed {ago}, at abcdef0" in said
    assert "network within 2e-05 of x86's, sound to probability within 4e-03" in said
    assert "another" not in said


def test_ci_says_that_another_model_was_tried_than_ships():
    said = in_words(A_RECORD, date(2026, 11, 20), "crnn 2 87654321")
    assert "the model is another since" in said


def test_a_record_is_read_as_it_was_saved(tmp_path):
    A_RECORD.save(tmp_path / "arm.json")
    assert read_record(tmp_path / "arm.json") == A_RECORD


def test_a_service_that_ends_at_once_fails_with_its_last_line():
    broken = [shutil.which("sh"), "-c", "echo begun; echo it is broken; exit 3", "sh"]
    with pytest.raises(TimeoutError, match=r"heard no music in .* it is broken"):
        check_service(broken, dict(os.environ))


def test_the_page_shows_what_the_last_run_found():
    page = PAGE.read_text(encoding="utf-8")
    assert page_with(page, read_record()) == page
    assert "million" in page


def test_an_estimate_divides_the_instructions_by_clock_and_pace():
    assert Board("a board", "cortex-a72", 1.5, 2.0).milliseconds(300.0) == pytest.approx(100.0)
    shown = table(A_RECORD)
    assert (
        "| Raspberry Pi 4 | Cortex-A72, 1.5 GHz | 240 million | 107 ms (71 to 160) | 5 % |" in shown
    )
    assert "differ by at most 0.00002 from a PC" in shown
