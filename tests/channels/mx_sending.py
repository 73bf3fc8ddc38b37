"""What the tests of `mx` share: DNS, hosts at 127.0.0.x, sources beside them, and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from dns_server import DnsServer, dns_server

from vero_channels.email.mx import Mx
from vero_channels.transport.egress.surroundings import Surroundings
from vero_deliver.channel import Receipt
from vero_deliver.errors import DeliveryError
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.testing import sample_email

FIRST, SECOND = "127.0.0.11", "127.0.0.12"
ZONE = f"""
example.org. 60 IN MX 10 mx1.example.org.
example.org. 60 IN MX 20 mx2.example.org.
mx1.example.org. 60 IN A {FIRST}
mx2.example.org. 60 IN A {SECOND}
"""
FAST = '["default"]\nmax_message_rate = "10000/s"\nmax_connection_rate = "10000/s"\n'
A, B, C = ({"address": f"127.0.0.{number}"} for number in (21, 22, 23))


@dataclass
class World:
    """A clock that stands still but for sleeps, and chance that is always the same."""

    time: float = 1_000.0
    today: datetime = datetime(2026, 11, 2, 9, tzinfo=UTC)
    random: Callable[[], float] = field(default_factory=lambda: Random(1).random)

    def __post_init__(self) -> None:
        self._began = self.time

    async def sleep(self, seconds: float) -> None:
        end = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, end)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            clock=lambda: self.time,
            now=lambda: self.today + timedelta(seconds=self.time - self._began),
            sleep=self.sleep,
            random=self.random,
        )


@asynccontextmanager
async def sending(
    port: int, *, zone: str = ZONE, dns: DnsServer | None = None, **options: Any
) -> AsyncIterator[Mx]:
    """A channel that finds its hosts, all of them on that port, in the zone."""
    defaults: dict[str, Any] = {
        "sources": {"a": A},
        "allow_private": True,
        "mta_sts": False,
        "timeout": 10.0,
        "data_timeout": 10.0,
    }
    with dns_server(zone) as own:
        defaults["nameservers"] = [(dns or own).address]
        channel = Mx(port=port, **(defaults | options))
        try:
            yield channel
        finally:
            await channel.aclose()


def to(*emails: str, **changes: Any) -> RenderedEmail:
    """An email to these addresses."""
    return sample_email(to=tuple(map(Address, emails)), **changes)


async def failed(channel: Mx, email: RenderedEmail | None = None) -> Any:
    """The error that one send raises."""
    with pytest.raises(DeliveryError) as caught:
        await channel.send(email or sample_email(), "key-1")
    return caught.value


async def many(channel: Mx, count: int, email: RenderedEmail | None = None) -> list[Receipt]:
    """So many sends, eight at a time."""
    gate = asyncio.Semaphore(8)

    async def one(number: int) -> Receipt:
        async with gate:
            return await channel.send(email or sample_email(), f"key-{number}")

    return await asyncio.gather(*map(one, range(count)))
