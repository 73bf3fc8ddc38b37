"""The public internet and nothing else, for requests to a URL that somebody else has chosen."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 behind a translator
_UNICAST: Final = IPv6Network("2000::/3")  # all that IANA has given to the internet


class NotPublicError(Exception):
    """A host leads into a network that is not public; nothing was sent to it."""


async def check_host(host: str, port: int) -> None:
    """Raises NotPublicError where any address of the host is not public, OSError where it has none.

    The name may mean another address a moment later, so `check_peer` is needed as well.
    """
    loop = asyncio.get_running_loop()
    for *_, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        check_peer(str(address[0]))


def check_peer(address: str) -> None:
    """Raises NotPublicError where a connection leads to an address that is not public."""
    if not address or "%" in address or not is_public(ip_address(address)):
        raise NotPublicError("the host is not on the public internet")


def is_public(address: Address) -> bool:
    """Whether that is a host on the internet: not loopback, a private network, or hidden such."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address not in _UNICAST or address.teredo:  # Python counts ::127.0.0.1 and fec0:: as global
        return False
    return address.is_global and (address.sixtofour is None or is_public(address.sixtofour))
