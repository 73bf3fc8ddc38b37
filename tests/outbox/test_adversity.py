"""The machine in trouble: a full disk, a locked file, a database that is away, for long."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from postgres_server import programs, server
from promising import ADA, NEWS, queue_many, until

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, Receipt, Worker
from vero_deliver.errors import OutboxError
from vero_deliver.outbox import database
from vero_deliver.rendered import Rendered

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """Nothing is sent that cannot be recorded, the error says why, and room ends it."""
    command = [sys.executable, str(HERE / "full_disk.py"), str(tmp_path / "o.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["while_full"] == 0
    for words in (found["told"], found["enqueue"]):
        assert "o.db" in words
        assert "disk" in words
    assert set(found["states"]) == {"accepted"}
    assert found["states"]["accepted"] >= 200
    assert found["doubled"] == 0


async def test_a_file_that_another_process_keeps_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Longer than SQLite waits: a send says so, a worker goes on when it can; none goes twice."""
    monkeypatch.setattr(database, "_BUSY", 100)  # milliseconds
    file, memory = tmp_path / "o.db", Memory(idempotent=False)
    outbox = Outbox(f"sqlite:///{file}")
    outbox.create()
    async with Deliverer(sms=memory, outbox=outbox) as deliverer:
        await queue_many(deliverer, 10)
        with locked(file) as unlock:
            with pytest.raises(OutboxError, match=r"o\.db.*database is locked"):
                await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="now")
            with caplog.at_level(logging.WARNING):
                worker = Worker(deliverer, poll=0.02)
                work = asyncio.create_task(worker.run())
                await until(lambda: "database is locked" in caplog.text)
            assert not memory.sent
            unlock()
        await until(lambda: outbox.count() == {"accepted": 10})
        worker.stop()
        await work
    assert Counter(one.key for one in memory.sent) == Counter(f"k{n}-sms" for n in range(10))


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
async def test_postgresql_that_crashes_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """While messages are under way: the worker waits, then files what it knows; none goes twice."""
    memory = Slow(idempotent=False)
    with server() as running:
        outbox = Outbox(running.url)
        outbox.create()
        async with Deliverer(sms=memory, outbox=outbox) as deliverer:
            await queue_many(deliverer, 60)
            worker = Worker(deliverer, concurrency=4, poll=0.05)
            work = asyncio.create_task(worker.run())
            await until(lambda: len(memory.sent) > 10)
            with caplog.at_level(logging.WARNING):
                await asyncio.to_thread(running.stop)
                with pytest.raises(OutboxError, match=r"127\.0\.0\.1.*refused"):
                    outbox.count()
                await until(lambda: "trying again" in caplog.text)
                known = len(memory.sent)
                await asyncio.sleep(1)
                assert len(memory.sent) == known, "sent without a record"
            await asyncio.to_thread(running.start)
            await until(lambda: outbox.count() == {"accepted": 60})
            worker.stop()
            await work
    assert Counter(one.key for one in memory.sent) == Counter(f"k{n}-sms" for n in range(60))


@contextmanager
def locked(file: Path) -> Iterator[Callable[[], None]]:
    """Another process writes, until it is told to end."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"locked\n"
        yield holder.stdin.close


class Slow(Memory):
    """A provider that takes its time."""

    async def send(self, rendered: Rendered, key: str) -> Receipt:
        receipt = await super().send(rendered, key)
        await asyncio.sleep(0.02)
        return receipt
