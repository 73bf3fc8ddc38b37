"""Quotas that all processes of an outbox share.

A process takes some at a time and uses them up within a 24th of the quota's time; what it has left
then it gives back. One that is killed takes at most that much with it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select, update

from vero_deliver.errors import OutboxError
from vero_deliver.outbox.database import alone
from vero_deliver.outbox.given import insert
from vero_deliver.outbox.schema import quotas
from vero_deliver.outbox.store import Outbox
from vero_deliver.routes.limits import SLOTS, free_at
from vero_deliver.routes.rates import Rate

_SHARE: Final = 1_000  # of a quota, that is taken at a time
_LARGEST: Final = 100
_AGAIN: Final = 60.0  # seconds after which it is worth asking again: others may give back
_c = quotas.c

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Share:
    """What this process has of one quota. left: in `slot`. closed_until: none was there."""

    slot: int = -1
    left: int = 0
    closed_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True, kw_only=True)
class SharedQuotas:
    """Quotas in the outbox's database. Of one event loop."""

    outbox: Outbox
    _shares: dict[tuple[str, str], _Share] = field(default_factory=dict, init=False, repr=False)

    async def take(self, route: str, label: str, quota: Rate) -> float:
        """Count one: 0.0. Where there is none left: seconds until it is worth asking again."""
        share = self._shares.setdefault((route, label), _Share())
        async with share.lock:
            now = self.outbox.now() / 1000
            if share.closed_until > now:
                return share.closed_until - now
            slot = _slot(quota, now)
            if slot != share.slot or not share.left:
                try:
                    wait = await asyncio.to_thread(self._fetch, share, route, label, quota)
                except OutboxError as error:
                    log.warning("%s of %s not shared: %s", label, route, error)
                    return 0.0
                if wait:
                    share.closed_until = now + min(wait, _AGAIN)
                    return share.closed_until - now
            share.left -= 1
            return 0.0

    async def give_back(self, route: str, label: str, quota: Rate) -> None:
        """Count one less that was taken just now."""
        share = self._shares.get((route, label))
        if share is not None and share.slot == _slot(quota, self.outbox.now() / 1000):
            share.left += 1
            share.closed_until = 0.0

    def _fetch(self, share: _Share, route: str, label: str, quota: Rate) -> float:
        """Take some more, of the present slot; else how long there will be none."""
        mine = (_c.env == self.outbox.env, _c.route == route, _c.label == label)
        most = int(quota.count)
        with self.outbox.database.writing() as connection:
            now = self.outbox.now() / 1000
            slot = _slot(quota, now)
            alone(connection, f"{self.outbox.env} {route} {label}")
            unused = update(quotas).where(*mine, _c.slot == share.slot)
            if share.left and share.slot != slot:
                connection.execute(unused.values(taken=_c.taken - share.left))
            connection.execute(delete(quotas).where(*mine, _c.slot < slot - SLOTS))
            query = select(_c.slot, _c.taken).where(*mine).order_by(_c.slot)
            slots = [(number, taken) for number, taken in connection.execute(query).all()]
            free = most - sum(taken for _, taken in slots)
            some = min(free, max(1, min(_LARGEST, most // _SHARE)))
            if some > 0:
                row = {"env": self.outbox.env, "route": route, "label": label, "slot": slot}
                statement = insert(connection.dialect.name, quotas).values(**row, taken=some)
                key = ["env", "route", "label", "slot"]
                more = {"taken": _c.taken + some}
                connection.execute(statement.on_conflict_do_update(index_elements=key, set_=more))
        share.slot, share.left = slot, max(some, 0)
        return 0.0 if some > 0 else free_at(slots, 1 - free, quota.seconds / SLOTS, now) - now


def _slot(quota: Rate, now: float) -> int:
    return int(now // (quota.seconds / SLOTS))
