"""A content may be sent where the one before it is not delivered in time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the time."""
    op.add_column("vero_deliveries", sa.Column("fallback_after", sa.BigInteger))


def downgrade() -> None:
    """Forget it: what waits for a delivery in time waits for ever."""
    op.drop_column("vero_deliveries", "fallback_after")
