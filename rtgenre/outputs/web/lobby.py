"""Connections that are no clients yet, and which of them goes when there are too many; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Place:
    network: str
    has_asked: bool = False


class Lobby(Generic[T]):
    """Those that shake hands, take an HTTP response or owe the token; ``max_waiting`` at most.

    One address may take every place that nobody else wants. A newcomer takes the place of one from
    the address that has most: there the oldest that has not sent a request, else the oldest.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        # Oldest first.
        self._places: dict[T, _Place] = {}
        self._n_by_network: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._places)

    def enter(self, guest: T, address: str) -> T | None:
        """Let a connection in and return the one that must go for it, if one must."""
        leaver = self.pop() if len(self._places) >= self._max_waiting else None
        network = client_network(address)
        self._places[guest] = _Place(network)
        self._n_by_network[network] += 1
        return leaver

    def has_asked(self, guest: T) -> None:
        """Note that a connection has sent a whole request."""
        if guest in self._places:
            self._places[guest].has_asked = True

    def leave(self, guest: T) -> None:
        """Forget a connection that was closed or became a client."""
        place = self._places.pop(guest, None)
        if place is None:
            return
        self._n_by_network[place.network] -= 1
        if not self._n_by_network[place.network]:
            del self._n_by_network[place.network]

    def pop(self) -> T | None:
        """Forget the connection that must go first and return it; None if nobody waits."""
        if not self._places:
            return None
        crowded = self._n_by_network.most_common(1)[0][0]
        candidates = [guest for guest, place in self._places.items() if place.network == crowded]
        silent = (guest for guest in candidates if not self._places[guest].has_asked)
        leaver = next(silent, candidates[0])
        self.leave(leaver)
        return leaver


def client_network(address: str) -> str:
    """Return what counts as one address: of IPv6 the first half, which one customer is given."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, 64), strict=False))
