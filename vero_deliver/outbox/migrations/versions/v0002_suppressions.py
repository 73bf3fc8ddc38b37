"""Whom not to send to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and the column that tells whom a delivery went to."""
    op.add_column(
        "vero_deliveries", sa.Column("recipients", sa.Text, nullable=False, server_default="")
    )
    op.create_table(
        "vero_suppressions",
        *(
            sa.Column(name, sa.Text, primary_key=True)
            for name in ("env", "digest", "reason", "topic")
        ),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("lifted", sa.BigInteger),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vero_soft_bounces",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("env", "digest", "told")),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("vero_soft_bounces")
    op.drop_table("vero_suppressions")
    with op.batch_alter_table("vero_deliveries") as table:
        table.drop_column("recipients")
