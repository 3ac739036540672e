"""Who may connect: the checks of Host, Origin and token, as functions of their values."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_TOKEN_CHARACTERS = 16


class Guard:
    """Decides on requests by their headers.

    A page of another site, opened in a browser of this machine, must neither read nor connect:
    its ``Origin`` gives it away. A page that had its own name point here (DNS rebinding) is given
    away by its ``Host`` on loopback, and by not knowing the token anywhere else.
    """

    def __init__(
        self, host: str, token: str, allowed_origins: Sequence[str], *, ingress_from: str = ""
    ) -> None:
        """Take what decides.

        Args:
            host: the address that is listened on.
            token: what clients must know; empty: nothing.
            allowed_origins: other sites whose pages may connect.
            ingress_from: the address from which Home Assistant passes on its users; empty: none.
        """
        self._ingress_from = ip_address(ingress_from) if ingress_from else None
        self._loopback = is_loopback(host)
        self._token = token.encode()
        self._allowed_origins = frozenset(allowed_origins)
        self._loopback_names = {"localhost", "127.0.0.1", "::1", host.lower()} | {
            name for origin in allowed_origins if (name := urlsplit(origin).hostname)
        }

    def knows_token(self, token: str | None) -> bool:
        """Say whether ``token`` is the right one, in a time that does not depend on it."""
        if not self._token:
            return True
        return hmac.compare_digest(self._token, (token or "").encode("utf-8", "surrogatepass"))

    def refusal(self, host: str | None, origin: str | None) -> str | None:
        """Return why a request with these headers is refused; None if it is not."""
        if self._loopback and _host_name(host) not in self._loopback_names:
            return (
                f"the Host header is {host!r}, but only this machine's own names are answered; "
                "behind a proxy, add the site's address to [websocket] allowed_origins"
            )
        if origin is None or origin.lower() in self._allowed_origins:
            return None
        if origin.partition("://")[2].lower() == (host or "").lower():
            return None
        return (
            f"pages of {origin!r} may not connect; "
            "to allow them, add it to [websocket] allowed_origins"
        )

    def is_ingress(self, peer: str | None, ingress_path: str | None) -> bool:
        """Say whether Home Assistant passes on a request of somebody that it has let in.

        Neither alone is enough: anybody can send the header, and the same address also looks
        whether the service is well.

        Args:
            peer: the address that the connection comes from.
            ingress_path: the header ``X-Ingress-Path``.
        """
        if self._ingress_from is None or ingress_path is None or peer is None:
            return False
        address = ip_address(peer.partition("%")[0])
        return self._ingress_from in {address, getattr(address, "ipv4_mapped", None)}

    def is_allowed_site(self, origin: str | None) -> bool:
        """Say whether ``origin`` is another site that the settings allow."""
        return origin is not None and origin.lower() in self._allowed_origins


def checked_token(token: str) -> str:
    """Return ``token`` if it is empty, or long enough to be unguessable and fit for a header.

    Raises:
        ValueError: it is not; the message does not repeat it.
    """
    if 0 < len(token) < MIN_TOKEN_CHARACTERS:
        raise ValueError(
            f"the token has {len(token)} characters, at least {MIN_TOKEN_CHARACTERS} are needed; "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe())'` makes one"
        )
    # Other characters are sent as UTF-8 by some programs and as Latin-1 by others, or not at all.
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        raise ValueError(
            "the token has spaces around it or characters beyond ASCII, which not every program "
            "can send; take letters, digits and signs such as '-'"
        )
    return token


def is_loopback(host: str) -> bool:
    """Say whether ``host`` can only be reached from this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization: Bearer …`` header (RFC 6750), None without one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _host_name(host: str | None) -> str | None:
    """Return the name in a Host header, without port and brackets."""
    if host is None:
        return None
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
