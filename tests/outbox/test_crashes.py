"""Workers are killed with -9 at every step: none lost, and none sent twice unless it was allowed.

The far end is a real SMTP server, which counts, or a folder, which is idempotent.
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from crashing import STEPS
from promising import ADA, NEWS, until
from smtp_server import Relay, relay

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox
from vero_deliver.states import OPEN

pytestmark = pytest.mark.anyio

MANY = 40
LEASE = 1.0
HERE = Path(__file__).parent


def start(
    database: str, target: object, policy: str, step: str, number: int = 3
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "error", HERE / "crashing.py", database, target, LEASE, policy]
    return subprocess.Popen([*map(str, command), step, str(number)])


async def ended(worker: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(worker.wait, 60)


async def promised(outbox: Outbox) -> None:
    deliverer = Deliverer(email=Memory(), outbox=outbox)
    for number in range(MANY):
        await deliverer.enqueue(NEWS, ADA, key=f"k{number}", contents=["email"], data={"n": number})


async def settled(outbox: Outbox, database: str, target: object, policy: str) -> dict[str, int]:
    """The states, once a worker that lives has dealt with everything."""
    worker = start(database, target, policy, "live")
    await until(lambda: not set(outbox.count()) & set(OPEN))
    worker.send_signal(signal.SIGTERM)
    assert await ended(worker) == 0
    return {str(state): number for state, number in outbox.count().items()}


def received(server: Relay) -> Counter[int]:
    """How often each number arrived."""
    found = [
        re.search(rb"^Subject: Number (\d+)", mail.data, re.MULTILINE) for mail in server.mails
    ]
    return Counter(int(one[1]) for one in found if one)


@pytest.mark.parametrize("step", STEPS)
async def test_at_most_once(outbox: Outbox, database: str, step: str) -> None:
    """Nothing arrives twice; what did not surely arrive is uncertain, and only what was begun."""
    await promised(outbox)
    async with relay() as server:
        first = 1 if step in ("claimed", "starting") else 3
        assert await ended(start(database, server.port, "once", step, first)) == -signal.SIGKILL
        states = await settled(outbox, database, server.port, "once")
        arrived = received(server)
    assert max(arrived.values()) == 1
    assert states.get("uncertain", 0) + states["accepted"] == MANY
    accepted = {int(r.send_key[1:]) for r in outbox.search(states=["accepted"])}
    assert accepted <= set(arrived), "accepted, and never arrived"
    # nothing was begun, or no more than may be under way at a time
    assert states.get("uncertain", 0) <= (0 if first == 1 else 8)


@pytest.mark.parametrize("step", ["sending", "sent"])
async def test_at_least_once(outbox: Outbox, database: str, step: str) -> None:
    """Everything arrives and is accepted; only what was in doubt may arrive twice."""
    await promised(outbox)
    async with relay() as server:
        assert await ended(start(database, server.port, "again", step)) == -signal.SIGKILL
        states = await settled(outbox, database, server.port, "again")
        arrived = received(server)
    assert states == {"accepted": MANY}
    assert set(arrived) == set(range(MANY))
    twice = {number for number, times in arrived.items() if times > 1}
    asked = {n for n in range(MANY) if len(outbox.attempts(f"k{n}-email")) > 1}
    assert twice <= asked, "sent twice without a word"


@pytest.mark.parametrize("step", ["sending", "sent"])
async def test_idempotent(outbox: Outbox, database: str, tmp_path: Path, step: str) -> None:
    """Everything arrives once, and all is accepted, under at_most_once."""
    folder = tmp_path / "captured"
    await promised(outbox)
    assert await ended(start(database, folder, "once", step)) == -signal.SIGKILL
    assert await settled(outbox, database, folder, "once") == {"accepted": MANY}
    assert len(list(folder.glob("*.eml"))) == MANY


async def test_two_workers_never_send_one_twice(outbox: Outbox, database: str) -> None:
    """Two processes share an outbox."""
    await promised(outbox)
    async with relay() as server:
        workers = [start(database, server.port, "once", "none") for _ in range(2)]
        assert [await ended(worker) for worker in workers] == [0, 0]
        arrived = received(server)
    assert outbox.count() == {"accepted": MANY}
    assert arrived == Counter(range(MANY))


async def test_sigterm_gives_back_what_was_not_sent(outbox: Outbox, database: str) -> None:
    """A worker that is asked to end files what is under way, and nothing is left leased."""
    await promised(outbox)
    async with relay() as server:
        worker = start(database, server.port, "once", "live")
        await until(lambda: "accepted" in outbox.count())
        worker.send_signal(signal.SIGTERM)
        assert await ended(worker) == 0
        arrived = received(server)
    counts = outbox.count()
    assert set(counts) <= {"accepted", "queued"}
    assert arrived.total() == counts["accepted"]
