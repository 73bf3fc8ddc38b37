"""Rows into SQLite: one short statement for each, prepared once, which is the cheapest there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from vero_deliver.outbox.row_shapes import ENDED, NEW, ORDERED, STARTED, TOLD, TOLD_KEY, Row


def _names(names: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(f'"{name}"') for name in names)


def _marks(count: int) -> str:
    return ", ".join("?" * count)


_CONSTANTS: Final = tuple(NEW.values())
# the names in these are all our own
_ADD: Final = (
    f"INSERT INTO vero_deliveries ({_names([*ORDERED, *NEW, 'env', 'created_at', 'updated_at'])}) "  # noqa: S608
    f"VALUES ({_marks(len(ORDERED) + len(NEW) + 3)}) ON CONFLICT (env, key) DO NOTHING"
)
_START: Final = (
    f"UPDATE vero_deliveries SET {_names(STARTED[2:], '{} = ?')}, started_at = ?, lease_until = ? "  # noqa: S608
    "WHERE id = ? AND lease = ? AND state = 'sending'"
)
_FINISH: Final = (
    f"UPDATE vero_deliveries SET {_names(ENDED[2:], '{} = ?')}, updated_at = ?, lease = NULL, "  # noqa: S608
    "lease_until = NULL WHERE id = ? AND lease = ? AND state = 'sending'"
)
_OVER: Final = [name for name in TOLD if name not in TOLD_KEY]
_TELL: Final = (
    f"INSERT INTO vero_attempts ({_names(TOLD)}) VALUES ({_marks(len(TOLD))}) "  # noqa: S608
    f"ON CONFLICT (delivery_id, number) DO UPDATE SET {_names(_OVER, '{0} = excluded.{0}')}"
)


def add(connection: Connection, env: str, rows: Sequence[Row], now: int) -> set[str]:
    """Insert what has a new key; the keys."""
    last = connection.exec_driver_sql("SELECT max(id) FROM vero_deliveries").scalar() or 0
    end = (*_CONSTANTS, env, now, now)
    added = connection.exec_driver_sql(_ADD, [(*row, *end) for row in rows]).rowcount
    if added == len(rows):
        return {row[0] for row in rows}
    new = "SELECT key FROM vero_deliveries WHERE id > ?"
    return set(connection.exec_driver_sql(new, (last,)).scalars())


def start(
    connection: Connection, rows: Sequence[Row], now: int, until: int
) -> set[tuple[int, str]]:
    """Begin attempts of what is leased; id and lease of those that are."""
    return _held(connection, _START, [(*row[2:], now, until, *row[:2]) for row in rows])


def finish(connection: Connection, rows: Sequence[Row], now: int) -> set[tuple[int, str]]:
    """End what is leased; id and lease of those that were."""
    return _held(connection, _FINISH, [(*row[2:], now, *row[:2]) for row in rows])


def tell(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert attempts, or write them over."""
    connection.exec_driver_sql(_TELL, list(rows))


def _held(connection: Connection, statement: str, rows: Sequence[Row]) -> set[tuple[int, str]]:
    """Execute for each; the last two parameters, id and lease, of those that it found."""
    # the driver's own cursor: SQLAlchemy does not tell of many rows which of them were found
    cursor = connection.connection.cursor()
    held = set()
    for row in rows:
        cursor.execute(statement, row)
        if cursor.rowcount:
            held.add((row[-2], row[-1]))
    cursor.close()
    return held
