"""The rows that the queue writes, and the statements that write many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from vero_deliver.outbox.records import PRIORITIES, Order, Result, Start
from vero_deliver.outbox.schema import attempts, deliveries

_c = deliveries.c
_LONGEST: Final = 2_000  # characters of a provider's words
_TOLD: Final = ("ended_at", "channel", "state", "provider_id", "error", "code")
_ENDED: Final = (
    "state", "next_attempt_at", "in_doubt", "channel", "provider_id", "digest", "error", "code",
    "accepted_at", "updated_at",
)  # fmt: skip
_MINE: Final = (_c.id == bindparam("its_id"), _c.lease == bindparam("its_lease"))

START: Final = (
    update(deliveries)
    .where(*_MINE)
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("started_at", "lease_until", "attempts", "channel", "repeatable")
        }
    )
)
FINISH: Final = (
    update(deliveries)
    .where(*_MINE)
    .values(lease=None, lease_until=None, **{name: bindparam(f"new_{name}") for name in _ENDED})
)


def or_nothing(connection: Connection, table: Table, *unique: str) -> Any:
    """An insert that leaves a row that is there as it is."""
    return _insert(connection, table).on_conflict_do_nothing(index_elements=unique)


def write_over(connection: Connection, table: Table, values: dict[str, Any], *unique: str) -> None:
    """Write a row, over the one that is there."""
    statement = _insert(connection, table)
    others = {name: statement.excluded[name] for name in values if name not in unique}
    connection.execute(statement.on_conflict_do_update(index_elements=unique, set_=others), values)


def tell(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write attempts; what was known of one gives way."""
    if rows:
        statement = _insert(connection, attempts)
        statement = statement.on_conflict_do_update(
            index_elements=["delivery_id", "number"],
            set_={name: statement.excluded[name] for name in _TOLD},
        )
        connection.execute(statement, rows)


def ordered(env: str, order: Order, now: int) -> dict[str, Any]:
    """A delivery that was not there."""
    return {
        "env": env,
        **{name: getattr(order, name) for name in Order.__slots__ if name != "due_at"},
        "priority": PRIORITIES[order.kind],
        "state": "queued",
        "attempts": 0,
        # a later rank waits for the one before it
        "next_attempt_at": None if order.rank else order.due_at,
        "repeatable": False,
        "in_doubt": False,
        **dict.fromkeys(("channel", "provider_id", "digest", "error", "code"), ""),
        "created_at": now,
        "updated_at": now,
    }


def started(start: Start, now: int, until: int) -> dict[str, Any]:
    """The values of START."""
    return {
        "its_id": start.leased.id,
        "its_lease": start.leased.lease,
        "new_started_at": now,
        "new_lease_until": until,
        "new_attempts": start.leased.attempts + 1,
        "new_channel": start.channel,
        "new_repeatable": start.repeatable,
    }


def finished(result: Result, now: int) -> dict[str, Any]:
    """The values of FINISH."""
    return {
        "its_id": result.leased.id,
        "its_lease": result.leased.lease,
        "new_state": result.state,
        "new_next_attempt_at": result.next_attempt_at,
        "new_in_doubt": result.in_doubt,
        "new_channel": result.channel or result.leased.channel,
        "new_provider_id": fit(result.provider_id),
        "new_digest": result.digest,
        "new_error": fit(result.error),
        "new_code": fit(result.code),
        "new_accepted_at": result.ended_at if result.state == "accepted" else None,
        "new_updated_at": now,
    }


def attempt(result: Result) -> dict[str, Any]:
    """One handing over that has ended."""
    return {
        "delivery_id": result.leased.id,
        "number": result.leased.attempts + 1,
        "started_at": result.started_at,
        "ended_at": result.ended_at,
        "channel": result.channel,
        "state": result.state,
        "provider_id": fit(result.provider_id),
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


def fit(words: str) -> str:
    """A provider's words as any database takes them: no NUL, no half characters, not too long."""
    return words[:_LONGEST].replace("\0", "").encode("utf-8", "replace").decode()


def _insert(connection: Connection, table: Table) -> Any:
    dialects = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return dialects[connection.dialect.name](table)
