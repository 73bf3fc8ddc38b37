"""Workers: order, retries, deadlines, and a database that is away."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from promising import ADA, BULK, NEWS, PATIENT, Clock, order, queue_many, until

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Message, Outbox, Policy, Receipt, RenderedSms, Sms, Worker
from vero_deliver.errors import Deferred, Misconfigured, OutboxError, Uncertain
from vero_deliver.outbox.records import Result, Start

pytestmark = pytest.mark.anyio


async def test_transactional_goes_before_bulk(outbox: Outbox) -> None:
    """Always, also where bulk has waited for longer."""
    memory = Memory()
    deliverer = Deliverer(sms=memory, outbox=outbox)
    for number in range(20):
        await deliverer.enqueue(BULK, ADA, key=f"bulk{number}", data={"n": number})
    await queue_many(deliverer, 5)
    await Worker(deliverer, concurrency=1).run(drain=True)
    assert [sent.key.startswith("k") for sent in memory.sent] == [True] * 5 + [False] * 20


async def test_a_deferred_delivery_is_tried_again(outbox: Outbox) -> None:
    """Until it is accepted; each attempt is told."""
    memory = Memory()
    memory.fail(Deferred("busy", channel="memory", code="450"), 3)
    deliverer = Deliverer(sms=memory, outbox=outbox, policy=PATIENT)
    await queue_many(deliverer, 1)
    while outbox.count() != {"accepted": 1}:
        await Worker(deliverer).run(drain=True)
    told = [(one.number, one.state, one.code) for one in outbox.attempts("k0-sms")]
    assert told == [(n, "deferred", "450") for n in (1, 2, 3)] + [(4, "accepted", "")]


def expiring(tmp_path: Path, clock: Clock, channel: Memory) -> Deliverer:
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db", clock=clock)
    outbox.create()
    return Deliverer(sms=channel, outbox=outbox, policy=PATIENT)


async def test_misconfigured_keeps_the_message(tmp_path: Path) -> None:
    """The channel is left alone for some minutes; once the settings are right it goes out."""
    clock, memory = Clock(), Memory()
    memory.fail(Misconfigured("bad key", channel="memory"))
    async with expiring(tmp_path, clock, memory) as deliverer:
        assert deliverer.outbox
        await queue_many(deliverer, 1)
        for _ in range(2):
            await Worker(deliverer).run(drain=True)
            assert deliverer.outbox.count() == {"deferred": 1}
        clock.now += 400
        await Worker(deliverer).run(drain=True)
        assert deliverer.outbox.count() == {"accepted": 1}


@pytest.mark.parametrize(
    ("attempts", "retry_after", "chance", "seconds"),
    [(1, None, 0, 15), (1, None, 1, 30), (3, None, 1, 120), (50, None, 1, 3600), (2, 900, 0, 900),
     (1, 10**9, 0, 86_400)],
)  # fmt: skip
def test_waits_grow_and_are_spread(
    attempts: int, retry_after: float | None, chance: float, seconds: float
) -> None:
    """Doubled each time, half of it by chance; never sooner than the provider asks."""
    policy = Policy(random=lambda: chance)
    assert policy.wait(attempts, retry_after) == seconds


async def test_a_deadline_ends_it(tmp_path: Path) -> None:
    """What is not accepted in time is expired, and not sent."""
    clock, memory = Clock(), Memory()
    async with expiring(tmp_path, clock, memory) as deliverer:
        assert deliverer.outbox
        await deliverer.enqueue(
            NEWS, ADA, contents=["sms"], data={"n": 1}, key="k", expires=timedelta(hours=1)
        )
        clock.now += 3_600
        await Worker(deliverer).run(drain=True)
        assert deliverer.outbox.count() == {"expired": 1}
    assert not memory.sent


async def test_a_deadline_leaves_doubt(tmp_path: Path) -> None:
    """What may have arrived is not called expired."""
    clock, memory = Clock(), Memory()
    memory.fail(Uncertain("silence", channel="memory"))
    async with expiring(tmp_path, clock, memory) as deliverer:
        assert deliverer.outbox
        how: Any = {
            "contents": ["sms"],
            "data": {"n": 1},
            "key": "k",
            "expires": timedelta(hours=1),
        }
        await deliverer.send(NEWS, ADA, **how)
        clock.now += 3_600
        await Worker(deliverer).run(drain=True)
        assert deliverer.outbox.count() == {"uncertain": 1}


@pytest.mark.parametrize("jump", [3_600, -3_600])
async def test_a_clock_that_jumps_doubles_nothing(tmp_path: Path, jump: int) -> None:
    """An hour either way while a message is under way: it is sent once, and its answer counts."""
    clock = Clock()

    class Slow(Memory):
        @property
        def idempotent(self) -> bool:
            return False

        async def send(self, rendered: RenderedSms, key: str) -> Receipt:  # type: ignore[override]
            receipt = await super().send(rendered, f"{key}{len(self.sent)}")
            clock.now += jump
            await asyncio.sleep(0.05)
            return receipt

    slow = Slow()
    async with expiring(tmp_path, clock, slow) as deliverer:
        outbox = deliverer.outbox
        assert outbox
        await queue_many(deliverer, 3)
        first = asyncio.create_task(Worker(deliverer, concurrency=1).run(drain=True))
        await until(lambda: slow.sent)
        outbox.recover()
        await Worker(deliverer, concurrency=1).run(drain=True)
        await first
        clock.now += 7_200
        outbox.recover()
        await Worker(deliverer).run(drain=True)
        assert outbox.count() == {"accepted": 3}
    assert len(slow.sent) == 3


async def test_a_late_worker_may_not_start(outbox: Outbox) -> None:
    """A lease that was lost is no leave to send, and its result is evidence only."""
    clock = Clock()
    own = Outbox(outbox.database.engine, clock=clock)
    own.add(NEWS, [order(own, "k")])
    [slow] = own.claim(["sms"], 1)
    clock.now += 61
    assert own.recover() == 1
    [quick] = own.claim(["sms"], 1)
    assert not own.file([Start(slow, "c", False)], []).held
    assert own.file([Start(quick, "c", False)], []).held
    now = own.now()
    gone = Result(leased=slow, state="gone", ended_at=now, started_at=now, channel="c")
    assert not own.file([], [gone]).held
    record = own.get("k")
    assert record
    assert record.state == "sending"


async def test_a_late_answer_ends_the_doubt(outbox: Outbox) -> None:
    """Where nobody else was at it since, the answer that comes after the lease is the truth."""
    clock = Clock()
    own = Outbox(outbox.database.engine, clock=clock)
    own.add(NEWS, [order(own, "k")])
    [leased] = own.claim(["sms"], 1)
    own.file([Start(leased, "c", False)], [])
    clock.now += 61
    own.recover()
    record = own.get("k")
    assert record
    assert (record.state, record.in_doubt) == ("uncertain", True)
    now = own.now()
    late = Result(
        leased=leased, state="accepted", ended_at=now, started_at=now, channel="c", provider_id="p"
    )
    own.file([], [late])
    record = own.get("k")
    assert record
    assert (record.state, record.provider_id, record.in_doubt) == ("accepted", "p", False)


async def test_one_that_breaks_the_renderer_stops_no_other(outbox: Outbox) -> None:
    """A message that cannot be read is waited for, a crash is filed; the others go out."""
    memory = Memory()
    deliverer = Deliverer(sms=memory, outbox=outbox)
    broken = Message(title="T", sms=Sms(body="{{ n"))
    version, user = broken.version, '{"phone": "+420601000001"}'
    bad = order(outbox, "bad-sms", send_key="bad", message_version=version, user=user)
    outbox.add(broken, [bad])
    odd = order(outbox, "odd-sms", send_key="odd", about='{"user": 5}', user=user)
    lost = order(outbox, "lost-sms", send_key="lost", message_version="0", user=user)
    outbox.add(NEWS, [odd, lost])
    await queue_many(deliverer, 3)
    await Worker(deliverer).run(drain=True)
    assert outbox.count() == {"accepted": 3, "deferred": 2, "unrendered": 1}


async def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    """Another program holds the file for a second: nothing is lost."""
    memory = Memory()
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db")
    outbox.create()
    async with Deliverer(sms=memory, outbox=outbox) as deliverer:
        await queue_many(deliverer, 10)
        other = sqlite3.connect(tmp_path / "o.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        work = asyncio.create_task(Worker(deliverer).run(drain=True))
        await asyncio.sleep(1)
        assert not memory.sent
        other.execute("COMMIT")
        other.close()
        await work
        assert outbox.count() == {"accepted": 10}


async def test_a_database_that_is_gone_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes away while a message is under way and comes back: the answer is filed, once."""
    file = tmp_path / "o.db"
    outbox = Outbox(f"sqlite:///{file}")
    outbox.create()

    class Leaving(Memory):
        async def send(self, rendered: RenderedSms, key: str) -> Receipt:  # type: ignore[override]
            receipt = await super().send(rendered, key)
            outbox.close()
            file.rename(tmp_path / "away.db")
            file.mkdir()  # nothing can be opened here
            return receipt

    leaving = Leaving()
    async with Deliverer(sms=leaving, outbox=outbox) as deliverer:
        await queue_many(deliverer, 1)
        with caplog.at_level(logging.WARNING):
            work = asyncio.create_task(Worker(deliverer, poll=0.05).run(drain=True))
            await until(lambda: "trying again" in caplog.text)
            file.rmdir()
            (tmp_path / "away.db").rename(file)
            await work
        assert outbox.count() == {"accepted": 1}
    assert len(leaving.sent) == 1


async def test_a_full_disk_sends_nothing(tmp_path: Path) -> None:
    """Where nothing can be recorded nothing is sent, and the error is the database's own."""
    memory = Memory()
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db")
    outbox.create()
    with outbox.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # of the only connection
    async with Deliverer(sms=memory, outbox=outbox) as deliverer:
        with pytest.raises(OutboxError, match="full"):
            await queue_many(deliverer, 1000)
        with pytest.raises(OutboxError, match="full"):
            await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": "x" * 100_000})
    assert not memory.sent
    outbox.close()
