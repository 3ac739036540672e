"""Announces the service on the local network, so that dashboards and other machines find it."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_TYPE = "_rtgenre._tcp.local."

_EVERY_ADDRESS = {"", "0.0.0.0", "::"}
_RETRY_SECONDS = 60.0
# RFC 6763: a label has at most 63 bytes, a string of the TXT record, "key=value", at most 255.
_MAX_NAME_BYTES = 63
_MAX_PROPERTY_BYTES = 255

logger = logging.getLogger(__name__)

# It tells of a network that is gone with a traceback, though it has dealt with it.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)


class MdnsOutput:
    """Announces one port under ``_rtgenre._tcp`` for as long as ``run`` runs."""

    def __init__(self, *, name: str, host: str, port: int, properties: Mapping[str, str]) -> None:
        """Prepare an announcement, over IPv4.

        Args:
            name: what the service is listed as; a node's name.
            host: the address that the port is opened on; an empty or wildcard one is every address.
            port: the port.
            properties: the TXT record.
        """
        self._name = _cut(name, _MAX_NAME_BYTES)
        self._host = host
        self._port = port
        self._properties = {
            key: _cut(value, _MAX_PROPERTY_BYTES - len(f"{key}=".encode()))
            for key, value in properties.items()
        }

    async def run(self) -> None:
        """Announce until cancelled, then take the announcement back.

        A machine without a network is tried again every minute; one that has other addresses by
        then is announced with them.
        """
        while True:
            try:
                if addresses := await self._addresses():
                    await self._announce(addresses)
                    continue
                logger.info("no local network to announce the service on")
            except (OSError, ZeroconfError) as error:
                logger.info("the local network takes no announcement: %s", str(error) or error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _announce(self, addresses: list[str]) -> None:
        """Announce until the machine has other addresses."""
        zeroconf = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
        try:
            announced = await zeroconf.async_register_service(
                self._info(addresses), allow_name_change=True
            )
            await announced
            logger.info("announced on the local network as %s", f"{self._name}.{SERVICE_TYPE}")
            has_moved = False
            while not has_moved:
                await asyncio.sleep(_RETRY_SECONDS)
                has_moved = await self._addresses() != addresses
        finally:
            # Says goodbye to the network, so that nobody is left with a dead address.
            await zeroconf.async_close()

    async def _addresses(self) -> list[str]:
        """Return the IPv4 addresses of this machine that the port can be reached at."""
        if self._host in _EVERY_ADDRESS:
            return sorted(
                str(address.ip)
                for adapter in ifaddr.get_adapters()
                for address in adapter.ips
                if address.is_IPv4 and not str(address.ip).startswith("127.")
            )
        found = await asyncio.get_running_loop().getaddrinfo(
            self._host, self._port, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
        return sorted({str(address[0]) for *_, address in found})

    def _info(self, addresses: list[str]) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            port=self._port,
            properties=self._properties,
            server=f"{self._name}.local.",
            parsed_addresses=addresses,
        )


def _cut(text: str, n_bytes: int) -> str:
    return text.encode()[:n_bytes].decode(errors="ignore")
