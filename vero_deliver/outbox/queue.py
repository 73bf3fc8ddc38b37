"""The life of a delivery, as statements over one connection: add, claim, start and finish, recover.

Every claim has a lease of its own, and whatever follows asks for it: a worker that was away for
longer than its lease neither hands a delivery over nor changes what has become of it since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, case, func, select, update

from vero_deliver.outbox import events, suppressions
from vero_deliver.outbox import rows as written
from vero_deliver.outbox.chains import chained, follow_up, hold
from vero_deliver.outbox.records import PRIORITIES, Filed, Leased, Order, Result, Start
from vero_deliver.outbox.schema import deliveries, messages
from vero_deliver.states import WAITING

NO_ANSWER: Final = "the worker ended before it recorded an answer"
_LAPSED: Final = 1_000  # lost leases that are looked at in one transaction
_c = deliveries.c
_CLAIMED: Final = tuple(_c[name] for name in Leased.__slots__)


def add(connection: Connection, env: str, orders: Sequence[Order], now: int) -> set[str]:
    """Record deliveries; the keys of those that were not there yet. Changes none that was."""
    return written.add(connection, env, orders, now) if orders else set()


def add_message(connection: Connection, id_: str, version: str, document: str) -> None:
    """Keep a version of a message, unless it is there."""
    values = {"id": id_, "version": version, "document": document}
    connection.execute(written.or_nothing(connection, messages, "id", "version"), values)


def claim(
    connection: Connection,
    env: str,
    lease: str,
    *,
    now: int,
    until: int,
    limit: int,
    contents: Collection[str] = (),
    keys: Collection[str] | None = None,
) -> list[Leased]:
    """Lease what is due, transactional before bulk; or, given keys, those of them that wait.

    What is past its deadline is filed instead.
    """
    wanted = [_c.env == env, _c.next_attempt_at.is_not(None)]
    if keys is not None:
        found = _lease(connection, [*wanted, _c.key.in_(keys)], lease, now, until, limit)
    else:
        found = []
        wanted += [_c.content.in_(contents), _c.next_attempt_at <= now]
        for priority in sorted(PRIORITIES.values()):
            left = limit - len(found)
            if left > 0:
                more = [*wanted, _c.priority == priority]
                found += _lease(connection, more, lease, now, until, left)
    expired = [one for one in found if one.expires_at <= now]
    if expired:
        _expire(connection, env, expired, now)
        found = [one for one in found if one.expires_at > now]
    return sorted(found, key=lambda one: (one.priority, one.id))


def file(
    connection: Connection,
    env: str,
    starts: Sequence[Start],
    results: Sequence[Result],
    *,
    now: int,
    until: int,
) -> Filed:
    """Record what is handed over and what became of what was.

    A start that is not held must not be sent. A result without a lease changes no
    state, but is kept as an attempt. Filing the same again changes nothing.
    """
    forbidden = suppressions.check(connection, env, starts)
    going = [one for one in starts if (one.leased.id, one.leased.lease) not in forbidden]
    hold(connection, env, chained([one.leased for one in going] + [one.leased for one in results]))
    held = written.start(connection, going, now, until) if going else set()
    if not results:
        return Filed(held, forbidden)
    ended, known = written.finish(connection, results, now)
    follow_up(connection, env, chained(one.leased for one in ended), now)
    suppressions.learn_dead(connection, env, ended)
    told = [one for one in known if one.started_at is not None]
    written.tell(connection, [written.attempt(one) for one in told])
    events.settle(connection, env, told, now)
    return Filed(held | {(one.leased.id, one.leased.lease) for one in ended}, forbidden)


def recover(connection: Connection, env: str, now: int) -> int:
    """Take back the deliveries whose lease has run out; how many.

    One that no channel had waits again. One that was handed over waits again only where it may be
    repeated; else it is uncertain.
    """
    query = (
        select(deliveries)
        .where(_c.env == env, _c.lease_until <= now, _c.state == "sending")
        .limit(_LAPSED)
        .with_for_update(skip_locked=True)
    )
    lapsed = connection.execute(query).mappings().all()
    again = [row for row in lapsed if row["started_at"] is None]
    _give_back(connection, [row["id"] for row in again], now)
    silent = [row for row in lapsed if row["started_at"] is not None]
    for repeatable, state in ((True, "deferred"), (False, "uncertain")):
        ids = [row["id"] for row in silent if row["repeatable"] is repeatable]
        if not ids:
            continue
        statement = update(deliveries).where(_c.id.in_(ids))
        values = {
            "state": state,
            "in_doubt": True,
            "error": NO_ANSWER,
            "code": "",
            "lease_until": None,  # the lease itself stays: the answer may still come
            "next_attempt_at": now if repeatable else None,
            "updated_at": now,
        }
        connection.execute(statement.values(values))
    written.tell(connection, [written.unanswered(row, now, NO_ANSWER) for row in silent])
    events.settle_ids(connection, env, [row["id"] for row in silent], now)
    chains = {row["send_key"] for row in silent if row["rank"] is not None}
    follow_up(connection, env, chains, now)
    return len(lapsed)


def renew(connection: Connection, leases: Collection[str], until: int) -> None:
    """Extend leases that have not been lost."""
    mine = update(deliveries).where(_c.lease.in_(leases), _c.state == "sending")
    connection.execute(mine.values(lease_until=until))


def release(connection: Connection, held: Iterable[Leased], now: int) -> None:
    """Give back what was leased and not handed over: it waits for another worker."""
    for one in held:
        mine = (_c.id == one.id, _c.lease == one.lease, _c.started_at.is_(None))
        found = connection.execute(select(_c.id).where(*mine).with_for_update()).scalars().all()
        _give_back(connection, found, now)


def _lease(
    connection: Connection, wanted: list[Any], lease: str, now: int, until: int, limit: int
) -> list[Leased]:
    # materialized: a planner may run a subquery several times, and lock more than the limit
    due = (
        select(_c.id)
        .where(*wanted)
        .order_by(_c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    statement = (
        update(deliveries)
        .where(_c.id.in_(select(due.c.id)))
        .values(
            state="sending",
            lease=lease,
            lease_until=until,
            next_attempt_at=None,
            started_at=None,
            rendered_for=func.coalesce(_c.rendered_for, now),
            updated_at=now,
        )
        .returning(*_CLAIMED)
    )
    return [Leased(*row) for row in connection.execute(statement).all()]


def _expire(connection: Connection, env: str, late: Sequence[Leased], now: int) -> None:
    for in_doubt, state in ((False, "expired"), (True, "uncertain")):
        ids = [one.id for one in late if one.in_doubt is in_doubt]
        values = {"state": state, "lease": None, "lease_until": None, "updated_at": now}
        connection.execute(update(deliveries).where(_c.id.in_(ids)).values(values))
    follow_up(connection, env, chained(late), now)


def _give_back(connection: Connection, ids: Sequence[int], now: int) -> None:
    if ids:
        fresh, tried = WAITING
        values = {
            "state": case((_c.attempts == 0, fresh), else_=tried),
            "lease": None,
            "lease_until": None,
            "next_attempt_at": now,
            "updated_at": now,
        }
        connection.execute(update(deliveries).where(_c.id.in_(ids)).values(values))
