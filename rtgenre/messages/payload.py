"""The JSON documents: one schema for WebSocket, MQTT, history and ``--json``.

``payload.schema.json`` describes them for other programs; the tests hold every message against it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from typing_extensions import TypedDict  # pydantic checks typing's only from Python 3.12 on

from rtgenre.audio.columns import COLUMNS, FLOOR_DB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.model.info import ModelInfo
    from rtgenre.types import FloatArray, GenreState, Prediction, Window

SCHEMA_VERSION = 2
"""Grows when a field is removed or changes its meaning; new fields may come without it."""


class StateDocument(TypedDict):
    """What is playing, sent once per window."""

    schema: int
    type: Literal["state"]
    time: str
    """UTC, ISO 8601: when the window's last sample was heard."""
    sequence: int
    """Counts this node's windows; a jump means that messages were skipped."""
    node: str
    source: str
    title: str | None
    """What the source plays by its own account: a file's name or tags; null where it has none."""
    state: Literal["music", "unknown", "silence"]
    genre: str | None
    """Null unless ``state`` is ``music``."""
    reason: Literal["not_music", "unfamiliar", "unsure"] | None
    """Why no genre is shown; null unless ``state`` is ``unknown``."""
    confidence: float | None
    """How likely it is that this is the genre: its probability times ``familiar_probability``; of
    the likeliest one where none is shown. Null in silence, and where there is no music."""
    since: str
    """UTC, ISO 8601: since when this state and genre have been shown."""
    probabilities: dict[str, float]
    """Smoothed, by genre, summing to one, if it is one of the genres; all the same in silence."""
    raw_probabilities: dict[str, float]
    """Of this window alone."""
    music_probability: float
    """Smoothed probability that this is music at all; 0 in silence."""
    familiar_probability: float
    """Smoothed probability that the music is of one of the genres; 1 in silence."""
    level_dbfs: float
    """RMS of the newest hop."""
    clipped_samples: int
    """Samples at or beyond full scale since the previous message."""
    invalid_samples: int
    """Samples that were not numbers, heard as zeros, since the previous message."""
    latency_ms: float
    """From the window's last sample to this message."""
    window_start_seconds: float
    window_end_seconds: float
    """On the source's own clock, which starts at 0 and counts samples."""
    instance: str
    """Eight hex digits that name the process, new at each start; empty outside the service."""


class StatusDocument(TypedDict):
    """Whether a source is being heard, sent when that changes."""

    schema: int
    type: Literal["status"]
    time: str
    node: str
    source: str
    problem: str | None
    """Why no audio comes; null while all is well."""
    hint: str | None
    """What might be set wrong, though all may be well; else null."""
    instance: str


class HelloSource(TypedDict):
    """One source, as a client is greeted with it."""

    node: str
    name: str
    """The room's name for people; the node where it has none."""
    source: str


class SpectrogramScale(TypedDict):
    """What the columns of the spectrogram stand for."""

    columns_per_second: float
    n_mels: int
    """Bands, on Slaney's mel scale between the two frequencies."""
    fmin_hz: float
    fmax_hz: float
    floor_db: float
    """Level of the value 0; 255 is 0 dB."""


class HelloDocument(TypedDict):
    """The first message to each WebSocket client."""

    schema: int
    type: Literal["hello"]
    version: str
    model: str
    model_version: str
    model_checksum: str
    """First eight digits of the SHA-256 of the model's weights; empty where that is not known."""
    labels: list[str]
    colors: dict[str, str]
    window_seconds: float
    hop_seconds: float
    spectrogram: SpectrogramScale
    sources: list[HelloSource]
    instance: str


class AboutDocument(TypedDict):
    """What a node tells over MQTT of itself and its machine, each time that it connects."""

    schema: int
    type: Literal["about"]
    node: str
    instance: str
    host: str
    """The machine's own name, for people."""
    address: str
    """Where its page is, ``http://…/`` or ``https://…/``; empty where it has none."""
    realtime: bool
    """False for files that are read faster than they play, whose times are nobody's."""
    hello: HelloDocument
    """What its own clients are greeted with, with this node as the only source."""


Document = StateDocument | StatusDocument


def state_document(
    *,
    node: str,
    source: str,
    title: str | None,
    sequence: int,
    labels: Sequence[str],
    sample_rate_hz: int,
    window: Window,
    prediction: Prediction,
    state: GenreState,
    time: float,
    since: float,
    clipped_samples: int,
    invalid_samples: int,
    latency_seconds: float,
    instance: str = "",
) -> StateDocument:
    """Build the message about one window; ``time`` and ``since`` are Unix seconds."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "state",
        "time": iso_utc(time),
        "sequence": sequence,
        "node": node,
        "source": source,
        "title": title,
        "state": state.state.value,
        "genre": state.genre,
        "reason": None if state.reason is None else state.reason.value,
        "confidence": None if state.confidence is None else round(state.confidence, 4),
        "since": iso_utc(since),
        "probabilities": _by_label(labels, state.probabilities),
        "raw_probabilities": _by_label(labels, prediction.probabilities),
        "music_probability": round(state.music, 4),
        "familiar_probability": round(state.familiar, 4),
        "level_dbfs": round(window.level_dbfs, 1),
        "clipped_samples": clipped_samples,
        "invalid_samples": invalid_samples,
        "latency_ms": round(1000 * latency_seconds, 1),
        "window_start_seconds": round(window.start_sample / sample_rate_hz, 3),
        "window_end_seconds": round(window.end_sample / sample_rate_hz, 3),
        "instance": instance,
    }


def status_document(
    *,
    node: str,
    source: str,
    problem: str | None,
    hint: str | None = None,
    time: float,
    instance: str = "",
) -> StatusDocument:
    """Build the message about a source that was lost or is back; ``time`` is Unix seconds."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "status",
        "time": iso_utc(time),
        "node": node,
        "source": source,
        "problem": problem,
        "hint": hint,
        "instance": instance,
    }


def hello_document(
    *,
    version: str,
    info: ModelInfo,
    colors: dict[str, str],
    hop_seconds: float,
    sources: Sequence[HelloSource],
    instance: str = "",
) -> HelloDocument:
    """Build the greeting of a WebSocket client."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "hello",
        "version": version,
        "model": info.name,
        "model_version": info.version,
        "model_checksum": info.short_checksum,
        "labels": list(info.labels),
        "colors": dict(colors),
        "window_seconds": info.features.window_seconds,
        "hop_seconds": hop_seconds,
        "spectrogram": {
            "columns_per_second": round(COLUMNS.frames_per_second, 3),
            "n_mels": COLUMNS.n_mels,
            "fmin_hz": COLUMNS.fmin_hz,
            "fmax_hz": COLUMNS.fmax_hz,
            "floor_db": FLOOR_DB,
        },
        "sources": list(sources),
        "instance": instance,
    }


def about_document(
    *, hello: HelloDocument, node: str, host: str, address: str, realtime: bool
) -> AboutDocument:
    """Build what a node tells of itself; ``hello`` may greet with further sources."""
    sources = [source for source in hello["sources"] if source["node"] == node]
    return {
        "schema": SCHEMA_VERSION,
        "type": "about",
        "node": node,
        "instance": hello["instance"],
        "host": host,
        "address": address,
        "realtime": realtime,
        "hello": {**hello, "sources": sources},
    }


def iso_utc(unix_seconds: float) -> str:
    """Write Unix seconds as ISO 8601 in UTC with milliseconds, ending in ``Z``."""
    moment = datetime.fromtimestamp(unix_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _by_label(labels: Sequence[str], probabilities: FloatArray) -> dict[str, float]:
    return {label: round(float(p), 5) for label, p in zip(labels, probabilities, strict=True)}
