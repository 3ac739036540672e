"""Processors for ARM that QEMU knows, and how Linux describes them to programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processor:
    """One of them."""

    name: str
    """For QEMU."""
    board: str
    part: int
    features: str

    def description(self) -> str:
        """Write what ``/proc/cpuinfo`` says of four cores of it.

        LiteRT chooses by it how to compute, and crashes where it finds that of another machine.
        """
        return "".join(
            f"processor\t: {core}\nFeatures\t: {self.features}\nCPU implementer\t: 0x41\n"
            f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {self.part:#x}\n"
            "CPU revision\t: 3\n\n"
            for core in range(4)
        )


_BASE = "fp asimd evtstrm crc32 cpuid"
PROCESSORS = (
    Processor("cortex-a72", "Raspberry Pi 4", 0xD08, _BASE),
    Processor(
        "cortex-a76", "Raspberry Pi 5", 0xD0B, f"{_BASE} atomics fphp asimdhp asimdrdm asimddp"
    ),
    Processor("cortex-a53", "Raspberry Pi Zero 2 W", 0xD03, _BASE),
)
