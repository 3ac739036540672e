"""Where a song is heard that is not heard whole; pure."""

from __future__ import annotations


def sample_starts(song_seconds: float, window_seconds: float, sample_seconds: float) -> list[float]:
    """Spread windows evenly over a song.

    Args:
        song_seconds: its length.
        window_seconds: of one window.
        sample_seconds: how much is heard at most; at least one window is.

    Returns:
        Where windows begin, in seconds, in order; they never overlap, and each lies in the middle
        of its share of the song. None where the song is shorter than a window.
    """
    most = max(1, int(sample_seconds / window_seconds + 1e-9))
    count = min(most, int(song_seconds / window_seconds + 1e-9))
    share_seconds = song_seconds / max(count, 1)
    margin_seconds = (share_seconds - window_seconds) / 2
    return [max(0.0, index * share_seconds + margin_seconds) for index in range(count)]
