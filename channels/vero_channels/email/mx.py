"""Email through IP addresses of our own, to the hosts that take it, or over relays (RFC 5321).

Each email goes from one of the sources to one site: the hosts that the domain of its recipients
names in DNS. How fast, and from which source, follows from weights, from a shaping table, from
what the site has said lately, and from how warm a source is there. What may not be sent now is
Deferred, with the seconds to wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from vero_channels.transport.egress.automation import Automation, Stop, answer
from vero_channels.transport.egress.destination import ByMx, ByRelays, Destination, Host
from vero_channels.transport.egress.dialling import Account, Dialler
from vero_channels.transport.egress.dns import Dns
from vero_channels.transport.egress.lanes import Gate, Lane, Lanes
from vero_channels.transport.egress.mta_sts import Fetch, Policies, fetch_policy
from vero_channels.transport.egress.options import (
    DEFAULT_POOL,
    pools_of,
    relays_of,
    schedule_of,
    sources_of,
)
from vero_channels.transport.egress.shaping_file import load
from vero_channels.transport.egress.surroundings import Surroundings
from vero_channels.transport.egress.warm_up import (
    SCHEDULE,
    MemoryWarmUp,
    Taken,
    WarmUp,
)
from vero_channels.transport.smtp_dialogue import Reply
from vero_channels.transport.smtp_email import domain_of, letter_of
from vero_channels.transport.smtp_letter import Letter
from vero_channels.transport.smtp_replies import queue_id
from vero_deliver import mime
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret
from vero_deliver.warm_up import WarmUpStore

_DNS_TIMEOUT: Final = 10.0  # seconds for one question


class Mx:
    """Sends email from several addresses, as its destinations like it.

    sources: name to `address`, `ehlo` and `warm_up`, see Source.
    pools: weights of sources by kind of message, "transactional" or "marketing", or "default";
    without them all sources have the same.
    relays: hosts that take everything instead of the recipients' own, "host" or "host:port": a list
    in order, or weights. username, password: our account there; it needs a good certificate.
    shaping: a file in the format of KumoMTA's shaping.toml, over the table that comes with this.
    warm_up_schedule: messages a day from a source to a provider, from the first day of its warm-up.
    patience: seconds that an email may wait here for its turn; then it is Deferred.
    port: of the recipients' hosts. nameservers: "192.0.2.53" or "192.0.2.53:5353"; else the
    system's. allow_private: send also to hosts that are not on the internet.
    mta_sts: keep to the policies of the recipients' domains (RFC 8461), fetched by `fetch`.
    timeout: seconds to connect and per command; data_timeout: for the answer to the message.
    domains: by the From address, whose keys sign and where bounces go.
    """

    def __init__(
        self,
        sources: Mapping[str, Mapping[str, Any]],
        *,
        pools: Mapping[str, Mapping[str, float]] | None = None,
        relays: Sequence[str] | Mapping[str, float] = (),
        name: str = "mx",
        username: str = "",
        password: str | Secret = "",
        shaping: str | Path | None = None,
        warm_up_schedule: Sequence[int] = SCHEDULE,
        warm_up_store: WarmUpStore | None = None,
        patience: float = 30.0,
        port: int = 25,
        nameservers: Sequence[str] = (),
        allow_private: bool = False,
        mta_sts: bool = True,
        ca_file: str | Path | None = None,
        timeout: float = 60.0,
        data_timeout: float = 300.0,
        domains: Iterable[mime.Domain] = (),
        fetch: Fetch | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._name, self._patience = name, patience
        self._domains = mime.Domains(domains)
        self._world = world = surroundings or Surroundings()
        dns: Dns | None = None
        try:
            self._shaping = load([Path(shaping)] if shaping else [])
            self._sources = sources_of(sources)
            self._pools = pools_of(pools or {}, self._sources, world.random)
            hosts = relays_of(relays)
            schedule = schedule_of(warm_up_schedule)
            if not patience >= 0:
                raise ValueError("patience: a number of seconds, 0 or more")
            if not hosts:
                dns = Dns(nameservers, timeout=_DNS_TIMEOUT)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"channel {name!r}: {error}") from None
        own = self._sources.values()
        account = Account(name, username, password, ca_file, timeout, data_timeout)
        self._dialler = Dialler(account, dns, own, world, allow_private=allow_private)
        for source in own:  # what is wrong is told now, not at a send
            for host in hosts or [Host("mx.example.com", port)]:
                self._dialler.server(source, host)
        self._way: ByMx | ByRelays
        self._direct = dns is not None
        if dns is None:
            self._way = ByRelays(hosts, self._shaping, verified=bool(username))
        else:
            fetch = fetch or partial(fetch_policy, dns=dns, allow_private=allow_private)
            policies = Policies(dns, fetch, world.clock) if mta_sts else None
            names = [source.ehlo for source in own]
            self._way = ByMx(name, dns, policies, self._shaping, port=port, own=names)
        self._automation = Automation(world.clock)
        self._warm_up = WarmUp(schedule, warm_up_store or MemoryWarmUp(), world.now)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: Lanes

    def __repr__(self) -> str:
        return f"Mx({list(self._sources)}, name={self._name!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """False: a server that is told twice delivers twice."""
        return False

    async def send(self, rendered: RenderedEmail, key: str) -> Receipt:
        """Hand over to the recipients' server, for all of them or none.

        Deferred: it was not accepted, or its turn has not come. Uncertain: the connection broke,
        or `data_timeout` passed, after the end of the message had been handed to the network.
        """
        letter, message_id = letter_of(rendered, key, channel=self._name, domains=self._domains)
        try:
            reply = await self._handed_over(letter, rendered)
        except (Deferred, Uncertain) as error:
            error.personal |= self._direct  # other domains have other hosts: the channel works
            raise
        return Receipt(self._name, queue_id(reply) or message_id, self._world.now())

    async def aclose(self) -> None:
        """Let running sends end, then say QUIT. A later send opens new connections."""
        await self._bound().aclose()

    def _bound(self) -> Lanes:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # asyncio.run() made a new loop: the connections died with the old one.
            self._loop, gate = loop, Gate()
            self._lanes = Lanes(
                lambda source: Lane(
                    self._name, source, self._dialler, gate, self._world, self._patience
                )
            )
        return self._lanes

    async def _handed_over(self, letter: Letter, rendered: RenderedEmail) -> Reply:
        lanes = self._bound()
        to = await self._way.find(map(domain_of, letter.recipients))
        tenant = rendered.from_.email.rpartition("@")[2].lower()
        leave = await self._leave(rendered.kind, to, tenant)
        return await self._hand_over(letter, to, tenant, leave, lanes)

    async def _leave(self, kind: str, to: Destination, tenant: str) -> Taken:
        """Leave for the source whose turn it is, or another one where it may not send."""
        pool = self._pools.get(kind) or self._pools[DEFAULT_POOL]
        point = pool.turn(to.site)
        names = list(pool.weights)
        stops: list[Stop] = []
        while names:
            name, point = pool.pick(point, names)
            names.remove(name)
            stop = self._automation.stop(name, to.site, tenant)
            if stop is None and not await self._dialler.reaches(self._sources[name], to):
                stop = Stop(0.0, "no host there speaks IPv6", refused=True)
            if stop is None:
                start = self._sources[name].warm_up
                taken = await self._warm_up.take(name, to.provider or to.site, start)
                if taken is not None:
                    return taken
                until = self._world.clock() + self._warm_up.seconds_left()
                stop = Stop(until, "it is warming up and has sent what it may today")
            stops.append(Stop(stop.until, f"source {name!r}: {stop.why}", stop.refused))
        raise self._stopped(to, stops)

    def _stopped(self, to: Destination, stops: Sequence[Stop]) -> DeliveryError:
        """The error where no source may send; it passes where that of one does."""
        passing = [stop for stop in stops if not stop.refused]
        first = min(passing or stops, key=lambda stop: stop.until)
        detail = f"nothing may be sent to {to.provider or to.domain or to.site} now; {first.why}"
        if not passing:
            return Refused(detail, channel=self._name)
        wait = first.until - self._world.clock()
        return Deferred(detail, channel=self._name, retry_after=max(0.0, wait))

    async def _hand_over(
        self, letter: Letter, to: Destination, tenant: str, leave: Taken, lanes: Lanes
    ) -> Reply:
        source = self._sources[leave.source]
        usual = self._shaping.shape(to.domain, to.provider, source.name)
        shape = self._automation.shape(source.name, to.site, usual)
        try:
            return await lanes.of(source, to.site).hand_over(letter, to, shape)
        except DeliveryError as error:
            if error.code:
                rules = self._shaping.rules(to.domain, to.provider)
                self._automation.heard(source.name, to.site, tenant, answer(error), rules)
            if not isinstance(error, Uncertain):
                await self._warm_up.undo(leave)
            if not (isinstance(error, Misconfigured) and error.code and self._direct):
                raise
            # one recipient's host does not want us: nothing that would stop a channel
            refused = Refused(error.detail, channel=self._name, code=error.code)
        raise refused
