"""The JSON documents: one schema for WebSocket, MQTT, history and ``--json``.

``/schema.json`` is made from these types; the tests hold every message against it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, NotRequired

from pydantic import Field

# Pydantic checks those of typing only from Python 3.12 on.
from typing_extensions import TypedDict

from rtgenre.audio.columns import COLUMNS, FLOOR_DB
from rtgenre.messages.fields import (
    ByGenre,
    Color,
    Count,
    Moment,
    Node,
    NotNegative,
    Positive,
    Probability,
    Reason,
    SchemaVersion,
    ShortHash,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.model.info import ModelInfo
    from rtgenre.types import FloatArray, GenreState, Prediction, Track, Window

SCHEMA_VERSION: Final = 2
"""Grows when a field is removed or changes its meaning; new fields may come without it."""


class StateDocument(TypedDict):
    """What is playing, sent once per window.

    Over WebSocket, on MQTT's <prefix>/<node>/state, by GET /state and by --json.
    """

    schema: SchemaVersion
    type: Literal["state"]
    time: Moment
    """When the last sample of the window was heard."""
    sequence: Count
    """Counts the windows of this node. A jump means that you missed messages."""
    node: Node
    """The room: the name of the source in messages and MQTT topics."""
    source: str
    """What is listened to, for people."""
    title: str | None
    """What plays, where that is said: by a file's tags or name, a radio, or a program over MQTT."""
    artist: str | None
    """Who plays it, where the same says that."""
    state: Literal["music", "unknown", "silence"]
    """Unknown is what is no music, or music whose genre is not clear."""
    genre: str | None
    """The genre that is shown: one of the labels of hello. Null unless state is music."""
    reason: Reason | None
    """Why it is unknown: no music (talk, noise), music of other genres, or no genre that is likely
    enough. Null unless state is unknown."""
    confidence: Probability | None
    """How likely it is that this is the genre: its probability times familiar_probability. Where
    none is shown, that of the likeliest one. Null in silence and where reason is not_music."""
    since: Moment
    """Since when this state and genre are shown."""
    probabilities: ByGenre
    """By genre, smoothed over time, if it is one of the genres. They add up to one. All the same in
    silence."""
    raw_probabilities: ByGenre
    """By genre, of this window alone."""
    music_probability: Probability
    """How likely it is that this is music at all, smoothed. 0 in silence."""
    familiar_probability: Probability
    """How likely it is that the music is of one of the genres, smoothed. 1 in silence."""
    level_dbfs: Annotated[float, Field(ge=-120, le=60)]
    """Level (RMS) of the newest hop in dBFS. -120 is digital silence."""
    clipped_samples: Count
    """Samples at or beyond full scale since the previous message."""
    invalid_samples: Count
    """Samples since the previous message that were no numbers. They are heard as zeros."""
    latency_ms: NotNegative
    """From the last sample of the window to this message."""
    window_start_seconds: NotNegative
    """On the clock of the source, which starts at 0 and counts samples."""
    window_end_seconds: NotNegative
    """On the same clock."""
    instance: ShortHash
    """Which process sent this: new at each start. Empty outside the service."""


class StatusDocument(TypedDict):
    """Whether a source is being heard, sent when that changes.

    Over WebSocket, on MQTT's <prefix>/<node>/status and by --json.
    """

    schema: SchemaVersion
    type: Literal["status"]
    time: Moment
    """When it was sent."""
    node: Node
    """The room: the name of the source in messages and MQTT topics."""
    source: str
    """What is listened to, for people."""
    problem: str | None
    """Why no audio comes. Null while all is well."""
    hint: str | None
    """What might be set wrong, though all may be well, such as a microphone that is muted. Else
    null."""
    gone: bool
    """Whether the input has ended, or has been lost for ten seconds: what was heard before no
    longer counts."""
    instance: ShortHash
    """Which process sent this: new at each start. Empty outside the service."""


class SpectrogramScale(TypedDict):
    """What the columns of the spectrogram stand for."""

    columns_per_second: Positive
    """How many columns there are for each second of sound."""
    n_mels: Annotated[int, Field(ge=1)]
    """Bands, on Slaney's mel scale between the two frequencies."""
    fmin_hz: NotNegative
    """Lower end of the lowest band."""
    fmax_hz: Positive
    """Upper end of the highest band."""
    floor_db: Annotated[float, Field(lt=0)]
    """The level that the value 0 stands for. 255 stands for 0 dB."""


class HelloSource(TypedDict):
    """The sources. Binary spectrogram messages name one by its place in the list, from 0.

    What may be missing comes from a hub only, where a node differs from the message around it.
    """

    node: Node
    """The room: the name of the source in messages and MQTT topics."""
    name: Annotated[str, Field(min_length=1)]
    """What people see in its place: the node where nothing is set."""
    source: str
    """What is listened to, for people."""
    model: NotRequired[str]
    """The node's own."""
    model_version: NotRequired[str]
    """The node's own."""
    model_checksum: NotRequired[ShortHash]
    """The node's own."""
    labels: NotRequired[list[str]]
    """The node's own."""
    colors: NotRequired[dict[str, Color]]
    """The node's own."""
    window_seconds: NotRequired[Positive]
    """The node's own."""
    hop_seconds: NotRequired[Positive]
    """The node's own."""
    spectrogram: NotRequired[SpectrogramScale]
    """The node's own."""


class HelloDocument(TypedDict):
    """The first message to each WebSocket client.

    A hub sends it again when its rooms have changed, and may have none yet.
    """

    schema: SchemaVersion
    type: Literal["hello"]
    version: str
    """Of rtgenre."""
    model: str
    """Name of the model that judges."""
    model_version: str
    """Version of that model."""
    model_checksum: ShortHash
    """Begins the SHA-256 of the model's weights. Empty where that is not known."""
    labels: Annotated[list[str], Field(json_schema_extra={"uniqueItems": True})]
    """The genres: those of the model in the order of its outputs, then taught ones."""
    colors: dict[str, Color]
    """As `#rrggbb`, by genre, and of unknown and silence."""
    window_seconds: Positive
    """How much sound is judged at once."""
    hop_seconds: Positive
    """Time from one window to the next."""
    spectrogram: SpectrogramScale
    """How its columns are to be read."""
    sources: list[HelloSource]
    """The rooms."""
    instance: ShortHash
    """Which process sent this: new at each start. Empty outside the service."""


class AboutDocument(TypedDict):
    """What a node tells of itself and its machine each time that it connects to the broker.

    On MQTT's <prefix>/<node>/about.
    """

    schema: SchemaVersion
    type: Literal["about"]
    node: Node
    """The room: the name of the source in messages and MQTT topics."""
    instance: ShortHash
    """Which process sent this: new at each start. Empty outside the service."""
    host: str
    """The machine's own name, for people."""
    address: Annotated[str, Field(title="address of a page", pattern="^(https?://.*/)?$")]
    """Where its page is. Empty where it has none."""
    realtime: bool
    """False for files that are read faster than they play: then times mean nothing."""
    hello: HelloDocument
    """What its own clients are greeted with. This node is the only source in it."""


class PresenceDocument(TypedDict):
    """What a hub says itself about one of its nodes, when that changes.

    Over WebSocket and by --json.
    """

    schema: SchemaVersion
    type: Literal["presence"]
    time: Moment
    """When it was sent."""
    node: Node
    """The room: the name of the source in messages and MQTT topics."""
    instance: ShortHash
    """The process that is shown. If it is another one, forget what was known of the node."""
    present: bool
    """Whether the node is there, as far as the broker knows."""
    problem: str | None
    """Why it is not, or why what is shown may mislead. Null while all is well."""
    spectrogram_problem: str | None
    """Why there is no spectrogram of this node. Null while there is one, or nobody looks."""


class HubDocument(TypedDict):
    """What a hub says about itself, when that changes.

    Over WebSocket and by --json.
    """

    schema: SchemaVersion
    type: Literal["hub"]
    time: Moment
    """When it was sent."""
    node: Literal[""]
    """Empty: it is about all of them."""
    problem: str | None
    """Why no node is heard. Null while all is well."""


Document = StateDocument | StatusDocument | PresenceDocument | HubDocument
"""What is sent as it happens; the last two come from a hub only."""


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


def _by_label(labels: Sequence[str], probabilities: FloatArray) -> dict[str, float]:
    return {label: round(float(p), 5) for label, p in zip(labels, probabilities, strict=True)}
