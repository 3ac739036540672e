"""Documents as the service builds them, and the service's side of a WebSocket output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtgenre.config import WebSocketConfig
from rtgenre.messages.payload import (
    about_document,
    hello_document,
    presence_document,
    state_document,
    status_document,
)
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.info import ModelInfo
from rtgenre.monitoring.metrics import Metrics
from rtgenre.outputs.web.server import WebSocketOutput
from rtgenre.types import GenreState, PlayState, Prediction, UnknownReason, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtgenre.messages.documents import (
        AboutDocument,
        HelloDocument,
        PresenceDocument,
        StateDocument,
        StatusDocument,
    )
    from rtgenre.messages.hub import Hub

LABELS = ("blues", "jazz", "rock")
COLORS = {
    "blues": "#0000ff",
    "jazz": "#00ff00",
    "rock": "#ff0000",
    "unknown": "#777777",
    "silence": "#000000",
}
NOW = 1_700_000_000.0
INSTANCE = "00c0ffee"


def a_state(
    sequence: int = 0,
    *,
    node: str = "den",
    state: PlayState = PlayState.MUSIC,
    genre: str | None = "jazz",
    reason: UnknownReason = UnknownReason.UNSURE,
    confidence: float = 0.7,
    level_dbfs: float = -20.0,
    familiar: float = 1.0,
    instance: str = INSTANCE,
) -> StateDocument:
    """Return the document of window number ``sequence`` at a 2 s hop."""
    probabilities = np.array([0.2, confidence, 0.8 - confidence], dtype=np.float32)
    is_judged = state is not PlayState.SILENCE and not (
        state is PlayState.UNKNOWN and reason is UnknownReason.NOT_MUSIC
    )
    rate_hz = 22050
    end_sample = (4 + 2 * sequence) * rate_hz
    return state_document(
        node=node,
        source="a test",
        track=None,
        sequence=sequence,
        labels=LABELS,
        sample_rate_hz=rate_hz,
        window=Window(
            samples=np.zeros(4 * rate_hz, dtype=np.float32),
            start_sample=end_sample - 4 * rate_hz,
            end_sample=end_sample,
            captured_at=NOW + 2 * sequence,
            level_dbfs=level_dbfs,
            levels_dbfs=np.full(16, level_dbfs, dtype=np.float32),
        ),
        prediction=Prediction(probabilities, music=1.0),
        state=GenreState(
            state=state,
            genre=genre if state is PlayState.MUSIC else None,
            reason=reason if state is PlayState.UNKNOWN else None,
            confidence=confidence * familiar if is_judged else None,
            held_seconds=2.0 * sequence,
            probabilities=probabilities,
            music=1.0,
            familiar=familiar,
        ),
        time=NOW + 2 * sequence,
        since=NOW,
        clipped_samples=0,
        invalid_samples=0,
        latency_seconds=0.02,
        instance=instance,
    )


def a_status(
    problem: str | None,
    *,
    node: str = "den",
    hint: str | None = None,
    gone: bool = False,
    instance: str = INSTANCE,
) -> StatusDocument:
    """Return the document about a source that was lost or is back."""
    return status_document(
        node=node,
        source="a test",
        problem=problem,
        hint=hint,
        gone=gone,
        time=NOW,
        instance=instance,
    )


def a_presence(
    node: str = "den",
    *,
    present: bool = True,
    problem: str | None = None,
    spectrogram_problem: str | None = None,
    instance: str = INSTANCE,
) -> PresenceDocument:
    """Return what a hub says about a node."""
    return presence_document(
        node=node,
        instance=instance,
        present=present,
        problem=problem,
        spectrogram_problem=spectrogram_problem,
        time=NOW,
    )


def an_about(
    node: str = "den",
    *,
    instance: str = INSTANCE,
    host: str = "raspberry",
    address: str = "",
    realtime: bool = True,
    repeats_requests: bool = True,
) -> AboutDocument:
    """Return what a node tells of itself when it connects to the broker."""
    hello = a_hello(node, instance=instance)
    about = about_document(hello=hello, node=node, host=host, address=address, realtime=realtime)
    if not repeats_requests:
        del about["repeats_requests"]
    return about


def a_hello(
    *nodes: str, names: Mapping[str, str] | None = None, instance: str = INSTANCE
) -> HelloDocument:
    """Return the greeting of a service with these nodes, ``den`` if none is given."""
    return hello_document(
        version="1.2.3",
        info=ModelInfo(
            name="crnn",
            version="4",
            labels=LABELS,
            features=FeatureParams(),
            has_music_output=True,
            checksums={"model.tflite": 8 * "1a2b3c4d"},
        ),
        colors=COLORS,
        hop_seconds=2.0,
        sources=[
            {"node": node, "name": (names or {}).get(node, node), "source": "a test"}
            for node in nodes or ("den",)
        ],
        instance=instance,
    )


def a_websocket_output(hub: Hub, *nodes: str, **options: Any) -> WebSocketOutput:
    """Return an output on a free port; ``options`` beyond its own are settings."""
    arguments = {
        "hello": lambda: a_hello(*nodes),
        "health": lambda: (True, {"ok": True, "version": "1.2.3", "nodes": {}}),
        "metrics": Metrics(),
    }
    own = {*arguments, "columns", "routes", "uploads", "teaching", "news"}
    arguments |= {name: options.pop(name) for name in own & options.keys()}
    return WebSocketOutput(WebSocketConfig(port=0, **options), hub, **arguments)
