"""Where an email goes: the hosts that take mail for its recipients, which make a site."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from vero_channels.transport.egress.dns import MAX_HOSTS, Dns, NoSuchNameError, UnansweredError
from vero_channels.transport.egress.mta_sts import Policies
from vero_channels.transport.egress.shaping import DEFAULT, Shaping
from vero_deliver.errors import Deferred, Gone, Refused

_DOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label by which a resolver sees an IP


@dataclass(frozen=True, slots=True)
class Host:
    """A host that takes mail. preference: the lower, the sooner. weight: among equal ones."""

    name: str
    port: int
    preference: int = 0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Destination:
    """site: domains with the same hosts share one, unless shaping has a table for the domain.

    provider: its name in the shaping table, or "". verified: TLS with a good certificate or none.
    """

    site: str
    domain: str
    provider: str
    hosts: tuple[Host, ...]
    verified: bool = False


class ByMx:
    """Destinations by DNS. own: names that are ours; mail to them would come back to us."""

    def __init__(
        self,
        channel: str,
        dns: Dns,
        policies: Policies | None,
        shaping: Shaping,
        *,
        port: int,
        own: Iterable[str],
    ) -> None:
        self._channel, self._dns, self._policies, self._shaping = channel, dns, policies, shaping
        self._port = port
        self._own = {name.lower().rstrip(".") for name in own}

    async def find(self, domains: Iterable[str]) -> Destination:
        """The one site where all these domains have their mail. Raises Refused or Deferred."""
        found = await asyncio.gather(*map(self._of, dict.fromkeys(domains)))
        if len({(one.site, one.verified) for one in found}) > 1:
            names = ", ".join(one.domain for one in found[:3])
            raise Refused(
                f"its recipients have their mail at different servers ({names}), and an email is "
                "handed over for all of them or for none; send one email per person",
                channel=self._channel,
            )
        return found[0]

    async def _of(self, domain: str) -> Destination:
        if domain.startswith("["):
            self._refuse(f"{domain} is an address literal; write a domain", "550 5.1.3")
        if not _DOMAIN.fullmatch(domain) or _NUMBER.fullmatch(domain.rpartition(".")[2]):
            self._refuse(f"{domain!r} is no domain that could have mail", "550 5.1.2")
        names = await self._hosts(domain)
        kept = self._without_own(names, domain)
        policy = await self._policies.enforced(domain) if self._policies else None
        if policy is not None:
            kept = [host for host in kept if policy.allows(host.name)]
            if not kept:
                detail = f"no host that takes mail for {domain} is one of its MTA-STS policy"
                raise Deferred(detail, channel=self._channel, code="451 4.7.5")
        return self._destination(domain, kept, verified=policy is not None)

    def _destination(self, domain: str, hosts: Sequence[Host], *, verified: bool) -> Destination:
        names = [host.name for host in hosts]
        provider = self._shaping.provider(domain, names)
        own_table = domain in self._shaping.domains and domain != DEFAULT
        site = domain if own_table else ",".join(names)
        return Destination(site, domain, provider, tuple(hosts), verified)

    async def _hosts(self, domain: str) -> list[Host]:
        try:
            found = await self._dns.mail_hosts(domain)
            if not found:
                await self._implicit(domain)
                found = [(0, domain)]
        except NoSuchNameError:
            self._refuse(f"there is no domain {domain}", "550 5.1.2")
        except UnansweredError as error:
            raise Deferred(str(error), channel=self._channel, code="451 4.4.3") from None
        if not any(name for _, name in found):
            detail = f"{domain} takes no mail (null MX)"
            raise Gone(detail, channel=self._channel, code="556 5.1.10")
        names = [one for one in found if _DOMAIN.fullmatch(one[1])]
        if not names:
            self._refuse(f"the hosts that take mail for {domain} have no valid names", "550 5.4.4")
        return [Host(name, self._port, preference) for preference, name in names]

    async def _implicit(self, domain: str) -> None:
        """Without any MX the domain is its own host, if it has an address (RFC 5321 5.1)."""
        if not await self._dns.addresses(domain, None):
            self._refuse(f"{domain} has neither MX nor address", "550 5.1.2")

    def _without_own(self, hosts: Sequence[Host], domain: str) -> list[Host]:
        """What is preferred to ourselves: the others would hand it on to us (RFC 5321 5.1)."""
        ours = [host.preference for host in hosts if host.name in self._own]
        kept = [host for host in hosts if not ours or host.preference < min(ours)]
        if not kept:
            self._refuse(f"mail for {domain} would come back to us", "554 5.4.6")
        return kept

    def _refuse(self, detail: str, code: str) -> NoReturn:
        raise Refused(detail, channel=self._channel, code=code)


class ByRelays:
    """One destination for everything: hosts of our own that carry it on."""

    def __init__(self, hosts: Sequence[Host], shaping: Shaping, *, verified: bool) -> None:
        names = [host.name for host in hosts]
        provider = shaping.provider("", names)
        self._one = Destination(",".join(names), "", provider, tuple(hosts), verified)

    async def find(self, _domains: Iterable[str]) -> Destination:
        """The relays."""
        return self._one


def in_order(hosts: Sequence[Host], random: Callable[[], float]) -> list[Host]:
    """The hosts by preference; equal ones at random, each first as often as its weight says."""
    # Efraimidis and Spirakis 2006: a key of u ** (1 / weight) draws without replacement
    keyed = [(host.preference, -(random() ** (1 / host.weight)), host) for host in hosts]
    return [host for *_, host in sorted(keyed, key=lambda one: one[:2])][:MAX_HOSTS]
