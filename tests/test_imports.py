"""Holds the imports to the rules of CONTRIBUTING.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rtgenre"

ONLY_IMPORTERS = {
    "aiomqtt": {"outputs/broker.py", "outputs/mqtt.py"},
    "paho": {"outputs/broker.py"},
    "websockets": {"outputs/websocket.py", "outputs/websocket_connection.py", "commands/bench.py"},
    "sounddevice": {"sources/portaudio.py"},
    "soundfile": {"sources/libsndfile.py"},
    "soxr": {"audio.py"},
    "ai_edge_litert": {"classifier.py"},
    "keras": {"classifier.py"},
    "prometheus_client": {"metrics.py"},
    "zeroconf": {"outputs/mdns.py"},
    "sqlite3": {"history/store.py", "outputs/history.py"},
    "matplotlib": {"history/plot.py", "file_plot.py"},
    "tensorflow": set(),
    "librosa": set(),
    "numba": set(),
    "training": set(),
}

PURE = [
    "types.py",
    "errors.py",
    "colors.py",
    "ring.py",
    "windows.py",
    "features.py",
    "silence.py",
    "evidence.py",
    "smoothing.py",
    "verdict.py",
    "payload.py",
    "health.py",
    "lights.py",
    "audio.py",
    "backoff.py",
    "one_line.py",
    "model_info.py",
    "history/moments.py",
    "history/stretches.py",
    "spectrogram/columns.py",
    "spectrogram/message.py",
    "outputs/auth.py",
    "outputs/homeassistant.py",
    "outputs/lobby.py",
    "outputs/topics.py",
    "sources/addresses.py",
    "sources/devices.py",
    "sources/pcm.py",
]

IMPURE_LIBRARIES = {"asyncio", "logging", "time", "os", "socket", "threading", "subprocess"}


def runtime_imports(path):
    """Return the top-level names of modules that a file imports while it runs."""
    found = set()

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node):
            if ast.unparse(node.test) == "TYPE_CHECKING":
                return
            self.generic_visit(node)

        def visit_Import(self, node):
            found.update(alias.name.split(".")[0] for alias in node.names)

        def visit_ImportFrom(self, node):
            found.add(node.module.split(".")[0])

    Visitor().visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("library", ONLY_IMPORTERS)
def test_each_library_has_its_one_importer(library):
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if library in runtime_imports(path)
    }
    assert importers <= ONLY_IMPORTERS[library]


@pytest.mark.parametrize("module", PURE)
def test_the_pure_core_knows_no_loops_clocks_files_or_logs(module):
    assert not runtime_imports(PACKAGE / module) & IMPURE_LIBRARIES


def test_the_service_starts_without_anything_that_only_training_needs():
    program = "import rtgenre.commands.run, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = {name.split(".")[0] for name in result.stdout.split()}
    assert not loaded & {"tensorflow", "keras", "librosa", "numba", "scipy", "matplotlib"}


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_numpy_starts_no_threads_that_spin_between_windows():
    program = (
        "import rtgenre.cli, numpy, os;"
        "numpy.ones((500, 500)) @ numpy.ones((500, 500));"
        "print(len(os.listdir('/proc/self/task')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert result.stdout.strip() == "1"
