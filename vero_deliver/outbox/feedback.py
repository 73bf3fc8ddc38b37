"""Feedback as the outbox has it: taken once, found again, weighed anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, tuple_, union

from vero_deliver.feedback import Feedback, Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox import events as told
from vero_deliver.outbox.database import Database
from vero_deliver.outbox.records import milliseconds, moment
from vero_deliver.outbox.schema import deliveries, events, hash_of

_AT_ONCE: Final = 500  # weighed anew in one transaction, so that no worker waits for long
_JSON: Final = ("tags", "metadata", "raw")
_FIELDS: Final = tuple(one.name for one in fields(Feedback))
_c, _e = deliveries.c, events.c


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of feedback.

    number: counts up. delivery: the key of the delivery that it is about;
    empty where none matches. pending: True until that delivery's state was weighed against it.
    """

    number: int
    received_at: datetime
    delivery: str
    pending: bool
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class FeedbackStore:
    """Feedback of one environment. Blocking; thread-safe. Raises OutboxError."""

    database: Database
    env: str
    now: Callable[[], int]

    def take(self, feedback: Sequence[Feedback]) -> told.Taken:
        """Keep what was not told before; let deliveries and suppressions know. Idempotent."""
        with self.database.writing() as connection:
            return told.take(connection, self.env, feedback, self.now())

    def search(
        self,
        *,
        kinds: Collection[Kind] = (),
        key: str = "",
        channel: str = "",
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Kept]:
        """The latest that match all that is given, newest first.

        key: of a delivery or of a send. since: when it arrived.
        """
        query = self._query(kinds, key, channel).order_by(_e.received_at.desc(), _e.number.desc())
        if since is not None:
            query = query.where(_e.received_at >= milliseconds(since))
        return self._read(query.limit(limit))

    def after(
        self,
        since: datetime,
        number: int = 0,
        *,
        kinds: Collection[Kind] = (),
        key: str = "",
        channel: str = "",
        limit: int = _AT_ONCE,
    ) -> list[Kept]:
        """The first that arrived since then, oldest first; of that very moment those above number.

        To go on, give both of the last one.
        """
        query = _after(self._query(kinds, key, channel), milliseconds(since), number)
        return self._read(query.limit(limit))

    def of(self, key: str) -> list[Kept]:
        """All that was told of one delivery, as it happened."""
        return self._read(self._query(key=key).where(_c.key == key).order_by(_e.at, _e.number))

    def replay(
        self,
        *,
        kinds: Collection[Kind] = (),
        key: str = "",
        channel: str = "",
        since: datetime | None = None,
    ) -> int:
        """Match and weigh anew what is kept; how much of it has a delivery. Idempotent."""
        found = 0
        last = (0 if since is None else milliseconds(since), 0)
        while True:
            with self.database.writing() as connection:
                query = _after(self._query(kinds, key, channel), *last).limit(_AT_ONCE)
                some = [dict(row) for row in connection.execute(query).mappings()]
                if not some:
                    return found
                found += told.again(connection, self.env, some, self.now())
            last = (some[-1]["received_at"], some[-1]["number"])

    def _query(self, kinds: Collection[Kind] = (), key: str = "", channel: str = "") -> Select[Any]:
        mine = _e.env == self.env
        query = select(events, _c.key.label("delivery_key")).outerjoin(
            deliveries, _c.id == _e.delivery_id
        )
        if key:
            named = [
                select(_c.id).where(_c.env == self.env, column == key)
                for column in (_c.key, _c.send_key)
            ]
            early = mine & _e.pending_since.is_not(None)
            early &= _e.key_hash == hash_of(key_digest(key))
            query = query.where(_e.delivery_id.in_(union(*named)) | early)
        else:
            query = query.where(mine)
        if kinds:
            query = query.where(_e.kind.in_(kinds))
        if channel:
            query = query.where(_e.channel == channel)
        return query

    def _read(self, query: Select[Any]) -> list[Kept]:
        with self.database.reading() as connection:
            return [_kept(row) for row in connection.execute(query).mappings()]


def _after(query: Select[Any], received_at: int, number: int) -> Select[Any]:
    later = tuple_(_e.received_at, _e.number) > (received_at, number)
    return query.where(later).order_by(_e.received_at, _e.number)


def _kept(row: Any) -> Kept:
    values = {name: row[name] for name in _FIELDS}
    values |= {name: json.loads(row[name]) for name in _JSON}
    values |= {"at": moment(row["at"]), "tags": tuple(json.loads(row["tags"]))}
    return Kept(
        number=row["number"],
        received_at=moment(row["received_at"]),
        delivery=row["delivery_key"] or "",
        pending=row["pending_since"] is not None,
        feedback=Feedback(**values),
    )
