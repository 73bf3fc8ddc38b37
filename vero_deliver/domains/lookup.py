"""Questions to DNS: each has an answer, which may be that there is none, or fails."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal

from vero_deliver.errors import ConfigError

if TYPE_CHECKING:
    from dns.nameserver import Nameserver
    from dns.rdata import Rdata
    from dns.resolver import Resolver

RecordType = Literal["A", "AAAA", "CNAME", "MX", "TXT"]

_PORT = 53
_UDP_OCTETS = 1232  # of an answer over UDP, as the DNS flag day of 2020 has it; else TCP
_AT = re.compile(r"\[(?P<v6>[^\]]+)\](?::(?P<port6>\d+))?|(?P<v4>[\d.]+)(?::(?P<port4>\d+))?")


class Unanswered(Exception):
    """DNS said neither yes nor no: a timeout, SERVFAIL, or an answer that makes no sense."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one name and type; none where there is no such name or no such type.

    values: TXT with its strings joined, "10 mx.example.com" of MX, names without their last dot;
    what is not ASCII is escaped. alias: the name that CNAMEs led to, empty where none did.
    """

    values: tuple[str, ...] = ()
    alias: str = ""


class Lookup:
    """A resolver that keeps its answers. May be used by several threads."""

    def __init__(self, nameservers: Sequence[str] = (), *, timeout: float = 5.0) -> None:
        """ConfigError where there is nobody to ask.

        nameservers: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::1]:53"; none for the system's.
        timeout: seconds for one question, all repeats included.
        """
        self._resolver: Final = _resolver(nameservers, timeout)
        self._known: Final[dict[tuple[str, RecordType], Answer | Unanswered]] = {}
        self._lock: Final = Lock()

    def ask(self, name: str, kind: RecordType) -> Answer:
        """The records of a name. Raises Unanswered."""
        question = (name.lower(), kind)
        with self._lock:
            known = self._known.get(question)
        if known is None:
            known = self._asked(*question)
            with self._lock:
                self._known[question] = known
        if isinstance(known, Unanswered):
            raise known
        return known

    def _asked(self, name: str, kind: RecordType) -> Answer | Unanswered:
        from dns.exception import DNSException, Timeout
        from dns.resolver import NXDOMAIN, NoNameservers

        try:
            answer = self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except NXDOMAIN:
            return Answer()
        except Timeout:
            return Unanswered(f"{name} {kind}: DNS did not answer in {self._resolver.lifetime:g} s")
        except NoNameservers:
            return Unanswered(f"{name} {kind}: the DNS server fails, refuses or makes no sense")
        except (DNSException, OSError, ValueError) as error:
            return Unanswered(f"{name} {kind}: DNS failed: {type(error).__name__}")
        reached = str(answer.canonical_name).rstrip(".").lower()
        return Answer(
            tuple(_value(record) for record in answer.rrset or ()),
            reached if reached != name.rstrip(".") else "",
        )


def _resolver(nameservers: Sequence[str], timeout: float) -> Resolver:
    from dns.resolver import NoResolverConfiguration, Resolver

    try:
        resolver = Resolver(configure=not nameservers)
    except NoResolverConfiguration:
        raise ConfigError("this system names no DNS server; give --nameserver 192.0.2.53") from None
    if nameservers:
        resolver.nameservers = [_nameserver(text) for text in nameservers]
    resolver.lifetime = timeout
    resolver.timeout = timeout / 2.5  # so that a lost datagram is sent again
    resolver.use_edns(0, 0, _UDP_OCTETS)
    return resolver


def _nameserver(text: str) -> Nameserver:
    from dns.nameserver import Do53Nameserver

    found = _AT.fullmatch(text)
    address, port = (text, "") if found is None else (
        found["v6"] or found["v4"],
        found["port6"] or found["port4"] or "",
    )  # fmt: skip
    try:
        address, number = str(ipaddress.ip_address(address)), int(port or _PORT)
    except ValueError:
        number = 0
    if not 0 < number < 65_536:
        raise ConfigError(
            f"nameserver {text!r}: write an IP address, 192.0.2.53 or 192.0.2.53:5353"
        )
    return Do53Nameserver(address, number)


def _value(record: Rdata) -> str:
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.TXT import TXT

    if isinstance(record, TXT):
        return b"".join(record.strings).decode("ascii", "backslashreplace")
    if isinstance(record, MX):
        return f"{record.preference} {str(record.exchange).rstrip('.').lower()}"
    return record.to_text().rstrip(".").lower()
