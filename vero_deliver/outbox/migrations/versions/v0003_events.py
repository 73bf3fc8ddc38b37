"""Feedback is kept, and finds its delivery by key, digest or the provider's id."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from vero_deliver.mime import key_digest

revision = "0003"
down_revision = "0002"

_AT_ONCE: Final = 10_000


def upgrade() -> None:
    """Make the table, and tell deliveries that are there their hash."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "vero_events",
        sa.Column("number", number, primary_key=True),
        *_texts("env"),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column(
            "delivery_id",
            number,
            sa.ForeignKey("vero_deliveries.id", ondelete="CASCADE", name="vero_events_delivery"),
        ),
        sa.Column("pending_since", sa.BigInteger),
        sa.Column("key_hash", sa.BigInteger),
        *_texts("kind", "channel", "id"),
        sa.Column("at", sa.BigInteger, nullable=False),
        *_texts("key", "digest", "provider_id", "recipient", "reason"),
        sa.Column("permanent", sa.Boolean),
        sa.Column("smtp_code", sa.Integer),
        *_texts("enhanced_status", "diagnostic", "text", "url", "user_agent", "ip", "topic"),
        sa.Column("machine", sa.Boolean),
        *_texts("tags", "metadata", "raw"),
        sa.UniqueConstraint("env", "channel", "id", name="vero_events_told"),
    )
    _index("vero_events", "of", ["delivery_id"], where="delivery_id IS NOT NULL")
    _index("vero_events", "received", ["env", "received_at", "number"])
    for name in ("key_hash", "provider_id"):
        _index("vero_events", name, ["env", name], where="pending_since IS NOT NULL")
    _index("vero_attempts", "provider", ["provider_id"], where="provider_id <> ''")
    op.add_column("vero_deliveries", sa.Column("key_hash", sa.BigInteger))
    _fill()
    _index("vero_deliveries", "key_hash", ["key_hash"])


def downgrade() -> None:
    """Drop what was told."""
    op.drop_index("vero_deliveries_key_hash", "vero_deliveries")
    op.drop_column("vero_deliveries", "key_hash")
    op.drop_index("vero_attempts_provider", "vero_attempts")
    op.drop_table("vero_events")


def _fill() -> None:
    names = ("id", "key", "key_hash")
    table = sa.table("vero_deliveries", *[sa.column(name) for name in names])
    mine = sa.update(table).where(table.c.id == sa.bindparam("its"))
    connection, last = op.get_bind(), 0
    while True:
        query = sa.select(table.c.id, table.c.key).where(table.c.id > last)
        rows = connection.execute(query.order_by(table.c.id).limit(_AT_ONCE)).all()
        if not rows:
            return
        # as schema.hash_of has it
        hashes = [{"its": row.id, "its_hash": int(key_digest(row.key)[:15], 16)} for row in rows]
        connection.execute(mine.values(key_hash=sa.bindparam("its_hash")), hashes)
        last = rows[-1].id


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _index(table: str, name: str, columns: list[str], where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"{table}_{name}", table, columns, sqlite_where=condition, postgresql_where=condition
    )
