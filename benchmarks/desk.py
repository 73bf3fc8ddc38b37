"""What an outbox adds to a delivery: `python -m benchmarks.desk [--json] [--deliveries N]`.

Deliveries are recorded, claimed, started and finished in batches, as a busy worker does, on SQLite
in a temporary folder and on a PostgreSQL server of its own, where that is installed. A figure is
microseconds per delivery: the CPU time of this process. Beside it stand a worker as a whole, and
what feedback, rendering and sending take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from postgres_server import postgres, programs

from benchmarks.render import ours
from benchmarks.render.receipt import order as receipt
from benchmarks.smtp.__main__ import sink
from benchmarks.smtp.clients import vero
from vero_channels.memory import Memory
from vero_deliver import Deliverer, Message, Outbox, Sms, Worker
from vero_deliver.feedback import Feedback
from vero_deliver.outbox.records import Leased, Order, Result, Start
from vero_deliver.suppression import digest_of

BATCH = 500
MESSAGE = Message(title="Order shipped", sms=Sms(body="Order {{ order.id }} is on its way."))
USER = json.dumps({"id": "u1", "email": "ada@example.org", "phone": "+420601000001"})
ABOUT = json.dumps({"data": {"order": {"id": 1001, "lines": [{"title": "Tea", "price": "4.50"}]}}})


@dataclass
class Costs:
    """Microseconds per delivery of each step: CPU and wall."""

    deliveries: int
    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Add what this block takes."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        for costs, spent in (
            (self.cpu, time.process_time() - cpu),
            (self.wall, time.perf_counter() - wall),
        ):
            costs[step] = costs.get(step, 0.0) + spent / self.deliveries * 1e6


def measure(outbox: Outbox, deliveries: int) -> Costs:
    """Every delivery through its whole life."""
    costs = Costs(deliveries)
    outbox.create()
    for first in range(0, deliveries, BATCH):
        orders = [order(outbox, number) for number in range(first, first + BATCH)]
        with costs.of("record"):
            outbox.add(MESSAGE, orders)
    left = deliveries
    while left:
        with costs.of("claim"):
            leased = outbox.claim(["sms"], BATCH)
        with costs.of("start"):
            starts = [start(one) for one in leased]
            held = outbox.file(starts, []).held
        assert len(held) == len(leased) == BATCH
        now = outbox.now()
        results = [
            Result(
                leased=one,
                state="accepted",
                ended_at=now,
                started_at=now,
                channel="sms-1",
                provider_id=f"SM{one.id:032x}",
                digest="0" * 64,
            )
            for one in leased
        ]
        with costs.of("finish"):
            outbox.file([], results)
        left -= len(leased)
    assert outbox.count() == {"accepted": deliveries}
    outbox.close()
    return costs


def start(leased: Leased) -> Start:
    """A hand-over to a number of its own, which is looked up among the suppressed."""
    number = f"+4206{leased.id:08}"
    return Start(leased, "sms-1", repeatable=False, recipients=(digest_of("sms", number),))


def order(outbox: Outbox, number: int) -> Order:
    """One delivery of the benchmark."""
    now = outbox.now()
    return Order(
        key=f"order-{number}-shipped-sms",
        send_key=f"order-{number}-shipped",
        user_id=f"u{number}",
        message_id="",
        message_version=MESSAGE.version,
        content="sms",
        kind="transactional",
        rank=None,
        user=USER,
        about=ABOUT,
        due_at=now,
        expires_at=now + 86_400_000,
    )


def work(outbox: Outbox, deliveries: int) -> float:
    """The same by a worker that renders each text message and hands it to a list: CPU."""
    outbox.create()
    for first in range(0, deliveries, BATCH):
        outbox.add(MESSAGE, [order(outbox, n) for n in range(first, first + BATCH)])

    async def run() -> float:
        async with Deliverer(sms=Memory(), outbox=outbox) as deliverer:
            worker = Worker(deliverer)
            cpu = time.process_time()
            assert await worker.run(drain=True) == deliveries
            return (time.process_time() - cpu) / deliveries * 1e6

    return asyncio.run(run())


def telling(outbox: Outbox, deliveries: int, post: int = 100) -> float:
    """What each is told to have come to, in posts as a provider's webhook has them: CPU."""
    about: dict[str, Any] = {"kind": "delivered", "channel": "sms-1", "at": datetime.now(UTC)}
    posts = [
        [
            Feedback(**about, id=f"{n}", key=order(outbox, n).key, raw={"words": "x" * 300})
            for n in range(first, first + post)
        ]
        for first in range(0, deliveries, post)
    ]
    cpu = time.process_time()
    for one in posts:
        outbox.feedback.take(one)
    spent = time.process_time() - cpu
    assert outbox.count() == {"delivered": deliveries}
    outbox.close()
    return spent / deliveries * 1e6


def rendering(many: int = 200) -> float:
    """CPU of making one receipt of benchmarks.render, DKIM included."""
    _, own, _ = ours.costs()
    prepared = [own.prepare(receipt(number)) for number in range(many)]
    own.run(prepared[0])  # compiles
    cpu = time.process_time()
    for one in prepared:
        own.run(one)
    return (time.process_time() - cpu) / many * 1e6


async def sending(many: int = 2_000) -> float:
    """CPU of handing one ready message over by SMTP, as benchmarks.smtp has it."""
    with sink(0.0) as port:
        async with vero("cross", port, 4) as client:
            await client(many // 10)
            return (await client(many)).cpu_us


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--deliveries", type=int, default=20_000, help=f"a multiple of {BATCH}")
    given = parser.parse_args()
    found: dict[str, Costs] = {}
    with TemporaryDirectory() as folder:
        outbox = Outbox(f"sqlite:///{folder}/outbox.db")
        found["sqlite"] = measure(outbox, given.deliveries)
        beside = {"feedback_us": telling(outbox, given.deliveries)}
        beside["worker_us"] = work(Outbox(f"sqlite:///{folder}/work.db"), given.deliveries)
    if programs() is not None:
        with postgres() as url:
            found["postgresql"] = measure(Outbox(url), given.deliveries)
    beside |= {"render_us": rendering(), "send_us": asyncio.run(sending())}
    if given.json:
        stores = {f"{name}_us": sum(costs.cpu.values()) for name, costs in found.items()}
        print(json.dumps(stores | beside))
        return
    print(f"{'CPU us each':14}{'all':>7}   of which")
    for name, costs in found.items():
        steps = ", ".join(f"{step} {cpu:.1f}" for step, cpu in costs.cpu.items())
        rate = f"{1e6 / sum(costs.wall.values()):,.0f} a second"
        print(f"{name:14}{sum(costs.cpu.values()):7.1f}   {steps}; {rate}")
    print(f"{'worker':14}{beside['worker_us']:7.1f}   a text message, on SQLite, sent to a list")
    print(f"{'feedback':14}{beside['feedback_us']:7.1f}   on SQLite, by posts of 100")
    print(f"{'rendering':14}{beside['render_us']:7.1f}   a receipt in MJML, signed by DKIM")
    print(f"{'sending':14}{beside['send_us']:7.1f}   a ready message, 38 kB, by SMTP")


if __name__ == "__main__":
    main()
