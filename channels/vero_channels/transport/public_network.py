"""The public internet and nothing else, for requests to a URL that somebody else has chosen."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 behind a translator


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
    if not address or not is_public(address):
        raise NotPublicError("the host is not on the public internet")


def is_public(address: str) -> bool:
    """False for this machine, private and link-local networks, multicast, and IPv4 of such kinds
    inside IPv6."""
    bare, _, zone = address.partition("%")
    ip = ip_address(bare)
    if isinstance(ip, IPv6Address):
        ip = _inner(ip)
    return not zone and ip.is_global and not ip.is_multicast and not ip.is_reserved


def _inner(ip: IPv6Address) -> IPv4Address | IPv6Address:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo[1] if ip.teredo else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or ip
