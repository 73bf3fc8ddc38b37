"""The rows that the queue writes, many at once: each statement takes them as one JSON text.

A driver binds and a planner plans one parameter instead of twenty for each row, which makes a batch
several times as cheap for the worker.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    SmallInteger,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from vero_deliver.mime import key_digest
from vero_deliver.outbox.records import PRIORITIES, Order, Result, Start
from vero_deliver.outbox.schema import attempts, deliveries, hash_of

LONGEST_NAME: Final = 500  # characters: an index takes no more than some 2,700 bytes
_LONGEST: Final = 2_000  # characters of a provider's words
_c = deliveries.c
_ORDERED: Final = (
    "key", "send_key", "user_id", "message_id", "message_version", "content", "kind", "priority",
    "rank", "next_attempt_at", "expires_at", "user", "about", "key_hash",
)  # fmt: skip
_STARTED: Final = ("id", "lease", "attempts", "channel", "repeatable", "recipients")
_ENDED: Final = (
    "id", "lease", "state", "next_attempt_at", "in_doubt", "channel", "provider_id", "digest",
    "error", "code", "accepted_at",
)  # fmt: skip
_NEW: Final = {
    "state": "queued", "attempts": 0, "repeatable": False, "in_doubt": False, "channel": "",
    "provider_id": "", "digest": "", "error": "", "code": "",
}  # fmt: skip


def add(connection: Connection, env: str, orders: Iterable[Order], now: int) -> set[str]:
    """Write deliveries that are not there; their keys."""
    rows = [
        {
            **{name: getattr(order, name) for name in Order.__slots__ if name != "due_at"},
            "priority": PRIORITIES[order.kind],
            "key_hash": hash_of(key_digest(order.key)),
            # a later rank waits for the one before it
            "next_attempt_at": None if order.rank else order.due_at,
        }
        for order in orders
    ]
    statement = _add(connection.dialect.name)
    return set(connection.execute(statement, given_json(rows, env=env, now=now)).scalars())


def start(
    connection: Connection, starts: Iterable[Start], now: int, until: int
) -> set[tuple[int, str]]:
    """Write what is handed over; id and lease of those whose lease still holds."""
    rows = [
        {
            "id": one.leased.id,
            "lease": one.leased.lease,
            "attempts": one.leased.attempts + 1,
            "channel": one.channel,
            "repeatable": one.repeatable,
            "recipients": " ".join(one.recipients),
        }
        for one in starts
    ]
    statement = _start(connection.dialect.name)
    found = connection.execute(statement, given_json(rows, now=now, until=until))
    return {(row.id, row.lease) for row in found}


def finish(connection: Connection, results: Iterable[Result], now: int) -> None:
    """Write what became of deliveries whose lease holds."""
    rows = [
        {
            "id": one.leased.id,
            "lease": one.leased.lease,
            "state": one.state,
            "next_attempt_at": one.next_attempt_at,
            "in_doubt": one.in_doubt,
            "channel": one.channel or one.leased.channel,
            "provider_id": fit(one.provider_id),
            "digest": one.digest,
            "error": fit(one.error),
            "code": fit(one.code),
            "accepted_at": one.ended_at if one.state == "accepted" else None,
        }
        for one in results
    ]
    connection.execute(_finish(connection.dialect.name), given_json(rows, now=now))


def standing(connection: Connection, results: Iterable[Result]) -> dict[int, Any]:
    """Lease and state of the deliveries that results are about, locked."""
    rows = [{"id": one.leased.id} for one in results]
    found = connection.execute(_standing(connection.dialect.name), given_json(rows))
    return {row.id: row for row in found}


def tell(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write attempts; what was known of one gives way."""
    if rows:
        connection.execute(_tell(connection.dialect.name), given_json(rows))


def attempt(result: Result) -> dict[str, Any]:
    """One handing over that has ended."""
    return {
        "delivery_id": result.leased.id,
        "number": result.leased.attempts + 1,
        "started_at": result.started_at,
        "ended_at": result.ended_at,
        "channel": result.channel,
        "state": result.state,
        "provider_id": fit(result.provider_id, LONGEST_NAME),
        "error": fit(result.error),
        "code": fit(result.code),
    }


def unanswered(row: Any, now: int, words: str) -> dict[str, Any]:
    """One whose worker is gone."""
    return {
        "delivery_id": row["id"],
        "number": row["attempts"],
        "started_at": row["started_at"],
        "ended_at": now,
        "channel": row["channel"],
        "state": "uncertain",
        "provider_id": "",
        "error": words,
        "code": "",
    }


def or_nothing(connection: Connection, table: Table, *unique: str) -> Any:
    """An insert that leaves a row that is there as it is."""
    return insert(connection.dialect.name, table).on_conflict_do_nothing(index_elements=unique)


def write_over(connection: Connection, table: Table, values: dict[str, Any], *unique: str) -> None:
    """Write a row, over the one that is there."""
    statement = insert(connection.dialect.name, table)
    others = {name: statement.excluded[name] for name in values if name not in unique}
    connection.execute(statement.on_conflict_do_update(index_elements=unique, set_=others), values)


def fit(words: str, longest: int = _LONGEST) -> str:
    """A provider's words as any database takes them: no NUL, no half characters, not too long."""
    return words[:longest].replace("\0", "").encode("utf-8", "replace").decode()


@cache
def _add(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, _ORDERED)
    now = bindparam("now", type_=BigInteger)
    constant = {name: literal(value, _c[name].type) for name, value in _NEW.items()}
    constant |= {"env": bindparam("env", type_=Text), "created_at": now, "updated_at": now}
    # SQLite would take ON CONFLICT for a join's ON if there were no WHERE
    source = select(*[given.c[name] for name in _ORDERED], *constant.values()).where(true())
    statement = insert(dialect, deliveries).from_select([*_ORDERED, *constant], source)
    return statement.on_conflict_do_nothing(index_elements=["env", "key"]).returning(_c.key)


@cache
def _start(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, _STARTED)
    values = {name: given.c[name] for name in ("attempts", "channel", "repeatable", "recipients")}
    return (
        update(deliveries)
        .where(_c.id == given.c.id, _c.lease == given.c.lease, _c.state == "sending")
        .values(**values, started_at=bindparam("now"), lease_until=bindparam("until"))
        .returning(_c.id, _c.lease)
    )


@cache
def _finish(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, _ENDED)
    values = {name: given.c[name] for name in _ENDED if name not in ("id", "lease")}
    return (
        update(deliveries)
        .where(_c.id == given.c.id, _c.lease == given.c.lease)
        .values(**values, lease=None, lease_until=None, updated_at=bindparam("now"))
    )


@cache
def _standing(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, ("id",))
    return (
        select(_c.id, _c.lease, _c.state)
        .where(_c.id.in_(select(given.c.id)))
        .order_by(_c.id)
        .with_for_update()
    )


@cache
def _tell(dialect: str) -> Any:
    names = [one.name for one in attempts.c]
    given = given_rows(dialect, attempts, tuple(names))
    source = select(*[given.c[name] for name in names]).where(true())
    statement = insert(dialect, attempts).from_select(names, source)
    key = ("delivery_id", "number", "started_at")
    return statement.on_conflict_do_update(
        index_elements=["delivery_id", "number"],
        set_={name: statement.excluded[name] for name in names if name not in key},
    )


def given_rows(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    """The rows of the parameter `rows` as a table of those columns."""
    if dialect == "postgresql":
        columns = [column(name, _plain(table.c[name])) for name in names]
        document = cast(bindparam("rows", type_=Text), postgresql.JSONB)
        records = func.jsonb_to_recordset(document).table_valued(*columns, name="given")
        return records.render_derived(with_types=True)
    each = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="each")
    found = [
        func.json_extract(each.c.value, f"$.{name}", type_=_plain(table.c[name])).label(name)
        for name in names
    ]
    return select(*found).subquery("given")


def _plain(one: Column[Any]) -> TypeEngine[Any]:
    kinds = (Boolean, SmallInteger, BigInteger, Integer, Text)
    kind = next(kind for kind in kinds if isinstance(one.type, kind))
    return kind()


def given_json(rows: Sequence[dict[str, Any]], **others: Any) -> dict[str, Any]:
    """The parameters of a statement over given_rows()."""
    return {"rows": json.dumps(rows), **others}


def insert(dialect: str, table: Table) -> Any:
    """The database's own insert, which knows ON CONFLICT."""
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect](table)
