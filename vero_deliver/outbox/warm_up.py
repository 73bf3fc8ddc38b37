"""Warm-ups that all processes of an outbox share, and that outlast a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, select, update

from vero_deliver.errors import Deferred, OutboxError
from vero_deliver.outbox.database import alone
from vero_deliver.outbox.rows import write_over
from vero_deliver.outbox.schema import warm_up
from vero_deliver.outbox.store import Outbox
from vero_deliver.warm_up import Progress

_AGAIN: Final = 60.0  # seconds
_T = TypeVar("_T")
_c = warm_up.c


@dataclass(frozen=True, slots=True)
class SharedWarmUp:
    """A WarmUpStore in the outbox's database. Deferred where that fails: too many would hurt more.

    name: of the channel, for that error.
    """

    outbox: Outbox
    name: str = "mx"

    async def progress(self, source: str, provider: str) -> Progress | None:
        """How far it is; None where it has never sent there."""
        return await self._within(lambda connection: self._load(connection, source, provider))

    async def take(
        self, source: str, provider: str, start: date, day: date, most: int | None
    ) -> bool:
        """Count one message more on that day; False and nothing where `most` are."""

        def taken(connection: Connection) -> bool:
            alone(connection, f"warm-up {self.outbox.env} {source} {provider}")
            before = self._load(connection, source, provider)
            sent = before.sent if before and before.day == day else 0
            if most is not None and sent >= most:
                return False
            key = {"env": self.outbox.env, "source": source, "provider": provider}
            days = {"start": start.toordinal(), "day": day.toordinal(), "sent": sent + 1}
            write_over(connection, warm_up, key | days, *key)
            return True

        return await self._within(taken)

    async def undo(self, source: str, provider: str, day: date) -> None:
        """Count one message less on that day."""
        mine = (*self._mine(source, provider), _c.day == day.toordinal(), _c.sent > 0)
        less = update(warm_up).where(*mine).values(sent=_c.sent - 1)
        await self._within(lambda connection: connection.execute(less))

    def _load(self, connection: Connection, source: str, provider: str) -> Progress | None:
        query = select(_c.start, _c.day, _c.sent).where(*self._mine(source, provider))
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Progress(date.fromordinal(row.start), date.fromordinal(row.day), row.sent)

    def _mine(self, source: str, provider: str) -> tuple[Any, ...]:
        return (_c.env == self.outbox.env, _c.source == source, _c.provider == provider)

    async def _within(self, act: Callable[[Connection], _T]) -> _T:
        """Do it in a transaction, on a thread."""

        def transaction() -> _T:
            with self.outbox.database.writing() as connection:
                return act(connection)

        try:
            return await asyncio.to_thread(transaction)
        except OutboxError as error:
            detail = f"the warm-up cannot be counted: {error}"
            raise Deferred(detail, channel=self.name, retry_after=_AGAIN) from None
