"""Whether an outbox is well: what `vero-deliver doctor` looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from vero_deliver.observe import Backlog
from vero_deliver.outbox import upkeep
from vero_deliver.outbox.records import moment
from vero_deliver.outbox.schema import circuits, deliveries
from vero_deliver.outbox.store import Outbox

_c, _r = deliveries.c, circuits.c


@dataclass(frozen=True, slots=True)
class Rest:
    """A channel that is left alone for a while, and why."""

    channel: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found.

    read_only: a replica, or a file that may not be written. journal: how SQLite writes, "wal" as it
    should be; empty for others. skew: seconds by which this clock is ahead of the database's.
    senders: who holds leases now.
    """

    read_only: bool
    journal: str
    skew: float
    backlog: Backlog
    senders: tuple[str, ...]
    resting: tuple[Rest, ...]


def checkup(outbox: Outbox) -> Checkup:
    """Look at all of it; nothing is changed. Raises OutboxError where it cannot be reached."""
    with outbox.database.writing() as connection:  # fails for a file that cannot be written
        now = outbox.now()
        sqlite = connection.dialect.name == "sqlite"
        return Checkup(
            read_only=not sqlite and _read_only(connection),
            journal=_journal(connection) if sqlite else "",
            skew=0.0 if sqlite else now / 1000 - _clock(connection),
            backlog=upkeep.backlog(connection, outbox.env, now),
            senders=_senders(connection, outbox.env, now),
            resting=_resting(connection, outbox.env, now),
        )


def _read_only(connection: Connection) -> bool:
    return connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"


def _journal(connection: Connection) -> str:
    return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def _clock(connection: Connection) -> float:
    found = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar()
    return float(found or 0)


def _senders(connection: Connection, env: str, now: int) -> tuple[str, ...]:
    held = (_c.env == env, _c.state == "sending", _c.lease_until > now)
    leases = connection.execute(select(_c.lease).where(*held).distinct()).scalars()
    return tuple(sorted({(lease or "").rpartition("/")[0] for lease in leases}))


def _resting(connection: Connection, env: str, now: int) -> tuple[Rest, ...]:
    query = select(_r.channel, _r.open_until, _r.reason).where(_r.env == env, _r.open_until > now)
    found = connection.execute(query.order_by(_r.channel))
    return tuple(Rest(row.channel, moment(row.open_until), row.reason) for row in found)
