"""How fast is ``rtgenre tag``, and what does it lose?

``python -m benchmarks.tagging cores``: one process held to one core, and two on two cores, by
turns, on the same songs, with what share of the cores others took meanwhile;
``again``: 20,000 songs that are all done; ``killed``: a Dask cluster of three workers, one of them
killed by SIGKILL and replaced every 20 s; ``start``: a pool of processes and Dask's local cluster;
``sample DATA``: what hearing a part of labelled recordings costs in accuracy, DATA a folder with
``tracks.csv`` and ``audio/``; ``sparing FOLDER``: of whole songs, how much is heard, and whether
that says what hearing all of it says.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.tagging.file_verdict import classify_file
from rtgenre.tagging.finding import find_songs
from rtgenre.tagging.processes import each_in_processes
from rtgenre.tagging.song import Row
from rtgenre.tagging.tables.open_table import ENDINGS, open_table
from rtgenre.tracking.smoothing import TrackerParams
from tests.dask_cluster import dask_cluster

if TYPE_CHECKING:
    from rtgenre.tagging.file_verdict import FileVerdict
    from rtgenre.types import FloatArray, Prediction

KILL_SECONDS = 20.0


def cores(options: argparse.Namespace) -> None:
    """Judge the same songs on one core and on two, by turns."""
    usable = sorted(os.sched_getaffinity(0))[:2]
    if len(usable) < 2:
        raise SystemExit("one core is usable; two are needed")
    with tempfile.TemporaryDirectory() as folder:
        library = make_library(
            Path(folder) / "library", options.songs, options.minutes, options.music
        )
        runs: dict[int, list[_Run]] = {1: [], 2: []}
        for number in range(options.pairs):
            for processes in (1, 2) if number % 2 == 0 else (2, 1):
                output = Path(folder) / f"{number}-{processes}.jsonl"
                # What starts and feeds the process counts as that core's work, too.
                os.sched_setaffinity(0, usable[:processes])
                runs[processes].append(_run(library, output, processes))
        hours = options.songs * options.minutes / 60
        for processes, some in runs.items():
            told = ", ".join(f"{hours * 60 / run.seconds:.2f}" for run in some)
            print(f"{processes} core(s): {told} h of music a minute, start included")
            print("  seconds of a core:", ", ".join(f"{run.used:.1f}" for run in some))
            print("  share of all cores that others took:", *(f"{run.others:.0%}" for run in some))
        pairs = zip(runs[1], runs[2], strict=True)
        print("ratios:", ", ".join(f"{one.seconds / two.seconds:.2f}" for one, two in pairs))


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of ``rtgenre tag``."""

    seconds: float
    used: float
    """Seconds of a core that it took."""
    others: float
    """Share of all cores that everything else took meanwhile."""


def _run(library: Path, output: Path, processes: int) -> _Run:
    started, before, all_before = time.perf_counter(), os.times(), psutil.cpu_times()
    tag(library, output, "--processes", str(processes))
    seconds, after, all_after = time.perf_counter() - started, os.times(), psutil.cpu_times()
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    idle = all_after.idle - all_before.idle
    cores = psutil.cpu_count() or 1
    return _Run(seconds, used, max(0.0, 1 - (used + idle) / (cores * seconds)))


def again(options: argparse.Namespace) -> None:
    """Give the same command when all songs are done."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        for number in range(options.songs):
            path = library / f"{number // 1000:02d}" / f"{number % 1000:03d}.mp3"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"not opened")
        songs, _ = find_songs([str(library)])
        one = Path(folder) / "one.jsonl"
        tag(Path(DEMO_RECORDINGS[0]), one)
        document = json.loads(one.read_text())
        # A song of four minutes has so many sections.
        document["sections"] = tuple(document["sections"] * 8)
        for ending in ENDINGS:
            output = Path(folder) / f"tags{ending}"
            table = open_table(output, list(document["probabilities"]))
            for song in songs:
                about = {"path": song.path, "size": song.size, "modified": song.modified}
                table.append(Row(**(document | about)))
            table.close()
            seconds = []
            for _ in range(options.pairs):
                started = time.perf_counter()
                tag(library, output)
                seconds.append(time.perf_counter() - started)
            told = ", ".join(f"{value:.2f}" for value in seconds)
            print(f"{options.songs} songs done, {ending}: {told} s")


def killed(options: argparse.Namespace) -> None:
    """Kill a worker every 20 s, and look whether every song has one row."""
    with tempfile.TemporaryDirectory() as folder, dask_cluster(3) as cluster:
        library = make_library(Path(folder) / "library", options.songs, options.minutes)
        output = Path(folder) / "tags.jsonl"
        done = threading.Event()
        kills = 0

        def kill() -> None:
            nonlocal kills
            while not done.wait(KILL_SECONDS):
                cluster.processes[1:][kills % 3 - 3].kill()
                kills += 1
                cluster.add_worker()

        killer = threading.Thread(target=kill)
        killer.start()
        started = time.perf_counter()
        tag(library, output, "--scheduler", cluster.address)
        seconds = time.perf_counter() - started
        done.set()
        killer.join()
        paths = Counter(json.loads(line)["path"] for line in output.read_text().splitlines())
        rows = [json.loads(line) for line in output.read_text().splitlines()]
        faults = sum(row["fault"] is not None for row in rows)
        print(
            f"{options.songs} songs in {seconds:.0f} s, {kills} workers killed: {len(paths)} songs "
            f"have rows, {sum(paths.values()) - len(paths)} twice, {faults} with a fault"
        )


def start(options: argparse.Namespace) -> None:
    """Compare a pool of two processes and Dask's local cluster of two."""
    for _ in range(options.pairs):
        for name in ("pool", "dask"):
            program = [sys.executable, "-m", "benchmarks.tagging", f"start-{name}"]
            started = time.perf_counter()
            with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                process.stdout.readline()
                seconds = time.perf_counter() - started
                tree = [psutil.Process(process.pid)]
                tree += tree[0].children(recursive=True)
                memory = sum(each.memory_full_info().pss for each in tree) / 2**20
                process.kill()
                psutil.wait_procs(tree, timeout=10)
            told = f"{len(tree)} processes, {memory:.0f} MB"
            print(f"{name}: both results after {seconds:.2f} s, {told}")


def start_pool(_: argparse.Namespace) -> None:
    answers = each_in_processes(_slowly, range(4), processes=2)
    next(answers)
    next(answers)
    print("two results", flush=True)
    time.sleep(60)


def start_dask(_: argparse.Namespace) -> None:
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = Client(cluster)
    client.gather(client.map(_slowly, range(2), pure=False))
    print("two results", flush=True)
    time.sleep(60)


def _slowly(number: int) -> int:
    time.sleep(0.05)
    return number


def sample(options: argparse.Namespace) -> None:
    """Compare hearing whole recordings with hearing parts of them."""
    with (options.data / "tracks.csv").open(newline="", encoding="utf-8") as file:
        labels = {row["track"]: row["genre"] for row in csv.DictReader(file)}
    wanted = set(options.tracks.read_text().split()) if options.tracks else set(labels)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        library.mkdir()
        for path in sorted((options.data / "audio").iterdir()):
            if path.stem in wanted and labels.get(path.stem, "other") != "other":
                (library / path.name).symlink_to(path)
        genres: dict[str, dict[str, str]] = {}
        for name, flags in (
            ("whole, a window every 2 s", ["--hop-seconds", "2"]),
            ("whole, a window every 4 s", ["--hop-seconds", "4"]),
            ("whole, windows whose neighbours differ", []),
            *((f"{seconds} s of it", ["--sample", str(seconds)]) for seconds in (16, 8, 4)),
        ):
            output = Path(folder) / "tags.jsonl"
            output.unlink(missing_ok=True)
            tag(library, output, "--model", options.model, *flags)
            rows = [json.loads(line) for line in output.read_text().splitlines()]
            probable = {
                Path(row["path"]).stem: max(row["probabilities"], key=row["probabilities"].get)
                for row in rows
                if row["probabilities"]
            }
            genres[name] = probable
            right = np.mean([genre == labels[track] for track, genre in probable.items()])
            whole = next(iter(genres.values()))
            same = np.mean([genre == whole[track] for track, genre in probable.items()])
            print(f"{name}: {len(probable)} recordings, {right:.1%} right, {same:.1%} as whole")


def sparing(options: argparse.Namespace) -> None:
    """Compare hearing every window of whole songs with hearing those whose neighbours differ."""
    classifier = _CountingClassifier.load(find_model_folder(options.model))
    heard: dict[bool, int] = {False: 0, True: 0}
    seconds, same_genre, same_sections, moved = [], [], [], []
    songs, _ = find_songs([str(options.folder)])
    for song in songs:
        verdicts = []
        for is_sparing in (False, True):
            classifier.heard = 0
            verdicts.append(
                classify_file(
                    Path(song.location),
                    classifier,
                    channel="mix",
                    hop_seconds=classifier.info.features.window_seconds,
                    tracker_params=TrackerParams(),
                    sparing=is_sparing,
                )
            )
            heard[is_sparing] += classifier.heard
        whole, part = verdicts
        seconds.append(whole.seconds)
        same_genre.append(whole.genre == part.genre)
        same_sections.append(_same_seconds(whole, part) / whole.seconds)
        pairs = zip(whole.probabilities.values(), part.probabilities.values(), strict=True)
        moved.append(max(abs(one - other) for one, other in pairs))
    share = heard[True] / heard[False]
    print(f"{len(songs)} songs, {sum(seconds) / 3600:.1f} h: {share:.0%} of the windows heard;")
    print(
        f"the same genre {np.mean(same_genre):.1%}, the same sections {np.mean(same_sections):.1%}"
    )
    print(f"a probability moved by {np.median(moved):.3f} at most, median; {max(moved):.3f} at all")


class _CountingClassifier(Classifier):
    """Counts the windows that it hears."""

    heard = 0

    def predict_window(self, samples: FloatArray) -> Prediction:
        self.heard += 1
        return super().predict_window(samples)


def _same_seconds(one: FileVerdict, other: FileVerdict) -> float:
    """Return for how long two verdicts have sections of the same genre."""
    return sum(
        max(0.0, min(a.end_seconds, b.end_seconds) - max(a.start_seconds, b.start_seconds))
        for a in one.sections
        for b in other.sections
        if (a.genre, a.reason) == (b.genre, b.reason)
    )


def make_library(folder: Path, songs: int, minutes: float, music: Path | None = None) -> Path:
    """Make songs as MP3, each of them a recording that is played again and again.

    Args:
        folder: for them; must not be there yet.
        songs: how many, some several times where there are fewer recordings.
        minutes: of each song.
        music: folder of the recordings; None for those of the demo.
    """
    folder.mkdir()
    sources = DEMO_RECORDINGS
    if music is not None:
        sources = [song.location for song in find_songs([str(music)])[0]]
    for number, source in enumerate(sources[:songs]):
        command = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", source]
        command += ["-t", str(60 * minutes), "-ac", "2", "-ar", "44100", "-b:a", "192k"]
        subprocess.run([*command, folder / f"{number}.mp3"], check=True)
    made = sorted(folder.iterdir())
    for number in range(len(made), songs):
        shutil.copy(made[number % len(made)], folder / f"{number}.mp3")
    return folder


def tag(library: Path, output: Path, *flags: str) -> None:
    command = [sys.executable, "-m", "rtgenre", "tag", str(library), "--output", str(output)]
    result = subprocess.run([*command, *flags], check=False, capture_output=True, text=True)
    if result.returncode != 0 and not re.search("rtgenre: /", result.stderr):
        raise SystemExit(result.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for run, songs in (
        (cores, 8),
        (again, 20_000),
        (killed, 60),
        (start, 0),
        (start_pool, 0),
        (start_dask, 0),
        (sample, 0),
        (sparing, 0),
    ):
        command = commands.add_parser(run.__name__.replace("_", "-"))
        command.set_defaults(run=run)
        command.add_argument("--songs", type=int, default=songs)
        command.add_argument("--minutes", type=float, default=4.0, help="of each song")
        command.add_argument("--pairs", type=int, default=3, help="how often it is measured")
        if run is cores:
            command.add_argument("--music", type=Path, help="recordings to make songs of")
        if run is sample:
            command.add_argument("data", type=Path)
            command.add_argument("--tracks", type=Path, help="file that names those to take")
        if run is sparing:
            command.add_argument("folder", type=Path)
        if run in {sample, sparing}:
            command.add_argument("--model", default="crnn")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options.run(options)


if __name__ == "__main__":
    main()
