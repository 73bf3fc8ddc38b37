"""What a source has to do with a site: connections, rates, and the limits they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from vero_channels.transport.egress.amounts import Bucket, Rate
from vero_channels.transport.egress.destination import Destination
from vero_channels.transport.egress.dialling import Dialler
from vero_channels.transport.egress.shaping import Shape
from vero_channels.transport.egress.sources import Source
from vero_channels.transport.egress.surroundings import Surroundings
from vero_channels.transport.smtp_dialogue import Reply
from vero_channels.transport.smtp_letter import Letter
from vero_channels.transport.smtp_pool import Limits, Pool
from vero_channels.transport.smtp_server import Server
from vero_channels.transport.smtp_session import Session
from vero_deliver.errors import Deferred

_LOOK: Final = 0.2  # seconds between looks for a connection that has become idle
_FEW: Final = 1_024  # lanes that are kept without looking for idle ones


class Holder(Protocol):
    """Holds connections, some of which may be idle."""

    def spare(self) -> bool:
        """Close an idle one; False where none is."""
        ...


class Gate:
    """Counts connections by what limits them, from before they are opened until they are gone."""

    def __init__(self) -> None:
        self._held: dict[str, list[Holder]] = {}
        self._left = asyncio.Event()

    async def enter(self, holder: Holder, limits: Mapping[str, int]) -> Callable[[], None]:
        """Wait until there is room for one more; the function that gives it back, once."""
        while full := [key for key, most in limits.items() if self._count(key) >= most]:
            for key in full:
                any(one.spare() for one in self._held[key])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._left.wait()
        for key in limits:
            self._held.setdefault(key, []).append(holder)
        inside = list(limits)

        def leave() -> None:
            while inside:
                self._leave(holder, inside.pop())

        return leave

    def _count(self, key: str) -> int:
        return len(self._held.get(key, ()))

    def _leave(self, holder: Holder, key: str) -> None:
        self._held[key].remove(holder)
        if not self._held[key]:
            del self._held[key]
        self._left.set()
        self._left = asyncio.Event()


class Lane:
    """One source at one site. patience: seconds that a letter waits here for its turn."""

    def __init__(
        self,
        channel: str,
        source: Source,
        dialler: Dialler,
        gate: Gate,
        surroundings: Surroundings,
        patience: float,
    ) -> None:
        self._channel, self._source, self._dialler = channel, source, dialler
        self._gate, self._world, self._patience = gate, surroundings, patience
        self._messages: Bucket | None = None
        self._connections: Bucket | None = None
        self._pools: dict[bool, tuple[Limits, Pool]] = {}  # by whether TLS has to be verified
        self._closing: set[asyncio.Task[None]] = set()
        self._shape = Shape()
        self._to: dict[bool, Destination] = {}

    async def hand_over(self, letter: Letter, destination: Destination, shape: Shape) -> Reply:
        """As Pool.hand_over; Deferred also where it would have to wait for too long."""
        self._shape, self._to[destination.verified] = shape, destination
        self._messages = _bucket(self._messages, shape.max_message_rate)
        await self._turn(self._messages, f"messages to {destination.domain or destination.site}")
        return await self._pool(destination.verified).hand_over(letter)

    def spare(self) -> bool:
        """Close a connection that is idle; False where none is."""
        return any(pool.spare() for _, pool in self._pools.values())

    @property
    def idle(self) -> bool:
        """True where nothing would be lost with it."""
        now = self._world.clock()
        waiting = any(b.wait(now) for b in (self._messages, self._connections) if b)
        return not (self._closing or waiting) and all(p.unused for _, p in self._pools.values())

    async def aclose(self) -> None:
        """Let what is under way be sent, then close every connection."""
        await asyncio.gather(*(pool.aclose() for _, pool in self._pools.values()), *self._closing)

    async def _turn(self, bucket: Bucket | None, what: str) -> None:
        """Wait for a place in the rate; who is cancelled meanwhile leaves it empty."""
        if bucket is None:
            return
        wait = bucket.wait(self._world.clock())
        if wait > self._patience:
            detail = f"source {self._source.name!r}: {what} are {bucket.rate} at most"
            raise Deferred(detail, channel=self._channel, retry_after=wait)
        bucket.take(self._world.clock())
        if wait:
            await self._world.sleep(wait)

    def _pool(self, verified: bool) -> Pool:
        shape = self._shape
        limits = Limits(
            connections=shape.connection_limit,
            messages_per_connection=shape.max_deliveries_per_connection,
            idle=shape.idle_timeout,
        )
        kept = self._pools.get(verified)
        if kept is not None and kept[0] == limits:
            return kept[1]
        if kept is not None:  # its letters are sent as it began, those after it as they are now
            task = asyncio.get_running_loop().create_task(kept[1].aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        best = self._to[verified].hosts[0]

        async def dial(_: Server) -> Session:
            return await self._dial(verified)

        pool = Pool(self._dialler.server(self._source, best), limits, dial)
        self._pools[verified] = limits, pool
        return pool

    async def _dial(self, verified: bool) -> Session:
        shape, destination = self._shape, self._to[verified]
        self._connections = _bucket(self._connections, shape.max_connection_rate)
        await self._turn(
            self._connections, f"connections to {destination.domain or destination.site}"
        )
        limits = {f"{self._source.name} site {destination.site}": shape.connection_limit}
        if destination.provider and shape.provider_connection_limit:
            key = f"{self._source.name} provider {destination.provider}"
            limits[key] = shape.provider_connection_limit
        try:
            async with asyncio.timeout(self._patience):
                leave = await self._gate.enter(self, limits)
        except TimeoutError:
            detail = f"source {self._source.name!r} has all its connections to that provider open"
            raise Deferred(detail, channel=self._channel, retry_after=self._patience) from None
        try:
            session = await self._dialler.open(self._source, destination, shape)
        except BaseException:
            leave()
            raise
        session.dialogue.when_closed = leave
        if session.dialogue.lost:
            leave()
        return session


class Lanes:
    """A lane for each source and site; the idle ones are forgotten."""

    def __init__(self, make: Callable[[Source], Lane]) -> None:
        self._make = make
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._sweep_at = _FEW

    def of(self, source: Source, site: str) -> Lane:
        """The lane of that source to that site."""
        if len(self._lanes) >= self._sweep_at:
            self._lanes = {key: lane for key, lane in self._lanes.items() if not lane.idle}
            self._sweep_at = max(_FEW, 2 * len(self._lanes))
        if (source.name, site) not in self._lanes:
            self._lanes[source.name, site] = self._make(source)
        return self._lanes[source.name, site]

    async def aclose(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(lane.aclose() for lane in self._lanes.values()))


def _bucket(kept: Bucket | None, rate: Rate | None) -> Bucket | None:
    """The bucket that keeps the rate, a new one where it has changed."""
    if rate is None or (kept is not None and kept.rate == rate):
        return kept if rate is not None else None
    return Bucket(rate)
