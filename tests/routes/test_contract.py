"""Routes are channels: the shipped contract holds for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vero_channels.memory import Memory
from vero_deliver.channel import Channel
from vero_deliver.errors import Deferred, Misconfigured
from vero_deliver.rendered import RenderedSms
from vero_deliver.routes import Circuits, Failover, RoundRobin, Throttled
from vero_deliver.testing import ChannelContract, sample_sms


class RouteContract(ChannelContract[RenderedSms]):
    """What the three cases below share."""

    carriers = ("one", "two")

    def sample(self, key: str) -> RenderedSms:
        return sample_sms(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.one.sent) + len(self.two.sent)

    def memories(self) -> tuple[Memory, Memory]:
        self.one = Memory(name="one", idempotent=False)
        self.two = Memory(name="two", idempotent=False)
        return self.one, self.two

    def broken(self) -> tuple[Memory, Memory]:
        one, two = self.memories()
        one.fail(Deferred("busy", channel="one"))
        two.fail(Misconfigured("bad key", channel="two"))
        return one, two


class TestFailover(RouteContract):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        yield Failover(self.memories(), health=Circuits())

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedSms]]:
        yield Failover(self.broken(), health=Circuits())


class TestRoundRobin(RouteContract):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        yield RoundRobin(self.memories(), [2, 1], health=Circuits())

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedSms]]:
        yield RoundRobin(self.broken(), health=Circuits())


class TestThrottled(RouteContract):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        one, _ = self.memories()
        yield Throttled(one, rate="1000/s", health=Circuits())

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedSms]]:
        one, _ = self.broken()
        yield Throttled(one, rate="1000/s", health=Circuits())
