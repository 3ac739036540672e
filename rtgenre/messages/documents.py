"""What the JSON documents look like: one schema for WebSocket, MQTT, history and ``--json``.

``/schema.json`` and the tables of ``docs/messages.md`` are made from these types; the tests hold
every message against them. ``payload.py`` builds the documents.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field

# Pydantic checks those of typing only from Python 3.12 on.
from typing_extensions import TypedDict

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
    """What plays, where that is said: by a file's tags or name, a radio, a player, or a program
    over MQTT."""
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
    settings: bool
    """Whether settings can be changed here, at `/settings`. Never at a hub."""
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
    repeats_requests: NotRequired[bool]
    """Whether the answer to a lesson over MQTT repeats its `request`. Missing: it does not."""
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
