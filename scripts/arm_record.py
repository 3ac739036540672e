"""What `make test-arm` found when it last passed, and how long ago that was.

python -m scripts.arm_record    # one line, for whoever reads the output of CI
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "docs" / "arm.json"


@dataclass(frozen=True, slots=True)
class Counts:
    """What one window takes, spectrogram and network; the median of the windows."""

    million_instructions: float
    million_on_vectors: float
    """Those of them that compute with floating-point numbers or vectors."""
    million_for_the_spectrogram: float
    """Those of them that come before the network."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The largest ones between what ARM and x86 make of the same windows."""

    network: float
    """Of any probability, where both networks are given what ARM computed from the sound."""
    features: float
    """Of any number that the network is given, computed from the same recordings."""
    probabilities: float
    """Of any probability, from the recording to the network's output."""

    def of_two_digits(self) -> Differences:
        """Return them as people read them."""
        return Differences(
            *(float(f"{it:.1e}") for it in (self.network, self.features, self.probabilities))
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of ARM beside x86."""

    differences: Differences
    counts: Counts


@dataclass(frozen=True, slots=True)
class ArmRecord:
    """One run that passed."""

    date: str
    """UTC, ISO 8601."""
    commit: str
    model: str
    """Name, version and the beginning of the checksum."""
    python: str
    """That of the emulated machine."""
    windows: int
    """How many were compared on each processor."""
    processors: dict[str, Comparison]
    minutes: int
    """How long the run took."""

    def save(self, path: Path = RECORD) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_record(path: Path = RECORD) -> ArmRecord:
    """Read what was saved."""
    values = json.loads(path.read_text(encoding="utf-8"))
    processors = {
        name: Comparison(Differences(**it["differences"]), Counts(**it["counts"]))
        for name, it in values.pop("processors").items()
    }
    return ArmRecord(processors=processors, **values)


def shipped_model(root: Path = ROOT) -> str:
    """Return the name of the model that ships, as the record has it."""
    info = json.loads((root / "models" / "crnn" / "model.json").read_text(encoding="utf-8"))
    return f"{info['name']} {info['version']} {info['checksums']['model.tflite'][:8]}"


def in_words(record: ArmRecord, today: date, model: str) -> str:
    """Say when ARM passed, and whether the model that ships is still the one that was tried."""
    days = (today - date.fromisoformat(record.date)).days
    ago = {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
    of = [it.differences for it in record.processors.values()]
    line = (
        f"ARM: make test-arm passed {ago}, at {record.commit}: the network within "
        f"{max(it.network for it in of):.0e} of x86's, sound to probability within "
        f"{max(it.probabilities for it in of):.0e}"
    )
    return line if record.model == model else f"{line}; the model is another since, run it again"


if __name__ == "__main__":
    print(in_words(read_record(), datetime.now(UTC).date(), shipped_model()))
