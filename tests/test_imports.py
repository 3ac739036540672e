"""Holds the imports to the rules of CONTRIBUTING.md."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from scripts.rooms_picture import imported_rooms

PACKAGE = Path(__file__).parent.parent / "rtgenre"

ONLY_IMPORTERS = {
    "aiomqtt": {
        "outputs/mqtt/broker.py",
        "outputs/mqtt/publisher.py",
        "hub/subscription.py",
    },
    "paho": {"outputs/mqtt/broker.py"},
    "websockets": {
        "outputs/web/server.py",
        "outputs/web/connection.py",
        "hub/own_service.py",
        "commands/bench.py",
    },
    "sounddevice": {"sources/portaudio.py"},
    "soundfile": {"sources/libsndfile.py"},
    "soxr": {"audio/samples.py"},
    "ai_edge_litert": {"model/classifier.py"},
    "prometheus_client": {"monitoring/metrics.py"},
    "zeroconf": {"outputs/web/mdns.py"},
    "sqlite3": {"history/sqlite_store.py", "history/store.py", "learning/taught/store.py"},
    "mutagen": {"tagging/song_tags.py", "tagging/genre_tags.py"},
    "dbus_fast": {"sources/mpris.py"},
    "tomlkit": {"config/writing.py"},
    "pyarrow": {"tagging/tables/parquet_table.py"},
    "dask": {"tagging/cluster.py"},
    "distributed": {"tagging/cluster.py"},
    "fsspec": {"tagging/remote.py"},
    "matplotlib": {"history/plot.py", "tagging/file_plot.py"},
    "keras": set(),
    "tensorflow": set(),
    "librosa": set(),
    "numba": set(),
    "training": set(),
}

PURE = [
    "types.py",
    "errors.py",
    "sources/backoff.py",
    "audio/samples.py",
    "audio/ring.py",
    "audio/windows.py",
    "audio/columns.py",
    "model/head.py",
    "model/info.py",
    "learning/cross_validation.py",
    "learning/examples.py",
    "learning/familiarity.py",
    "learning/fitting.py",
    "learning/folds.py",
    "learning/genres.py",
    "learning/lesson.py",
    "learning/regression.py",
    "learning/report.py",
    "model/feature_params.py",
    "model/features.py",
    "model/filter_banks.py",
    "learning/taught/stretch.py",
    "learning/taught/genres.py",
    "learning/taught/memory.py",
    "learning/taught/values.py",
    "messages/taught.py",
    "tracking/evidence.py",
    "tracking/recent.py",
    "tracking/silence.py",
    "tracking/smoothing.py",
    "tracking/verdict.py",
    "messages/documents.py",
    "messages/payload.py",
    "messages/columns.py",
    "monitoring/health.py",
    "monitoring/speed.py",
    "history/moments.py",
    "history/stretches.py",
    "outputs/colors.py",
    "outputs/lights/scenes.py",
    "outputs/mqtt/entities.py",
    "outputs/mqtt/homeassistant.py",
    "outputs/mqtt/topics.py",
    "outputs/web/auth.py",
    "outputs/web/lobby.py",
    "hub/claims.py",
    "hub/greeting.py",
    "hub/inbox.py",
    "hub/node.py",
    "hub/reading.py",
    "sources/addresses.py",
    "sources/devices.py",
    "sources/ogg.py",
    "sources/pcm.py",
    "sources/players.py",
    "sources/playlist.py",
    "sources/stream_problem.py",
    "sources/title.py",
    "tagging/sampling.py",
    "tagging/song.py",
    "tagging/sparing.py",
    "tagging/summary.py",
    "tagging/tables/line_formats.py",
]

TRAINING = PACKAGE.parent / "training"

ROOMS_OF_TRAINING: dict[str, set[str]] = {
    "data": set(),
    "scoring": {"data"},
    "release": {"data", "scoring"},
    # What hears runs as TFLite, as the service runs it.
    "frontends": {"data", "release"},
    "networks": {"data", "frontends"},
    "crnn": {"data", "frontends", "networks", "release", "scoring"},
}
"""Which other rooms each may use; commands may use all."""

IMPURE_LIBRARIES = {"asyncio", "logging", "time", "os", "socket", "threading", "subprocess"}


@cache
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


def test_the_package_has_few_enough_rooms_to_find_ones_way():
    rooms = {
        path.name
        for path in PACKAGE.iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
    }
    assert len(rooms) <= 20, sorted(rooms)


def test_no_rooms_import_each_other_in_a_circle():
    try:
        TopologicalSorter(imported_rooms()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


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


@pytest.mark.parametrize("room", ROOMS_OF_TRAINING)
def test_a_room_of_training_uses_no_command_and_only_the_rooms_it_may(room):
    used = set()
    for path in (TRAINING / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "training":
                used.add(node.module.split(".")[1])
    assert used <= ROOMS_OF_TRAINING[room] | {room}


def test_the_readme_of_training_names_every_command_room_and_module():
    readme = (TRAINING / "README.md").read_text(encoding="utf-8")
    for path in TRAINING.rglob("*.py"):
        name = path.stem if path.parent == TRAINING else path.name
        assert path.stem == "__init__" or f"`{name}`" in readme, path
    assert {path.parent.name for path in TRAINING.glob("*/__init__.py")} == set(ROOMS_OF_TRAINING)


def test_what_the_linter_lets_pass_stands_in_one_place_with_its_reason():
    marks = [
        path.relative_to(PACKAGE.parent).as_posix()
        for folder in ("rtgenre", "training", "tests", "scripts", "benchmarks", "examples")
        for path in (PACKAGE.parent / folder).rglob("*.py")
        if re.search(r"#\s*noqa", path.read_text(encoding="utf-8"))
    ]
    assert not marks, "write a rule for the file into pyproject.toml, under per-file-ignores"


def test_the_service_starts_without_anything_that_only_training_needs():
    program = "import rtgenre.commands.run, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = {name.split(".")[0] for name in result.stdout.split()}
    assert not loaded & {"tensorflow", "keras", "librosa", "numba", "scipy", "matplotlib"}
    assert not loaded & {"pyarrow", "distributed", "dask", "fsspec", "mutagen", "dbus_fast"}


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
