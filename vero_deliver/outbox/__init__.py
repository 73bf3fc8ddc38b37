"""The outbox: the durable store of deliveries, in SQLite or PostgreSQL.

Plain blocking functions over SQLAlchemy Core; vero_deliver.desk calls them on threads.
"""

from __future__ import annotations

from importlib.util import find_spec

from vero_deliver.errors import MissingExtra

if find_spec("sqlalchemy") is None or find_spec("alembic") is None:
    raise MissingExtra("the outbox", "outbox")
