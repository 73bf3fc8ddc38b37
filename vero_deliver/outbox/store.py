"""The outbox: what was promised, what has become of it, and who is at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import count as counter
from os import getpid
from platform import node
from typing import Any, Final
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Engine, select

from vero_deliver.message import Message
from vero_deliver.observe import Backlog
from vero_deliver.outbox import events, queue, suppressions, upkeep
from vero_deliver.outbox.database import Database
from vero_deliver.outbox.feedback import FeedbackStore
from vero_deliver.outbox.records import (
    Attempt,
    Filed,
    Leased,
    Order,
    Record,
    Result,
    Start,
    milliseconds,
)
from vero_deliver.outbox.schema import messages
from vero_deliver.outbox.suppressed import Suppressions
from vero_deliver.resource import to_resource
from vero_deliver.secret import Secret
from vero_deliver.states import State

LEASE: Final = 60.0  # seconds


class Outbox:
    """The durable store of deliveries, shared by any number of processes. Blocking; thread-safe.

    database: "sqlite:///outbox.db" (a file), "postgresql://user@host/name", a Secret that holds
    such, or an Engine of the caller's own.
    env: deliveries of another environment are another outbox's, though in the same tables.
    lease: seconds for which a worker that says nothing keeps its deliveries.
    clock: seconds since 1970.

    suppressions: whom not to send to.

    Every method but close() raises OutboxError where the database fails.
    """

    def __init__(
        self,
        database: str | Secret | Engine = "sqlite:///outbox.db",
        *,
        env: str = "dev",
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database = Database(database)
        self.env = env
        self.lease = lease
        self._clock = clock
        self._owner = f"{node()}:{getpid()}:{uuid4().hex[:8]}"
        self._claims = counter(1)
        self._stored: set[tuple[str, str]] = set()
        self.suppressions = Suppressions(self)

    def __repr__(self) -> str:
        return f"Outbox({self.database!r}, env={self.env!r})"

    def create(self) -> bool:
        """Make the tables, or bring them up to date; False where they are."""
        return self.database.create()

    def close(self) -> None:
        """Close every connection. Idempotent; the next use opens them again."""
        self.database.close()

    def now(self) -> int:
        """The clock, in the outbox's milliseconds."""
        return int(self._clock() * 1000)

    def add(
        self, message: Message, orders: Sequence[Order], connection: Connection | None = None
    ) -> set[str]:
        """Record deliveries of a message; the keys of those that are new.

        connection: of the caller's own transaction, which then commits them or does not.
        """
        if connection is not None:
            self._keep(connection, message)
            return queue.add(connection, self.env, orders, self.now())
        with self.database.writing() as own:
            self._keep(own, message)
            added = queue.add(own, self.env, orders, self.now())
        self._stored.add((message.id, message.version))
        return added

    def add_and_claim(
        self, message: Message, orders: Sequence[Order], keys: Collection[str]
    ) -> list[Leased]:
        """Record deliveries, and lease those of the keys that wait, new ones or not."""
        with self.database.writing() as connection:
            self._keep(connection, message)
            queue.add(connection, self.env, orders, self.now())
            leased = self._claim(connection, len(keys), keys=keys)
        self._stored.add((message.id, message.version))
        return leased

    def claim(self, contents: Collection[str], limit: int) -> list[Leased]:
        """Lease up to `limit` deliveries that are due, transactional before bulk, always."""
        with self.database.writing() as connection:
            return self._claim(connection, limit, contents=contents)

    def claim_keys(self, keys: Collection[str]) -> list[Leased]:
        """Lease those of them that wait, due or not."""
        with self.database.writing() as connection:
            return self._claim(connection, len(keys), keys=keys)

    def file(self, starts: Sequence[Start], results: Sequence[Result]) -> Filed:
        """Record what is handed over and what became of what was.

        A start that is not held must not be sent: somebody else has it, or it is suppressed.
        Idempotent.
        """
        with self.database.writing() as connection:
            now, until = self._lease_times()
            return queue.file(connection, self.env, starts, results, now=now, until=until)

    def renew(self, leases: Collection[str]) -> None:
        """Keep what is leased and not lost."""
        with self.database.writing() as connection:
            queue.renew(connection, leases, self._lease_times()[1])

    def release(self, held: Sequence[Leased]) -> None:
        """Give back what was leased and not handed over."""
        with self.database.writing() as connection:
            queue.release(connection, held, self.now())

    def recover(self) -> int:
        """Take back what lost workers leased; how many. Every worker does this all the time."""
        with self.database.writing() as connection:
            now = self.now()
            events.settle_strange(connection, self.env, now - int(self.lease * 1000), now)
        return self._until_none(queue.recover, self.now())

    @property
    def feedback(self) -> FeedbackStore:
        """What was told about deliveries after they were handed over."""
        return FeedbackStore(self.database, self.env, self.now)

    def document(self, id_: str, version: str) -> str | None:
        """Vero's JSON of the message as it was when a delivery of it was recorded."""
        query = select(messages.c.document).where(
            messages.c.id == id_, messages.c.version == version
        )
        with self.database.reading() as connection:
            document: str | None = connection.execute(query).scalar()
        return document

    def get(self, key: str) -> Record | None:
        """One delivery."""
        return self.find([key]).get(key)

    def find(
        self, keys: Collection[str], connection: Connection | None = None
    ) -> dict[str, Record]:
        """Those that are there; connection: to look in the caller's own transaction."""
        if connection is not None:
            return upkeep.find(connection, self.env, keys)
        with self.database.reading() as connection:
            return upkeep.find(connection, self.env, keys)

    def promised(self, digest: str) -> Any | None:
        """What was promised under the key of that `mime.key_digest`; None where nothing was."""
        with self.database.reading() as connection:
            return upkeep.by_digest(connection, self.env, digest)

    def search(
        self,
        *,
        states: Collection[State] = (),
        user_id: str = "",
        send_key: str = "",
        limit: int = 100,
    ) -> list[Record]:
        """The latest that match all that is given, newest first."""
        with self.database.reading() as connection:
            return upkeep.search(
                connection,
                self.env,
                states=states,
                user_id=user_id,
                send_key=send_key,
                limit=limit,
            )

    def count(self) -> dict[State, int]:
        """How many deliveries are in each state."""
        with self.database.reading() as connection:
            return upkeep.count(connection, self.env)

    def backlog(self) -> Backlog:
        """How many deliveries are due, and for how many seconds the first of them has been."""
        with self.database.reading() as connection:
            return upkeep.backlog(connection, self.env, self.now())

    def attempts(self, key: str) -> list[Attempt]:
        """Every handing over of one delivery, in order."""
        with self.database.reading() as connection:
            return upkeep.attempts_of(connection, self.env, key)

    def cancel(self, key: str) -> bool:
        """Call a delivery off; False where it has been sent, may be under way, or is not there."""
        with self.database.writing() as connection:
            return upkeep.cancel(connection, self.env, key, self.now())

    def retry(self, key: str, expires: timedelta) -> bool:
        """Queue one again that ended without being accepted; False where that cannot be.

        An uncertain one may arrive twice. expires: how long it may take this time.
        """
        with self.database.writing() as connection:
            now = self.now()
            deadline = now + expires // timedelta(milliseconds=1)
            return upkeep.retry(connection, self.env, key, now, deadline)

    def erase(self, user_id: str) -> int:
        """Remove what is known of a user (id, else email, else phone); how many deliveries.

        Those that wait are cancelled. Keys, states and times stay, so that nothing is sent again.
        """
        with self.database.writing() as connection:
            return upkeep.erase(connection, self.env, user_id, self.now())

    def purge(self, before: datetime) -> int:
        """Delete what ended before that moment; how many deliveries.

        An uncertain one has not ended. Its keys are forgotten: the same key would be sent again.
        Feedback goes with its delivery; what has none, once it is older than that.
        """
        with self.database.writing() as connection:
            suppressions.purge(connection, self.env, self.now())
        self._until_none(upkeep.purge_feedback, milliseconds(before))
        return self._until_none(upkeep.purge, milliseconds(before))

    def _until_none(self, act: Callable[[Connection, str, int], int], moment: int) -> int:
        """Do what is done in many small transactions; how much it was."""
        total = 0
        while True:
            with self.database.writing() as connection:
                some = act(connection, self.env, moment)
            total += some
            if not some:
                return total

    def _claim(self, connection: Connection, limit: int, **which: Any) -> list[Leased]:
        now, until = self._lease_times()
        lease = f"{self._owner}/{next(self._claims)}"
        return queue.claim(connection, self.env, lease, now=now, until=until, limit=limit, **which)

    def _lease_times(self) -> tuple[int, int]:
        now = self.now()
        return now, now + int(self.lease * 1000)

    def _keep(self, connection: Connection, message: Message) -> None:
        if (message.id, message.version) not in self._stored:
            document = msgspec.json.encode(to_resource(message)).decode()
            queue.add_message(connection, message.id, message.version, document)
