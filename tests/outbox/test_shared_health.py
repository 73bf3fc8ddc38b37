"""Workers of one outbox know together which channel fails."""

from __future__ import annotations

import pytest
from promising import PATIENT, Clock, queue_many

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, Worker
from vero_deliver.errors import Deferred
from vero_deliver.outbox.health import SharedCircuits
from vero_deliver.routes.health import Admission, Shut

pytestmark = pytest.mark.anyio


def circuits(outbox: Outbox, clock: Clock, **rules: float) -> SharedCircuits:
    """As another process has them: its own outbox, no memory of what was read."""
    own = Outbox(outbox.database.engine, clock=clock)
    return SharedCircuits(outbox=own, refresh=0.0, random=lambda: 0.0, **rules)  # type: ignore[arg-type]


async def fail(health: SharedCircuits) -> None:
    admission = await health.admit("relay")
    assert isinstance(admission, Admission)
    await health.settle(admission, "failed", "Deferred: 421")


async def test_failures_of_all_processes_open_it(outbox: Outbox) -> None:
    """Three here and two there are five; both then leave the channel alone, and say why."""
    clock = Clock()
    one, other = circuits(outbox, clock), circuits(outbox, clock)
    for health in (one, one, other, other, one):
        await fail(health)
    for health in (one, other):
        assert await health.shut("relay") == Shut(30.0, "Deferred: 421")
        assert await health.shut("another") is None


async def test_a_success_anywhere_closes_it(outbox: Outbox) -> None:
    """One process probes, the others wait for it; its success is everybody's."""
    clock = Clock()
    one, other = circuits(outbox, clock, failures=1), circuits(outbox, clock, failures=1)
    await fail(one)
    clock.now += 31
    probe = await one.admit("relay")
    assert isinstance(probe, Admission)
    assert probe.probe
    assert isinstance(await other.admit("relay"), Shut)
    await one.settle(probe, "works")
    assert await other.shut("relay") is None


async def test_a_probe_that_was_killed_is_forgotten(outbox: Outbox) -> None:
    """Another process probes a minute later."""
    clock = Clock()
    one, other = circuits(outbox, clock, failures=1), circuits(outbox, clock, failures=1)
    await fail(one)
    clock.now += 31
    await one.admit("relay")
    clock.now += 61
    assert isinstance(await other.admit("relay"), Admission)


async def test_a_database_that_fails_lets_through(outbox: Outbox) -> None:
    """No method raises: an error would lose the receipt of what was accepted."""
    health = SharedCircuits(outbox=Outbox("sqlite:////nowhere/at/all.db"))
    admission = await health.admit("relay")
    assert isinstance(admission, Admission)
    await health.settle(admission, "failed", "x")
    assert await health.shut("relay") is None


async def test_a_worker_leaves_a_failing_channel_alone(outbox: Outbox) -> None:
    """After a handful of failures the rest stays queued, untouched."""
    memory = Memory()
    memory.fail(Deferred("busy", channel="memory"), 1000)
    deliverer = Deliverer(sms=memory, outbox=outbox, policy=PATIENT)
    await queue_many(deliverer, 100)
    await Worker(deliverer, concurrency=2).run(drain=True)
    counts = outbox.count()
    assert counts["queued"] > 50
    tried = [record for record in outbox.search(limit=200) if record.attempts]
    assert 5 <= len(tried) < 20
