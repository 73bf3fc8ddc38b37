"""Questions to DNS about where mail goes (RFC 5321 section 5, RFC 7505)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from vero_channels.transport.public_network import Address

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.name import Name
    from dns.nameserver import Nameserver
    from dns.rdata import Rdata

MAX_HOSTS: Final = 16  # of one domain that are looked at: its owner says how many there are
_MAX_ADDRESSES: Final = 8  # of one host
_PORT: Final = 53
_UDP_OCTETS: Final = 1_232  # of an answer over UDP, as the DNS flag day of 2020 has it; else TCP
_CACHED: Final = 50_000  # answers, for as long as each of them says


class NoSuchNameError(Exception):
    """The name does not exist, or cannot."""


class UnansweredError(Exception):
    """DNS said neither yes nor no: a timeout, SERVFAIL, or an answer that makes no sense."""


class Dns:
    """A resolver with a cache.

    nameservers: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::1]:53"; none for the system's.
    timeout: seconds for one question, repeats included. Raises ValueError.
    """

    def __init__(self, nameservers: Sequence[str], timeout: float) -> None:
        self._timeout = timeout
        self._resolver = _resolver([_server_at(text) for text in nameservers], timeout)

    async def mail_hosts(self, domain: str) -> list[tuple[int, str]]:
        """Preference and name of each MX, the best first; one with the name "" is a null MX.

        Empty where the domain exists and has none. Raises NoSuchNameError, UnansweredError.
        """
        from dns.rdtypes.ANY.MX import MX

        found = await self._ask(domain, "MX")
        hosts = {(mx.preference, _text(mx.exchange)) for mx in found if isinstance(mx, MX)}
        return sorted(hosts)[:MAX_HOSTS]

    async def addresses(self, host: str, version: int | None) -> list[Address]:
        """The host's addresses, IPv4 first; of one version where it is given.

        Empty where it has none. Raises UnansweredError where that cannot be told.
        """
        found: list[Address] = []
        for kind, number in (("A", 4), ("AAAA", 6)):
            if version in (None, number):
                try:
                    records = await self._ask(host, kind)
                except NoSuchNameError:
                    return []
                found += [ipaddress.ip_address(record.to_text()) for record in records]
        return found[:_MAX_ADDRESSES]

    async def texts(self, name: str) -> list[str]:
        """The TXT records, each with its strings joined. Errors as mail_hosts."""
        from dns.rdtypes.ANY.TXT import TXT

        found = await self._ask(name, "TXT")
        return [
            b"".join(record.strings).decode("ascii", "replace")
            for record in found
            if isinstance(record, TXT)
        ]

    async def _ask(self, name: str, kind: Literal["A", "AAAA", "MX", "TXT"] | str) -> list[Rdata]:
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, ValueError):
            raise NoSuchNameError(f"{name!r} is no name that DNS could hold") from None
        try:
            answer = await self._resolver.resolve(
                asked, kind, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            raise NoSuchNameError(f"there is no {name}") from None
        except dns.exception.Timeout:
            detail = f"DNS did not answer about {name} in {self._timeout:g} s"
            raise UnansweredError(detail) from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            detail = f"DNS failed about {name} ({type(error).__name__})"
            raise UnansweredError(detail) from None
        return list(answer.rrset or ())


def _resolver(at: Sequence[tuple[str, int]], timeout: float) -> Resolver:
    from dns.asyncresolver import Resolver
    from dns.nameserver import Do53Nameserver
    from dns.resolver import LRUCache, NoResolverConfiguration

    try:
        resolver = Resolver(configure=not at)
    except NoResolverConfiguration:
        raise ValueError("nameservers: this system names none; write ['192.0.2.53']") from None
    if at:
        servers: list[str | Nameserver] = [Do53Nameserver(*one) for one in at]
        resolver.nameservers = servers
    resolver.lifetime, resolver.timeout = timeout, timeout / 2.5  # so that it asks more than once
    resolver.use_edns(0, 0, _UDP_OCTETS)
    resolver.cache = LRUCache(_CACHED)
    return resolver


def _text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if len(name) > 1 else ""


def _server_at(text: str) -> tuple[str, int]:
    wrong = f"nameservers: {text!r} is no IP address; write 192.0.2.53 or 192.0.2.53:5353"
    try:
        bare = str(ipaddress.ip_address(text))
        return bare, _PORT
    except ValueError:
        pass  # it has a port, or is wrong
    try:
        parts = urlsplit(f"//{text}")
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or _PORT
    except ValueError:
        raise ValueError(wrong) from None
