"""How old a recorded block is when PortAudio hands it over; pure."""

from __future__ import annotations


class InputAge:
    """Reads the age of one stream's blocks from PortAudio's times, as long as these make sense.

    PulseAudio's times do not: by them sound was recorded before it was heard, or half a second
    late. What its blocks take was measured: 15 to 38 ms in blocks of 20 ms, so about one block.
    """

    def __init__(self, longest_seconds: float) -> None:
        """Begin to trust the times; ages beyond ``longest_seconds`` end that."""
        self._longest_seconds = longest_seconds
        self._trusted = True

    def seconds(self, *, now: float, first_sample_at: float, block_seconds: float) -> float:
        """Return how long ago a block's last sample was heard.

        Args:
            now: PortAudio's time of the callback.
            first_sample_at: its time at which the block's first sample was heard.
            block_seconds: the block's length.
        """
        age_seconds = now - first_sample_at - block_seconds
        # PortAudio's times are doubles; the last sample may be heard a rounding error from now.
        if not -1e-6 <= age_seconds <= self._longest_seconds:
            self._trusted = False
        return max(0.0, age_seconds) if self._trusted else block_seconds
