"""The rows that the queue writes, many at once, on either database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, select, update

from vero_deliver.mime import key_digest
from vero_deliver.outbox import postgresql_rows, sqlite_rows
from vero_deliver.outbox.given import insert
from vero_deliver.outbox.records import PRIORITIES, Order, Result, Start
from vero_deliver.outbox.row_shapes import ENDED, Row, Rows
from vero_deliver.outbox.schema import deliveries, hash_of
from vero_deliver.states import FOLLOWS

LONGEST_NAME: Final = 500  # characters: an index takes no more than some 2,700 bytes
_LONGEST: Final = 2_000  # characters of a provider's words
_c = deliveries.c
_ROWS: Final[dict[str, Rows]] = {"sqlite": sqlite_rows, "postgresql": postgresql_rows}


def add(connection: Connection, env: str, orders: Iterable[Order], now: int) -> set[str]:
    """Write deliveries that are not there; their keys."""
    rows = [
        (
            one.key, one.send_key, one.user_id, one.message_id, one.message_version, one.content,
            one.kind, PRIORITIES[one.kind], one.rank,
            # a later rank waits for the one before it
            None if one.rank else one.due_at,
            one.expires_at, one.user, one.about, hash_of(key_digest(one.key)),
            one.fallback_after,
        )
        for one in orders
    ]  # fmt: skip
    return _rows(connection).add(connection, env, rows, now)


def start(
    connection: Connection, starts: Iterable[Start], now: int, until: int
) -> set[tuple[int, str]]:
    """Write what is handed over; id and lease of those whose lease still holds."""
    rows = [
        (
            one.leased.id, one.leased.lease, one.leased.attempts + 1, one.channel, one.repeatable,
            " ".join(one.recipients),
        )
        for one in starts
    ]  # fmt: skip
    return _rows(connection).start(connection, rows, now, until)


def finish(
    connection: Connection, results: Sequence[Result], now: int
) -> tuple[list[Result], list[Result]]:
    """Write what became of deliveries; those that counted, and those whose delivery is there.

    One counts where its lease is the delivery's last, and its state may follow.
    """
    held = _rows(connection).finish(connection, [_ended(one) for one in results], now)
    if len(held) == len(results):
        return list(results), list(results)
    # others have lost their lease: their delivery may be in any state, or gone
    late = [one for one in results if (one.leased.id, one.leased.lease) not in held]
    mine = _c.id.in_([one.leased.id for one in late])
    query = select(_c.id, _c.lease, _c.state).where(mine).order_by(_c.id).with_for_update()
    standing = {row.id: row for row in connection.execute(query).all()}
    for one in late:
        row = standing.get(one.leased.id)
        if row and row.lease == one.leased.lease and one.state in FOLLOWS[row.state]:
            values = dict(zip(ENDED, _ended(one), strict=True))
            nothing = {"lease": None, "lease_until": None, "updated_at": now}
            connection.execute(update(deliveries).where(_c.id == row.id).values(values | nothing))
            held.add((row.id, row.lease))
    known = {id_ for id_, _ in held} | standing.keys()
    return (
        [one for one in results if (one.leased.id, one.leased.lease) in held],
        [one for one in results if one.leased.id in known],
    )


def tell(connection: Connection, rows: Sequence[Row]) -> None:
    """Write attempts; what was known of one gives way."""
    if rows:
        _rows(connection).tell(connection, rows)


def attempt(result: Result) -> Row:
    """One handing over that has ended."""
    return (
        result.leased.id, result.leased.attempts + 1, result.started_at, result.ended_at,
        result.channel, result.state if result.answered else "uncertain",
        fit(result.provider_id, LONGEST_NAME), fit(result.error), fit(result.code),
    )  # fmt: skip


def unanswered(row: Any, now: int, words: str) -> Row:
    """One whose worker is gone."""
    return (
        row["id"], row["attempts"], row["started_at"], now, row["channel"], "uncertain", "", words,
        "",
    )  # fmt: skip


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
    if len(words) <= longest and words.isascii() and "\0" not in words:
        return words
    return words[:longest].replace("\0", "").encode("utf-8", "replace").decode()


def _ended(one: Result) -> Row:
    return (
        one.leased.id, one.leased.lease, one.state, one.next_attempt_at, one.in_doubt,
        one.channel or one.leased.channel, fit(one.provider_id), one.digest, fit(one.error),
        fit(one.code), one.ended_at if one.state == "accepted" else None,
    )  # fmt: skip


def _rows(connection: Connection) -> Rows:
    return _ROWS[connection.dialect.name]
