"""What ffmpeg is asked for a stream: which addresses it may open, and what it makes of them."""

from __future__ import annotations

import re

from rtgenre.errors import one_line
from rtgenre.sources.addresses import without_user

SAMPLE_RATE_HZ = 44100
N_CHANNELS = 2
# ffmpeg's own limit on network calls, so that it ends even if we are killed.
_NETWORK_TIMEOUT_MICROSECONDS = "20000000"

# What is made of a stream: sound, or the bytes that come.
SAMPLES = (
    *("-map", "0:a:0", "-f", "f32le"),
    *("-ac", str(N_CHANNELS), "-ar", str(SAMPLE_RATE_HZ), "-"),
)
_AS_BYTES = ("-f", "data")
_BYTES = ("-map", "0:0", "-c", "copy", "-f", "data", "-flush_packets", "1", "-")

_HTTP = "http,https,httpproxy,tcp,tls,crypto,data"
# What ffmpeg may open for each kind of address: never a local file, whatever a playlist says.
PROTOCOLS = {
    "http": _HTTP,
    "https": _HTTP,
    "rtsp": "rtsp,rtp,udp,tcp,tls",
    "rtsps": "rtsp,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tcp,tls",
    "mmsh": f"mmsh,{_HTTP}",
    "srt": "srt,udp",
    "rtp": "rtp,udp",
    "udp": "udp",
}


# Those of them in which a server can lead to another one. A proxy that the environment sets
# decides for itself.
GUARDED = frozenset({"http", "https", "mmsh"})


def stream_arguments(url: str, *, as_bytes: bool = False) -> list[str]:
    """Return ffmpeg's arguments for an address.

    Args:
        url: begins with one of ``PROTOCOLS``, in small letters.
        as_bytes: let the bytes through as they come, instead of decoding them.
    """
    scheme = url.partition("://")[0]
    if scheme.startswith("rtsp"):
        by_scheme = ["-rtsp_transport", "tcp"]
    else:
        by_scheme = ["-rw_timeout", _NETWORK_TIMEOUT_MICROSECONDS]
    return [
        *("-loglevel", "level+verbose", "-nostats", "-protocol_whitelist", PROTOCOLS[scheme]),
        *by_scheme,
        *(_AS_BYTES if as_bytes else ()),
        *("-i", url),
        *(_BYTES if as_bytes else SAMPLES),
    ]


def has_end(message: str) -> bool | None:
    """Say by a message of ffmpeg whether what it opened says how long it is; None in another."""
    match = re.match(r"Duration: (N/A|\d+:\d\d:\d\d)", message)
    return None if match is None else match[1] != "N/A"


def masked_url(url: str) -> str:
    """Return the address without what may be secret: user, password, query and fragment."""
    address, query = re.match(r"([^?#]*)(.*)", without_user(url), re.DOTALL).groups()  # type: ignore[union-attr]
    return one_line(f"{address}?…" if query else address)
