from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import sys
import threading

import pytest

from rtgenre.threads import DaemonThreads, usable_cores


async def test_results_and_errors_come_back_to_the_loop():
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    assert await asyncio.to_thread(lambda: threading.current_thread().daemon)
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)


def test_a_blocked_thread_does_not_keep_the_process_from_ending():
    script = (
        "import asyncio, threading\n"
        "from rtgenre.threads import DaemonThreads\n"
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    loop.set_default_executor(DaemonThreads())\n"
        "    loop.run_in_executor(None, threading.Event().wait)\n"
        "asyncio.run(main())\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert finished.returncode == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_many_threads_take_memory_from_two_heaps_instead_of_eight_a_core():
    assert n_heaps("None") > 2
    assert n_heaps("share_heaps()") <= 2


def n_heaps(call):
    """Count the heaps of a process in which twelve threads take memory at once."""
    script = (
        "import ctypes, threading, time\n"
        "from rtgenre.threads import share_heaps\n"
        f"{call}\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p\n"
        "together = threading.Barrier(12)\n"
        "def take():\n"
        "    together.wait()\n"
        "    for _ in range(200): libc.malloc(ctypes.c_size_t(20_000))\n"
        "    together.wait()\n"
        "threads = [threading.Thread(target=take) for _ in range(12)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "told = ctypes.c_void_p(libc.fdopen(1, b'w'))\n"
        "libc.malloc_info(0, told)\n"
        "libc.fflush(told)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=60, check=True
    )
    return told.stdout.count(b"<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no control groups")
@pytest.mark.parametrize(
    ("quota", "around", "expected"),
    [
        ("max 100000", "max 100000", 8),
        ("200000 100000", "max 100000", 2),
        ("max 100000", "150000 100000", 2),
        ("20000 100000", "400000 100000", 1),
        ("900000 100000", "", 8),
        ("nonsense", "0 0", 8),
    ],
)
def test_no_more_cores_are_used_than_a_container_is_allowed(
    tmp_path, monkeypatch, quota, around, expected
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    (tmp_path / "house.slice/music.service").mkdir(parents=True)
    (tmp_path / "house.slice/music.service/cpu.max").write_text(f"{quota}\n")
    if around:
        (tmp_path / "house.slice/cpu.max").write_text(f"{around}\n")
    member = tmp_path / "cgroup"
    member.write_text("1:cpu:/old\n0::/house.slice/music.service\n")
    assert usable_cores(tmp_path, member) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no control groups")
def test_where_nothing_says_what_is_allowed_all_cores_are_used(tmp_path):
    assert usable_cores(tmp_path, tmp_path / "missing") == len(os.sched_getaffinity(0))
