"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "vero_messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "vero_deliveries",
        sa.Column("id", number, primary_key=True),
        *_texts("env", "key", "send_key", "user_id", "message_id", "message_version"),
        *_texts("content", "kind"),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("rank", sa.SmallInteger),
        *_texts("state"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger),
        sa.Column("lease", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("repeatable", sa.Boolean, nullable=False),
        sa.Column("in_doubt", sa.Boolean, nullable=False),
        *_texts("channel", "provider_id", "digest", "error", "code"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("rendered_for", sa.BigInteger),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        *_texts("user", "about"),
        sa.UniqueConstraint("env", "key", name="vero_deliveries_key"),
    )
    _index("due", ["env", "priority", "next_attempt_at"], where="next_attempt_at IS NOT NULL")
    _index("lease", ["lease_until"], where="lease_until IS NOT NULL")
    _index("user", ["env", "user_id"])
    _index("send", ["env", "send_key"])
    op.create_table(
        "vero_attempts",
        sa.Column(
            "delivery_id",
            number,
            sa.ForeignKey("vero_deliveries.id", ondelete="CASCADE", name="vero_attempts_delivery"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        *_texts("channel", "state", "provider_id", "error", "code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vero_circuits",
        sa.Column("env", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("period", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("openings", sa.Integer, nullable=False),
        sa.Column("open_until", sa.BigInteger),
        sa.Column("probe_until", sa.BigInteger),
        *_texts("reason"),
        sa.Column("misconfigured", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop them, and every delivery in them."""
    for name in ("circuits", "attempts", "deliveries", "messages"):
        op.drop_table(f"vero_{name}")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _index(name: str, columns: list[str], where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"vero_deliveries_{name}",
        "vero_deliveries",
        columns,
        sqlite_where=condition,
        postgresql_where=condition,
    )
