"""What a Deliverer with an outbox does at once: record, and send what was not sent before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from vero_deliver.channel import Receipt
from vero_deliver.delivery import Delivery, Outcome, Recorded
from vero_deliver.desk.sending import Desk
from vero_deliver.errors import OutboxError
from vero_deliver.message import Message
from vero_deliver.outbox.records import Order, Record
from vero_deliver.outbox.store import Outbox
from vero_deliver.states import OPEN, UNREACHABLE
from vero_deliver.user import User

log = logging.getLogger(__name__)


async def send(desk: Desk, message: Message, user: User, orders: Sequence[Order]) -> list[Delivery]:
    """Record the orders, send those that wait, and tell how all stand."""
    outbox = desk.outbox
    desk.know(message)
    # a later rank is claimed in its turn
    first = [order.key for order in orders if not order.rank]
    claimed = await asyncio.to_thread(outbox.add_and_claim, message, orders, first)
    leased = {one.key: one for one in claimed}
    deliveries: list[Delivery] = []
    for rank, group in groupby(orders, key=lambda order: order.rank):
        own = list(group)
        if rank:
            if any(delivery.state not in UNREACHABLE for delivery in deliveries):
                break
            claimed = await asyncio.to_thread(outbox.claim_keys, [order.key for order in own])
            leased |= {one.key: one for one in claimed}
        outcomes: dict[str, Outcome] = {}
        async with _held(outbox, {leased[order.key].lease for order in own if order.key in leased}):
            for order in own:
                sent = await desk.deliver(leased[order.key]) if order.key in leased else None
                if sent is not None:
                    outcomes[order.key] = sent
        others = [order.key for order in own if order.key not in outcomes]
        records = await asyncio.to_thread(outbox.find, others) if others else {}
        outcomes |= {key: _outcome(record) for key, record in records.items()}
        deliveries += [
            Delivery(order.key, order.content, user, outcomes[order.key]) for order in own
        ]
    return deliveries


@asynccontextmanager
async def _held(outbox: Outbox, leases: Collection[str]) -> AsyncIterator[None]:
    """Renew the leases meanwhile."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(outbox.lease / 4)
            try:
                await asyncio.to_thread(outbox.renew, leases)
            except OutboxError as error:  # filing the result tells, if it lasts
                log.warning("leases not renewed: %s", error)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()


def record(
    outbox: Outbox, message: Message, user: User, orders: Sequence[Order], into: Any = None
) -> list[Delivery]:
    """Record the orders, in a transaction of the caller's where there is one; blocking."""
    connection = into if into is None or isinstance(into, Connection) else into.connection()
    added = outbox.add(message, orders, connection)
    others = [order.key for order in orders if order.key not in added]
    known = outbox.find(others, connection) if others else {}
    return [
        Delivery(
            order.key,
            order.content,
            user,
            _outcome(known[order.key]) if order.key in known else Recorded("queued"),
        )
        for order in orders
    ]


def _outcome(record: Record) -> Outcome:
    if record.state == "accepted" and record.accepted_at is not None:
        return Receipt(record.channel, record.provider_id, record.accepted_at)
    open_ = "it is in the outbox already" if record.state in OPEN else ""
    return Recorded(record.state, record.error or open_ or record.provider_id)
