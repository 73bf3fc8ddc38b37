"""What the outbox tests send, and over what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from vero_deliver import Deliverer, Delivery, Email, Message, Outbox, Policy, Sms, User
from vero_deliver.outbox.records import Order

ADA = User(id="u1", email="ada@example.org", phone="+420601000001")
NEWS = Message(
    title="News",
    sms=Sms(body="Number {{ n }}"),
    email=Email(from_="shop@example.com", subject="Number {{ n }}", html="<p>{{ n }}</p>"),
)
BULK = Message(title="Bulk", kind="marketing", sms=Sms(body="Number {{ n }}"))
PATIENT = Policy(first_retry=0.001, longest_retry=0.001)


class Clock:
    """A clock that stands still until it is told to go."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def order(outbox: Outbox, key: str, **changes: Any) -> Order:
    """One text message that is due now."""
    now = outbox.now()
    values: dict[str, Any] = {
        "key": key,
        "send_key": key,
        "user_id": "u1",
        "message_id": "",
        "message_version": NEWS.version,
        "content": "sms",
        "kind": "transactional",
        "rank": None,
        "user": "{}",
        "about": "{}",
        "due_at": now,
        "expires_at": now + 10**9,
    }
    return Order(**(values | changes))


async def queue_many(deliverer: Deliverer, many: int, message: Message = NEWS) -> None:
    """Record k0, k1 ... for a worker, one text message each."""
    for number in range(many):
        await deliverer.enqueue(
            message, ADA, key=f"k{number}", contents=["sms"], data={"n": number}
        )


async def until(happened: Callable[[], object]) -> None:
    """Wait for what another process or task brings about."""
    for _ in range(6_000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def states(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.state for delivery in deliveries]
