"""A Dask cluster of real processes for the tests."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


class DaskCluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self):
        self.processes = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = _line_with(self.scheduler, r"Scheduler at:\s+(tcp://\S+)")

    def add_worker(self):
        worker = self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1"
        )
        _line_with(worker, r"(Registered to|Start worker at)")
        return worker

    def close(self):
        for process in self.processes:
            process.kill()
            process.communicate()

    def _start(self, what, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        process = subprocess.Popen(
            [*command, "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.processes.append(process)
        return process


@contextlib.contextmanager
def dask_cluster(n_workers):
    cluster = DaskCluster()
    try:
        for _ in range(n_workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.close()


def _line_with(process, pattern):
    lines = []
    for line in process.stderr:
        lines.append(line)
        if match := re.search(pattern, line):
            return match[1]
    raise AssertionError("".join(lines))
