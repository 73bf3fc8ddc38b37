"""What the two databases are given to write: rows of these columns, in this order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from vero_deliver.outbox.schema import attempts

Row = tuple[Any, ...]

ORDERED: Final = (
    "key", "send_key", "user_id", "message_id", "message_version", "content", "kind", "priority",
    "rank", "next_attempt_at", "expires_at", "user", "about", "key_hash",
    "fallback_after",
)  # fmt: skip
NEW: Final = {
    "state": "queued", "attempts": 0, "repeatable": False, "in_doubt": False, "channel": "",
    "provider_id": "", "digest": "", "error": "", "code": "",
}  # fmt: skip
STARTED: Final = ("id", "lease", "attempts", "channel", "repeatable", "recipients")
ENDED: Final = (
    "id", "lease", "state", "next_attempt_at", "in_doubt", "channel", "provider_id", "digest",
    "error", "code", "accepted_at",
)  # fmt: skip
TOLD: Final = tuple(column.name for column in attempts.c)
TOLD_KEY: Final = ("delivery_id", "number", "started_at")  # stays when an attempt is told again


class Rows(Protocol):
    """The statements of one database. Each takes many rows at the price of few."""

    def add(self, connection: Connection, env: str, rows: Sequence[Row], now: int) -> set[str]:
        """Insert what has a new key; the keys."""
        ...

    def start(
        self, connection: Connection, rows: Sequence[Row], now: int, until: int
    ) -> set[tuple[int, str]]:
        """Begin attempts of what is leased; id and lease of those that are."""
        ...

    def finish(self, connection: Connection, rows: Sequence[Row], now: int) -> set[tuple[int, str]]:
        """End what is leased; id and lease of those that were."""
        ...

    def tell(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert attempts, or write them over."""
        ...
