"""A content may follow where one is not delivered in time; quotas and warm-ups are shared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the time, and a table of counts."""
    op.add_column("vero_deliveries", sa.Column("fallback_after", sa.BigInteger))
    op.create_table(
        "vero_quotas",
        sa.Column("env", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, primary_key=True),
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "vero_warm_up",
        sa.Column("env", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Forget all: what waits for a delivery in time waits for ever."""
    op.drop_table("vero_warm_up")
    op.drop_table("vero_quotas")
    op.drop_column("vero_deliveries", "fallback_after")
