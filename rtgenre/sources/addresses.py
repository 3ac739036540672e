"""Network addresses: where anybody on the internet may lead us, half ones, users in them; pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Addresses that translate to IPv4 ones, the last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")
# radio.example/live, or 10.0.0.7:8000, without what an address begins with.
_BARE = re.compile(
    r"(([a-z0-9-]+\.)+[a-z]{2,}|\d+(\.\d+){3})(:\d+(/.*)?|/.*)", re.DOTALL | re.IGNORECASE
)


def bare_address_hint(text: str) -> str:
    """Say how an address that lacks ``http://`` is written; empty for what is none."""
    return f"; for the stream of that name write http://{text}" if _BARE.fullmatch(text) else ""


def without_user(url: str) -> str:
    """Return an address without user and password."""
    return re.sub(r"://[^/?#]*@", "://", url)


def is_public(text: str) -> bool:
    """Say whether a numeric address is one of the internet's, not of this machine or network."""
    address = ip_address(text.split("%", maxsplit=1)[0])
    if isinstance(address, IPv6Address):
        address = _embedded(address) or address
    return address.is_global and not address.is_multicast


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
