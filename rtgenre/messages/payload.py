"""Builds the JSON documents from what the stages know; ``documents.py`` says what they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rtgenre.audio.columns import COLUMNS, FLOOR_DB
from rtgenre.messages.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.messages.documents import (
        AboutDocument,
        HelloDocument,
        HelloSource,
        HubDocument,
        PresenceDocument,
        SpectrogramScale,
        StateDocument,
        StatusDocument,
    )
    from rtgenre.model.info import ModelInfo
    from rtgenre.types import FloatArray, GenreState, Prediction, Track, Window


def state_document(
    *,
    node: str,
    source: str,
    track: Track | None,
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
        "title": None if track is None else track.title,
        "artist": None if track is None else track.artist,
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
    gone: bool = False,
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
        "gone": gone,
        "instance": instance,
    }


def hello_document(
    *,
    version: str,
    info: ModelInfo,
    labels: Sequence[str] | None = None,
    colors: dict[str, str],
    hop_seconds: float,
    sources: Sequence[HelloSource],
    instance: str = "",
    settings: bool = False,
) -> HelloDocument:
    """Build the greeting of a WebSocket client; ``labels`` are the model's where none are given."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "hello",
        "version": version,
        "model": info.name,
        "model_version": info.version,
        "model_checksum": info.short_checksum,
        "labels": list(info.labels if labels is None else labels),
        "colors": dict(colors),
        "window_seconds": info.features.window_seconds,
        "hop_seconds": hop_seconds,
        "spectrogram": spectrogram_scale(),
        "sources": list(sources),
        "settings": settings,
        "instance": instance,
    }


def spectrogram_scale() -> SpectrogramScale:
    """Say how the page's spectrogram columns are to be read: the same for every model."""
    return {
        "columns_per_second": round(COLUMNS.frames_per_second, 3),
        "n_mels": COLUMNS.n_mels,
        "fmin_hz": COLUMNS.fmin_hz,
        "fmax_hz": COLUMNS.fmax_hz,
        "floor_db": FLOOR_DB,
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
        "repeats_requests": True,
        "hello": {**hello, "sources": sources},
    }


def presence_document(
    *,
    node: str,
    instance: str,
    present: bool,
    problem: str | None,
    spectrogram_problem: str | None,
    time: float,
) -> PresenceDocument:
    """Build what a hub says about one of its nodes; ``time`` is Unix seconds."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "presence",
        "time": iso_utc(time),
        "node": node,
        "instance": instance,
        "present": present,
        "problem": problem,
        "spectrogram_problem": spectrogram_problem,
    }


def hub_document(problem: str | None, *, time: float) -> HubDocument:
    """Build what a hub says about itself; ``time`` is Unix seconds."""
    return {
        "schema": SCHEMA_VERSION,
        "type": "hub",
        "time": iso_utc(time),
        "node": "",
        "problem": problem,
    }


def iso_utc(unix_seconds: float) -> str:
    """Write Unix seconds as ISO 8601 in UTC with milliseconds, ending in ``Z``."""
    moment = datetime.fromtimestamp(unix_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def playing_text(artist: str | None, title: str | None) -> str:
    """Write what plays in one text, as far as that is said; empty where it is not."""
    return " - ".join(text for text in (artist, title) if text)


def _by_label(labels: Sequence[str], probabilities: FloatArray) -> dict[str, float]:
    return {label: round(float(p), 5) for label, p in zip(labels, probabilities, strict=True)}
