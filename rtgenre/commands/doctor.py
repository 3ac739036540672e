"""``rtgenre doctor``: tries what the service needs, and says what to do about what fails."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from rtgenre.audio.samples import sanitise, select_channel
from rtgenre.audio.windows import rms_dbfs
from rtgenre.commands.options import add_broker, add_config_file, add_model, add_source, config_of
from rtgenre.commands.process import run_in_event_loop
from rtgenre.model.classifier import Classifier
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import ModelError
from rtgenre.monitoring.speed import skipped_percent, too_slow
from rtgenre.outputs.mqtt.broker_check import check_broker
from rtgenre.outputs.words import source_name
from rtgenre.sources.base import NoInputDevice, SourceError
from rtgenre.sources.open import open_source
from rtgenre.threads import usable_cores

if TYPE_CHECKING:
    import argparse

    from rtgenre.config import Config, SourceConfig
    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Block, Channel, FloatArray

_LISTEN_SECONDS = 3.0
_OPEN_SECONDS = 10.0
_TRIED_WINDOWS = 15
_TOO_QUIET_DBFS = -55.0
_CANCELLED_DB = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    add_source(parser)
    add_model(parser)
    add_broker(parser)
    parser.add_argument(
        "--hub", action="store_true", help="try what `rtgenre hub` needs: the broker alone"
    )


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_of(options)
    return run_in_event_loop(examine_hub(config) if options.hub else examine(config))


class Doctor:
    """Prints each step with its outcome and remembers whether all went well."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.healthy = True

    def good(self, step: str, finding: str) -> None:
        """Print a step that worked."""
        self._console.print(Text.assemble(("ok", "green"), f"    {step}: {finding}"))

    def hint(self, step: str, finding: str, advice: str) -> None:
        """Print a step that worked, but may not do what is wanted."""
        self._console.print(Text.assemble(("hint", "yellow"), f"  {step}: {finding}"))
        self._console.print(Text(f"      → {advice}"))

    def bad(self, step: str, finding: str, remedy: str = "") -> None:
        """Print a step that did not, with what to do about it."""
        self.healthy = False
        self._console.print(Text.assemble(("fail", "red"), f"  {step}: {finding}"))
        if remedy:
            self._console.print(Text(f"      → {remedy}"))


async def examine(config: Config) -> int:
    """Try the model, every source and the broker; return 1 if something failed, else 0."""
    doctor = Doctor(Console(soft_wrap=True))
    classifier = _examine_model(doctor, config)
    if classifier is not None:
        _examine_speed(doctor, config, classifier)
    for source in config.source:
        await _examine_source(doctor, source)
    if config.mqtt.host:
        await _examine_broker(doctor, config)
    else:
        doctor.good("broker", "none is configured ([mqtt] host), so MQTT is off")
    return 0 if doctor.healthy else 1


async def examine_hub(config: Config) -> int:
    """Try the broker, which is all that a hub hears; return 1 if something failed, else 0."""
    doctor = Doctor(Console(soft_wrap=True))
    if config.mqtt.host:
        await _examine_broker(doctor, config, as_hub=True)
    else:
        remedy = "name the one of the rooms with --mqtt-host, or [mqtt] host in the settings"
        doctor.bad("broker", "none is configured, and a hub hears nothing else", remedy)
    return 0 if doctor.healthy else 1


async def _examine_broker(doctor: Doctor, config: Config, *, as_hub: bool = False) -> None:
    for step in await check_broker(config.mqtt, as_hub=as_hub, teaches=config.teach.enabled):
        tell = doctor.good if step.ok else doctor.bad
        tell(f"broker, {step.name}", step.message)


def _examine_model(doctor: Doctor, config: Config) -> Classifier | None:
    started = time.perf_counter()
    try:
        folder = find_model_folder(config.model.folder)
        classifier = Classifier.load(folder, threads=config.model.threads)
    except ModelError as error:
        doctor.bad("model", str(error), "choose another with --model, or install rtgenre again")
        return None
    seconds = time.perf_counter() - started
    doctor.good("model", f"{classifier.info.identity} from {folder} in {seconds:.2f} s")
    return classifier


def _examine_speed(doctor: Doctor, config: Config, classifier: Classifier) -> None:
    """Say whether the machine keeps up with all sources, as far as it can be known beforehand."""
    silence = np.zeros(classifier.info.features.window_samples, dtype=np.float32)
    each_seconds = []
    for _ in range(_TRIED_WINDOWS):
        started = time.perf_counter()
        classifier.predict_window(silence)
        each_seconds.append(time.perf_counter() - started)
    window_seconds = float(np.median(each_seconds))
    hop_seconds, cores = config.windows.hop_seconds, usable_cores()
    n_sources = sum(source.speed != "max" for source in config.source)
    percent = skipped_percent(
        n_sources,
        window_seconds=window_seconds,
        hop_seconds=hop_seconds,
        workers=min(config.model.workers, cores),
    )
    finding = f"a window takes {1000 * window_seconds:.0f} ms"
    if percent == 0:
        doctor.good("speed", finding)
        return
    finding += f", and {n_sources} sources have one every {hop_seconds:g} s"
    workers = config.model.workers
    advice = too_slow(percent, workers=workers, cores=cores, hop_seconds=hop_seconds)
    doctor.hint("speed", finding, advice)


async def _examine_source(doctor: Doctor, config: SourceConfig) -> None:
    step = f"source {config.node}"
    blocks: list[Block] = []
    heard = asyncio.Event()

    async def deliver(block: Block) -> None:
        if _belongs_to(blocks, block):
            blocks.append(block)
        heard.set()
        # Lets the clock run even where a file is read as fast as it goes.
        await asyncio.sleep(0)

    try:
        source = open_source(config)
        task = asyncio.create_task(source.run(deliver))
        heard_task = asyncio.create_task(heard.wait())
        await asyncio.wait({task, heard_task}, timeout=_OPEN_SECONDS, return_when="FIRST_COMPLETED")
        heard_task.cancel()
        await asyncio.wait({task}, timeout=_LISTEN_SECONDS if heard.is_set() else 0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    except NoInputDevice as error:
        remedy = "plug one in, or name a file or a stream with --source; a hub needs none: --hub"
        doctor.bad(step, str(error), remedy)
        return
    except SourceError as error:
        doctor.bad(step, str(error))
        return
    if not blocks:
        remedy = "is it plugged in?" if source.name.startswith("device:") else ""
        doctor.bad(step, source.problem or f"no audio from {source_name(source.name)}", remedy)
        return
    _judge_level(doctor, step, source, blocks, config.channel)


def _belongs_to(blocks: list[Block], block: Block) -> bool:
    """Say whether a block is still judged: of other files channels and rate can be others."""
    if not blocks:
        return True
    first = blocks[0]
    # Files that are read as fast as it goes would fill the memory.
    n_samples = sum(len(each.samples) for each in blocks)
    return (
        n_samples < _LISTEN_SECONDS * first.sample_rate_hz
        and block.sample_rate_hz == first.sample_rate_hz
        and block.samples.shape[1] == first.samples.shape[1]
    )


def _judge_level(
    doctor: Doctor, step: str, source: AudioSource, blocks: list[Block], channel: Channel
) -> None:
    samples, n_invalid, n_clipped = sanitise(np.concatenate([block.samples for block in blocks]))
    rate_hz, n_channels = blocks[0].sample_rate_hz, samples.shape[1]
    try:
        heard = select_channel(samples, channel)
    except ValueError as error:
        doctor.bad(step, f"{source_name(source.name)}: {error}")
        return
    level_dbfs = rms_dbfs(heard)
    finding = (
        f"{source_name(source.name)} at {rate_hz} Hz with {n_channels} "
        f"channel{'s' if n_channels > 1 else ''}, "
        f"level {level_dbfs:.0f} dBFS over {len(samples) / rate_hz:.1f} s"
    )
    has_gain = source.name.startswith("device:")
    if not samples.any() and source.is_microphone:
        doctor.hint(
            step,
            f"{finding}: digital silence",
            "unmute the input, allow this program to use the microphone, or choose another input",
        )
    elif not samples.any():
        doctor.good(step, f"{finding}: digital silence, nothing is playing")
    elif n_invalid:
        doctor.bad(step, f"{finding}: {n_invalid} samples are not numbers", "check the driver")
    elif channel == "mix" and _cancel_each_other(samples, level_dbfs):
        doctor.hint(
            step,
            f"{finding}: its channels cancel each other",
            'listen to one of them: --channel left, or channel = "left" in the settings',
        )
    elif level_dbfs < _TOO_QUIET_DBFS and has_gain:
        doctor.hint(step, f"{finding}: very quiet", "play music, or raise the input's gain")
    elif n_clipped and has_gain:
        doctor.hint(step, f"{finding}: {n_clipped} samples clip", "lower the input's gain")
    else:
        doctor.good(step, finding)


def _cancel_each_other(samples: FloatArray, mix_dbfs: float) -> bool:
    """Say whether much less is left in the mix of all channels than of unlike sounds would be."""
    each_dbfs = rms_dbfs(samples)
    unlike_dbfs = each_dbfs - 10 * math.log10(samples.shape[1])
    return each_dbfs >= _TOO_QUIET_DBFS and mix_dbfs < unlike_dbfs - _CANCELLED_DB
