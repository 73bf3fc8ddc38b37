"""Which delivery a piece of feedback is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, literal_column, select

from vero_deliver.mime import key_digest
from vero_deliver.outbox.given import given_json, given_rows
from vero_deliver.outbox.schema import attempts, deliveries

Row = dict[str, Any]  # of the table events

_c, _a = deliveries.c, attempts.c


def match(connection: Connection, env: str, rows: Sequence[Row]) -> None:
    """Set delivery_id of those that have one: by key or digest, else by the provider's id."""
    dialect = connection.dialect.name
    hashed = [{"key_hash": row["key_hash"]} for row in rows if row["key_hash"] is not None]
    named = [
        {"provider_id": row["provider_id"]}
        for row in rows
        if row["key_hash"] is None and row["provider_id"]
    ]
    of_digest: dict[str, int] = {}
    of_receipt: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    if hashed:
        found = connection.execute(_hashed(dialect), given_json(hashed))
        of_digest = {key_digest(one.key): one.id for one in found if one.env == env}
    if named:
        found = connection.execute(_receipts(dialect), given_json(named))
        for one in (one for one in found if one.env == env):
            of_receipt[one.channel, one.provider_id].add(one.delivery_id)
    for row in rows:
        if row["key_hash"] is not None:
            row["delivery_id"] = of_digest.get(row["digest"])
            continue
        ids = of_receipt.get((row["channel"], row["provider_id"]), set())
        row["delivery_id"] = next(iter(ids)) if len(ids) == 1 else None


def stand(connection: Connection, ids: Iterable[int | None]) -> dict[int | None, Any]:
    """The deliveries, locked in one order."""
    wanted = [{"id": id_} for id_ in {id_ for id_ in ids if id_ is not None}]
    if not wanted:
        return {}
    found = connection.execute(_standing(connection.dialect.name), given_json(wanted))
    return {row.id: row for row in found}


# env is not asked for: SQLite would go by an index of it, and look at every delivery


@cache
def _hashed(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, ("key_hash",))
    return select(_c.id, _c.env, _c.key).where(_c.key_hash.in_(select(given.c.key_hash)))


@cache
def _receipts(dialect: str) -> Any:
    given = given_rows(dialect, attempts, ("provider_id",))
    named = _a.provider_id != literal_column("''")  # as the index has it
    return (
        select(_a.channel, _a.provider_id, _a.delivery_id, _c.env)
        .join(deliveries, _c.id == _a.delivery_id)
        .where(named, _a.provider_id.in_(select(given.c.provider_id)))
    )


@cache
def _standing(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, ("id",))
    mine = _c.id.in_(select(given.c.id))
    return select(deliveries).where(mine).order_by(_c.id).with_for_update()
