"""Asking a service over HTTP without a proxy."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def direct_opener(context: ssl.SSLContext | None = None) -> urllib.request.OpenerDirector:
    """Open addresses of this machine or this network.

    A proxy does not find them, and is not to have a token.

    Args:
        context: says which certificates are trusted; None: the system's.
    """
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
