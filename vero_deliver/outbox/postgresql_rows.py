"""Rows into PostgreSQL: each statement takes them all, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from vero_deliver.outbox.given import given_json, given_rows
from vero_deliver.outbox.row_shapes import ENDED, NEW, ORDERED, STARTED, TOLD, TOLD_KEY, Row
from vero_deliver.outbox.schema import attempts, deliveries

_c = deliveries.c


def add(connection: Connection, env: str, rows: Sequence[Row], now: int) -> set[str]:
    """Insert what has a new key; the keys."""
    # in one order: of two that record the same keys, each waits for the other's
    given = _given(ORDERED, sorted(rows, key=itemgetter(0)), env=env, now=now)
    return set(connection.execute(_add(), given).scalars())


def start(
    connection: Connection, rows: Sequence[Row], now: int, until: int
) -> set[tuple[int, str]]:
    """Begin attempts of what is leased; id and lease of those that are."""
    given = _given(STARTED, rows, now=now, until=until)
    return {(row.id, row.lease) for row in connection.execute(_start(), given).all()}


def finish(connection: Connection, rows: Sequence[Row], now: int) -> set[tuple[int, str]]:
    """End what is leased; id and lease of those that were."""
    given = _given(ENDED, rows, now=now)
    return {(row.id, row.lease) for row in connection.execute(_finish(), given).all()}


def tell(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert attempts, or write them over."""
    connection.execute(_tell(), _given(TOLD, rows))


@cache
def _add() -> Any:
    given = given_rows("postgresql", deliveries, ORDERED)
    now = bindparam("now", type_=BigInteger)
    constant = {name: literal(value, _c[name].type) for name, value in NEW.items()}
    constant |= {"env": bindparam("env", type_=Text), "created_at": now, "updated_at": now}
    source = select(*[given.c[name] for name in ORDERED], *constant.values())
    statement = insert(deliveries).from_select([*ORDERED, *constant], source)
    return statement.on_conflict_do_nothing(index_elements=["env", "key"]).returning(_c.key)


@cache
def _start() -> Any:
    given = given_rows("postgresql", deliveries, STARTED)
    values = {name: given.c[name] for name in STARTED[2:]}
    return (
        update(deliveries)
        .where(_c.id == given.c.id, _c.lease == given.c.lease, _c.state == "sending")
        .values(**values, started_at=bindparam("now"), lease_until=bindparam("until"))
        .returning(_c.id, _c.lease)
    )


@cache
def _finish() -> Any:
    given = given_rows("postgresql", deliveries, ENDED)
    values = {name: given.c[name] for name in ENDED[2:]}
    return (
        update(deliveries)
        .where(_c.id == given.c.id, _c.lease == given.c.lease, _c.state == "sending")
        .values(**values, lease=None, lease_until=None, updated_at=bindparam("now"))
        .returning(given.c.id, given.c.lease)
    )


@cache
def _tell() -> Any:
    given = given_rows("postgresql", attempts, TOLD)
    statement = insert(attempts).from_select(TOLD, select(*[given.c[name] for name in TOLD]))
    return statement.on_conflict_do_update(
        index_elements=["delivery_id", "number"],
        set_={name: statement.excluded[name] for name in TOLD if name not in TOLD_KEY},
    )


def _given(names: tuple[str, ...], rows: Sequence[Row], **others: Any) -> dict[str, Any]:
    return given_json([dict(zip(names, row, strict=True)) for row in rows], **others)
