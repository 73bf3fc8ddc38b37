"""A quota holds for all processes of an outbox together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from promising import Clock

from vero_channels.memory import Memory
from vero_deliver import Outbox, RenderedSms
from vero_deliver.errors import Deferred, Refused
from vero_deliver.outbox.quotas import SharedQuotas
from vero_deliver.project import Project
from vero_deliver.routes import Circuits, Throttled
from vero_deliver.routes.rates import Rate, parse
from vero_deliver.testing import sample_sms

pytestmark = pytest.mark.anyio

TEN: Rate = parse("quota", "10/hour")


class Process:
    """One of several: an outbox of its own over the same tables, and a route."""

    def __init__(self, outbox: Outbox, clock: Clock, quota: str = "10/hour") -> None:
        self.memory = Memory(idempotent=False)
        own = Outbox(outbox.database.engine, clock=clock)
        self.quotas = SharedQuotas(outbox=own)
        self.route: Throttled[RenderedSms] = Throttled(
            self.memory, quota=quota, name="texts", max_wait=0, health=Circuits(),
            quotas=self.quotas, clock=clock,
        )  # fmt: skip

    async def send(self, many: int) -> int:
        """How many of so many went out."""
        sent = await asyncio.gather(
            *(self.route.send(sample_sms(), f"k{n}") for n in range(many)), return_exceptions=True
        )
        failed = [one for one in sent if isinstance(one, BaseException)]
        assert all(isinstance(one, Deferred) and one.retry_after for one in failed), failed
        return many - len(failed)


async def test_two_processes_have_one_quota(outbox: Outbox) -> None:
    """Whoever asks first gets it; an hour later, and a 24th, there is a new one."""
    clock = Clock()
    one, other = Process(outbox, clock), Process(outbox, clock)
    assert [await one.send(4), await other.send(9), await one.send(9)] == [4, 6, 0]
    clock.now += 3_600 - 100
    assert await one.send(1) + await other.send(1) == 0
    clock.now += 300
    assert [await other.send(7), await one.send(7)] == [7, 3]


async def test_a_large_quota_is_taken_in_shares(outbox: Outbox) -> None:
    """Few questions to the database; what is not used in an hour of a day is given back."""
    clock = Clock()
    one, other = Process(outbox, clock, "5000/day"), Process(outbox, clock, "5000/day")
    asked = 0
    fetch = SharedQuotas._fetch

    def counted(*arguments: object) -> float:
        nonlocal asked
        asked += 1
        return fetch(*arguments)  # type: ignore[arg-type]

    SharedQuotas._fetch = counted  # type: ignore[method-assign, assignment]
    try:
        assert await one.send(21) == 21
        assert asked == 5  # five at a time: four are left
        clock.now += 3_600
        assert await one.send(1) == 1
        assert await other.send(4_998) == 4_974  # 21 are used, and five more are taken
        assert await one.send(9) == 4
    finally:
        SharedQuotas._fetch = fetch  # type: ignore[method-assign]


async def test_what_was_not_accepted_does_not_count(outbox: Outbox) -> None:
    """As in one process."""
    clock = Clock()
    one, other = Process(outbox, clock), Process(outbox, clock)
    one.memory.fail(Refused("no", channel="memory"), 5)
    for _ in range(5):
        with pytest.raises(Refused):
            await one.route.send(sample_sms(), "k")
    assert [await other.send(9), await one.send(9)] == [9, 1]


async def test_the_error_says_whose_quota_it_is(outbox: Outbox) -> None:
    """And when it is worth asking again: others may give back before it is free."""
    clock = Clock()
    one, other = Process(outbox, clock), Process(outbox, clock)
    assert await one.send(10) == 10
    with pytest.raises(Deferred, match="over the quota of 10/hour, by all processes") as caught:
        await other.route.send(sample_sms(), "k")
    assert caught.value.retry_after == 60


async def test_a_database_that_fails_lets_through() -> None:
    """Each process then goes by its own count."""
    quotas = SharedQuotas(outbox=Outbox("sqlite:////nowhere/at/all.db"))
    assert await quotas.take("texts", "quota", TEN) == 0.0
    await quotas.give_back("texts", "quota", TEN)


def test_routes_of_a_project_share_them(tmp_path: Path) -> None:
    """Where there is an outbox."""
    (tmp_path / "vero-deliver.toml").write_text(
        '[outbox]\n[channels.a]\ndriver = "json"\nfolder = "out"\n'
        '[routes.texts]\nchannel = "a"\nquota = "10/hour"\n'
        '[env.dev]\nsms = "texts"\n'
    )
    route = Project.find(tmp_path).deliverer().channels["sms"]
    assert isinstance(route, Throttled)
    assert isinstance(route._quotas, SharedQuotas)
