"""Write what `make test-arm` found into docs/raspberry-pi.md, with what it means for the boards.

python -m scripts.arm_page
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scripts.arm_record import ROOT, ArmRecord, read_record

PAGE = ROOT / "docs" / "raspberry-pi.md"
HOP_SECONDS = 2.0
"""How often a window is judged unless the settings say otherwise."""
ERROR_FACTOR = 1.5
"""An estimate may be wrong by as much, either way."""

_TABLE = re.compile(r"(<!-- arm: [^\n]*-->\n).*?(<!-- end of arm -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Board:
    """One that people have, and what its processor is assumed to do."""

    name: str
    processor: str
    """As QEMU calls it."""
    ghz: float
    instructions_a_cycle: float
    """Assumed for programs such as this one: half of what the processor can begin, or less."""

    def milliseconds(self, million_instructions: float) -> float:
        """Estimate how long so many take on one core."""
        return million_instructions / self.ghz / self.instructions_a_cycle


BOARDS = (
    Board("Raspberry Pi 5", "cortex-a76", 2.4, 2.0),
    Board("Raspberry Pi 4", "cortex-a72", 1.5, 1.5),
    Board("Raspberry Pi Zero 2 W, Pi 3", "cortex-a53", 1.0, 0.75),
)


def table(record: ArmRecord) -> str:
    """Return what stands between the marks of the page."""
    heading = "board | processor | instructions a window | a window, estimated | load of one core"
    rows = [f"| {heading} |", "|---|---|---|---|---|"]
    for board in BOARDS:
        counted = record.processors[board.processor].counts.million_instructions
        about = board.milliseconds(counted)
        estimate = f"{about:.0f} ms ({about / ERROR_FACTOR:.0f} to {about * ERROR_FACTOR:.0f})"
        rows.append(
            f"| {board.name} | {board.processor.title()}, {board.ghz:g} GHz | {counted:.0f} "
            f"million | {estimate} | {about / HOP_SECONDS / 10:.0f} % |"
        )
    return "\n".join(["", *rows, "", _differences(record), "", ""])


def _differences(record: ArmRecord) -> str:
    found = [it.differences for it in record.processors.values()]
    network, features, probabilities = (
        f"{max(of):.9f}".rstrip("0").rstrip(".")
        for of in zip(*((it.network, it.features, it.probabilities) for it in found), strict=True)
    )
    return (
        f"The last run was on {record.date}, with Python {record.python}, {record.model}, and "
        f"{record.windows} windows of four recordings on each processor. Given the same "
        f"spectrogram, probabilities differ by at most {network} from a PC's. The spectrograms "
        f"themselves differ by at most {features}. From sound to probability it is at most "
        f"{probabilities}."
    )


def page_with(text: str, record: ArmRecord) -> str:
    """Return the page with the table of this record."""
    return _TABLE.sub(lambda match: match[1] + table(record) + match[2], text)


if __name__ == "__main__":
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), read_record()), encoding="utf-8")
