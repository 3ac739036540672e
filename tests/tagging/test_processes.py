import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from rtgenre.errors import RtgenreError
from rtgenre.tagging.processes import ProcessDied, each_in_processes


def doubled(number):
    return 2 * number


def killing(item):
    """Kill the process for odd numbers, the first time only for those that name a file."""
    number, marker = item
    if marker is not None:
        if marker.exists():
            return number
        marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed_or_doubled(item):
    return killing(item) if item[0] % 2 else 2 * item[0]


def refusing(number):
    raise RtgenreError(f"{number} cannot be used")


def failing(number):
    raise KeyError(number)


def test_every_item_comes_back_once_with_its_own_result():
    assert sorted(each_in_processes(doubled, range(50), processes=2)) == [
        (number, 2 * number) for number in range(50)
    ]


def test_nothing_to_do_starts_no_process():
    assert list(each_in_processes(doubled, [])) == []


def test_an_item_whose_process_is_killed_is_done_by_another(tmp_path):
    items = [(number, tmp_path / str(number)) for number in range(1, 6)]
    items = [(0, None), *items]
    answers = dict(each_in_processes(killed_or_doubled, items, processes=2))
    assert {item[0]: answer for item, answer in answers.items()} == {
        0: 0, 1: 1, 2: 4, 3: 3, 4: 8, 5: 5,
    }  # fmt: skip


def test_an_item_that_kills_two_processes_is_a_value_and_the_others_are_done():
    items = [(0, None), (2, None), (1, None), (4, None), (3, None), (6, None)]
    answers = {item[0]: answer for item, answer in each_in_processes(
        killed_or_doubled, items, processes=1
    )}  # fmt: skip
    assert answers == {0: 0, 2: 4, 4: 8, 6: 12, 1: ProcessDied(-9), 3: ProcessDied(-9)}
    assert str(answers[1]) == "the process that judged it ended 2 times (signal 9)"


def test_processes_that_cannot_do_anything_are_an_error_and_not_started_for_ever():
    items = [(2 * number + 1, None) for number in range(1000)]
    with pytest.raises(RtgenreError, match=r"6 processes ended \(signal 9\) before one file"):
        list(each_in_processes(killed_or_doubled, items, processes=2))


def test_an_error_in_words_is_raised_as_such_and_any_other_with_its_traceback():
    with pytest.raises(RtgenreError, match="7 cannot be used"):
        list(each_in_processes(refusing, [7]))
    with pytest.raises(RuntimeError, match="in failing"):
        list(each_in_processes(failing, [7]))


def test_the_processes_end_when_nobody_wants_more():
    answers = each_in_processes(doubled, range(1000), processes=2)
    next(answers)
    children = psutil.Process().children()
    assert len([child for child in children if _is_worker(child)]) == 2
    answers.close()
    assert not [child for child in psutil.Process().children() if _is_worker(child)]


def _is_worker(process):
    with contextlib.suppress(psutil.Error):
        return "spawn_main" in " ".join(process.cmdline())
    return False


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_no_process_is_left_when_ours_is_ended_while_items_are_done(tmp_path, ending):
    program = (
        "import sys; from pathlib import Path\n"
        "from rtgenre.tagging.processes import each_in_processes\n"
        "from tests.tagging.test_processes import doubled_then_waiting\n"
        "if __name__ == '__main__':\n"
        "    for _ in each_in_processes(doubled_then_waiting, range(100), processes=2):\n"
        "        print('one', flush=True)\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "one\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(ending)
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive
        messages = process.stderr.read()
    assert messages.count("Traceback") == (ending == signal.SIGINT)


def doubled_then_waiting(number):
    time.sleep(0.2)
    return 2 * number
