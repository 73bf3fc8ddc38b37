"""Which addresses may be connected to, for URLs and hosts that others have chosen (SSRF).

Source: IANA's special-purpose address registries (RFC 6890). A name is resolved once, each
address is checked, and it is the checked address that is dialled: a second answer of DNS
(rebinding) changes nothing, and however an address is written, decimal or octal, what the
system makes of it is what is checked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

from vero_deliver.errors import ConfigError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
         "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
         "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
         "168.63.129.16/32"),  # the last is Azure's, to its virtual machines only
    )
)  # fmt: skip
_UNICAST_6: Final = IPv6Network("2000::/3")  # all that was ever given out
# Teredo and ORCHID, documentation, 6to4, documentation
_NOT_PUBLIC_6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052


class BlockedError(httpx.ConnectError):
    """No address of the host may be connected to; nothing was sent."""


def is_public(address: Address) -> bool:
    """True for an address that belongs to nobody's own network, nor to any special purpose."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    inner = address.ipv4_mapped
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return is_public(inner)
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system resolves the host to, in its order of preference. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Guard:
    """Lets through what is public, and what `allow` names: hosts, addresses, networks.

    allow: "hooks.internal", "10.1.2.3", "10.1.0.0/16". A host is allowed wherever it leads.
    """

    def __init__(self, allow: Sequence[str] = (), *, resolve: Resolve = system_addresses) -> None:
        if isinstance(allow, str):
            raise ConfigError("allow: give a list of hosts, addresses and networks")
        self._networks: list[IPv4Network | IPv6Network] = []
        self._hosts: set[str] = set()
        for entry in allow:
            try:
                self._networks.append(ip_network(entry))
            except ValueError as error:
                if "/" in entry or "*" in entry or not entry.strip():
                    raise ConfigError(f"allow: {entry!r} is no host and no network") from error
                self._hosts.add(_plain(entry))
        self._resolve = resolve

    def allows_host(self, host: str) -> bool:
        """True where the project has named the host, or the address that it is."""
        try:
            return self._allows(ip_address(host))
        except ValueError:
            return _plain(host) in self._hosts

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to dial, at least one. Raises BlockedError, OSError."""
        found = await self._resolve(host, port)
        if _plain(host) in self._hosts:
            return list(found)
        allowed = [each for each in found if self._may(each)]
        if found and not allowed:
            shown = found[0] if found[0] == host else f"{host} is {found[0]}, which"
            raise BlockedError(
                f"{shown} is not public; where it should be reached, name it in `allow`"
            )
        return allowed

    def _may(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return is_public(address) or self._allows(address)

    def _allows(self, address: Address) -> bool:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
