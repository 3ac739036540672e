"""Documents as the pipeline makes them, for the tests of what follows it."""

from rtgenre.payload import SCHEMA_VERSION, StateDocument, iso_utc

LABELS = ("blues", "jazz", "rock")
START = 1_700_000_000.0


def state(genre="jazz", *, node="kitchen", sequence=0, seconds=0.0, since=0.0, **changes):
    """Return a state document; ``genre`` may be a label, "unknown" or "silence"."""
    shown = genre if genre in LABELS else None
    probabilities = {label: 0.8 if label == shown else 0.1 for label in LABELS}
    if shown is None:
        probabilities = dict.fromkeys(LABELS, round(1 / 3, 5))
    document: StateDocument = {
        "schema": SCHEMA_VERSION,
        "type": "state",
        "time": iso_utc(START + seconds),
        "sequence": sequence,
        "node": node,
        "source": "file: test.wav",
        "state": "music" if shown else genre,
        "genre": shown,
        "confidence": max(probabilities.values()),
        "since": iso_utc(START + since),
        "probabilities": probabilities,
        "raw_probabilities": probabilities,
        "music_probability": 1.0,
        "level_dbfs": -20.0,
        "clipped_samples": 0,
        "invalid_samples": 0,
        "latency_ms": 12.0,
        "window_start_seconds": seconds,
        "window_end_seconds": seconds + 4,
    }
    return document | changes
