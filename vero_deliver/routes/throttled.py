"""A channel that is handed no more than it may be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from vero_deliver.channel import Channel, R, Receipt
from vero_deliver.errors import ConfigError, Deferred, Misconfigured, Refused
from vero_deliver.rendered import Rendered, RenderedEmail, RenderedHttp, RenderedSms
from vero_deliver.routes.guard import Guarded
from vero_deliver.routes.health import Health
from vero_deliver.routes.limits import Bucket, Limit, Limits, Quotas, Window
from vero_deliver.routes.members import Route
from vero_deliver.routes.queue import Levels, OverLimit, Queue
from vero_deliver.routes.rates import Rate, parse

_EVEN: Final = 0.05  # seconds of a rate that go at once, so that late timers cost no throughput


class Throttled(Route[R]):
    """Holds a channel to rates and quotas; sends wait for their turn, first come, first served.

    rate: of all messages together, "100/s"; rate_per_domain: to each domain of a recipient or of
    a URL; rate_per_sender: from each address, or sender of text messages. A token bucket each:
    in any t seconds at most `burst` + t * rate messages; `burst` is a twentieth of a second's
    messages, at least one, unless given.
    quota, quota_per_domain, quota_per_sender: "50000/day" or "1000/hour", at most so many in any
    day or hour. A message that was not accepted does not count.
    max_wait: seconds that a send may wait for its turn; then, or at once where that can be
    foreseen, it is Deferred with retry_after.

    A message counts once, however many recipients it has at one domain. Rates are counted in this
    process only: two processes may each have half of them. quotas: what counts quotas for all
    processes; none where each has its own.
    """

    def __init__(
        self,
        channel: Channel[R],
        rate: str = "",
        *,
        rate_per_domain: str = "",
        rate_per_sender: str = "",
        quota: str = "",
        quota_per_domain: str = "",
        quota_per_sender: str = "",
        burst: int | None = None,
        max_wait: float = 60.0,
        name: str = "",
        health: Health | None = None,
        quotas: Quotas | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__([channel], name or channel.name, health)
        if burst is not None and burst < 1:
            raise ConfigError(f"route {self.name!r}: burst must be at least 1, not {burst}")
        if not max_wait >= 0:
            raise ConfigError(f"route {self.name!r}: max_wait must be 0 or more, not {max_wait}")
        self._burst, self._max_wait, self._clock = burst, max_wait, clock
        self._domains = [
            *self._buckets("rate_per_domain", rate_per_domain, " to {}"),
            *self._windows("quota_per_domain", quota_per_domain, " to {}"),
        ]
        self._senders = [
            *self._buckets("rate_per_sender", rate_per_sender, " from {}"),
            *self._windows("quota_per_sender", quota_per_sender, " from {}"),
        ]
        overall = [*self._buckets("rate", rate), *self._windows("quota", quota)]
        self._overall = tuple(limits.of("", clock()) for limits in overall)
        self._queue = Queue(clock)
        self._quotas = quotas

    async def send(self, rendered: R, key: str) -> Receipt:
        """The channel's receipt, once it is its turn.

        Deferred: it waited for `max_wait`, or would have; every other error is the channel's.
        Cancelling while it waits gives the place to the next.
        """
        [member] = self._members
        if isinstance(member, Guarded) and (error := await member.shut()) is not None:
            raise error  # rather than wait for a turn and then not be tried
        levels = self._levels(rendered)
        try:
            taken_at = await self._queue.turn(levels, self._max_wait)
        except OverLimit as over:
            detail = f"over the {over.label}; it is free again in {over.wait:.1f} s"
            raise Deferred(detail, channel=self.name, retry_after=over.wait) from None
        windows = [limit for limit in _all(levels) if isinstance(limit, Window)]
        shared: list[Window] = []
        try:
            await self._take(windows, shared)
            return await member.send(rendered, key)
        except (Refused, Deferred, Misconfigured):
            for limit in windows:
                limit.undo(taken_at)
            for limit in shared:
                await self._quotas.give_back(self.name, limit.label, limit.quota)  # type: ignore[union-attr]
            self._queue.serve()
            raise

    async def _take(self, windows: Iterable[Window], shared: list[Window]) -> None:
        """Count one of each for all processes, those that were into `shared`; else Deferred."""
        for limit in windows if self._quotas else ():
            wait = await self._quotas.take(self.name, limit.label, limit.quota)  # type: ignore[union-attr]
            if wait:
                detail = f"over the {limit.label}, by all processes; ask again in {wait:.1f} s"
                raise Deferred(detail, channel=self.name, retry_after=wait)
            shared.append(limit)

    def _levels(self, rendered: Rendered) -> Levels:
        now = self._clock()
        domains = [limits.of(key, now) for key in _domains(rendered) for limits in self._domains]
        senders = [limits.of(key, now) for key in _senders(rendered) for limits in self._senders]
        return tuple(domains), tuple(senders), self._overall

    def _buckets(self, what: str, text: str, suffix: str = "") -> Iterator[Limits]:
        if text:
            rate = self._parsed(what, text)
            burst = self._burst or max(1, int(_EVEN / rate.interval))
            yield Limits(lambda key: Bucket(rate, burst, f"rate of {rate}{suffix.format(key)}"))

    def _windows(self, what: str, text: str, suffix: str = "") -> Iterator[Limits]:
        if text:
            quota = self._parsed(what, text)
            yield Limits(lambda key: Window(quota, f"quota of {quota}{suffix.format(key)}"))

    def _parsed(self, what: str, text: str) -> Rate:
        try:
            return parse(what, text)
        except ConfigError as error:
            raise ConfigError(f"route {self.name!r}: {error}") from None


def _all(levels: Levels) -> Iterable[Limit]:
    return (limit for level in levels for limit in level)


def _domains(rendered: Rendered) -> Iterable[str]:
    """Where it goes: domains of an email's recipients, the host of a URL; others have none."""
    match rendered:
        case RenderedEmail():
            return dict.fromkeys(e.rpartition("@")[2].lower() for e in rendered.recipients)
        case RenderedHttp():
            return (urlsplit(rendered.url).hostname or "",)
        case _:
            return ()


def _senders(rendered: Rendered) -> Iterable[str]:
    """Whom it comes from; pushes and requests have no sender."""
    match rendered:
        case RenderedEmail():
            return (rendered.from_.email.lower(),)
        case RenderedSms():
            return (rendered.from_,)
        case _:
            return ()
