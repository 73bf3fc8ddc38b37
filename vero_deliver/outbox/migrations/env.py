"""Alembic's entry: run the migrations over the connection that Outbox.create() gives."""

from __future__ import annotations

from alembic import context

from vero_deliver.outbox.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
context.run_migrations()
