"""Migrations make the tables that the code expects, on both databases, whoever runs them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from promising import NEWS, order
from sqlalchemy import inspect

from vero_deliver import Outbox, Secret
from vero_deliver.errors import ConfigError, OutboxError
from vero_deliver.outbox.schema import VERSION_TABLE, metadata


def test_migrations_make_what_the_code_has(outbox: Outbox) -> None:
    """From empty, nothing differs from schema.py."""
    with outbox.database.engine.connect() as connection:
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_creating_again_changes_nothing(outbox: Outbox) -> None:
    """create() says whether it did anything, and keeps what is there."""
    outbox.add(NEWS, [order(outbox, "k")])
    assert outbox.create() is False
    assert outbox.get("k")


def test_many_may_create_at_once(database: str) -> None:
    """Processes that start together make the tables once."""
    with ThreadPoolExecutor(4) as pool:
        own = [Outbox(database) for _ in range(4)]
        made = list(pool.map(Outbox.create, own))
    assert sorted(made) == [False, False, False, True]
    for outbox in own:
        outbox.close()


def test_migrations_go_down(outbox: Outbox) -> None:
    """Nothing but the version table is left."""
    config = Config()
    config.set_main_option("script_location", "vero_deliver:outbox/migrations")
    with outbox.database.engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with outbox.database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == [VERSION_TABLE]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("outbox.db", "no URL"),
        ("sqlite://", "needs a file"),
        ("mysql+pymysql://localhost/x", "mysql"),
        ("oddity://localhost/x", "oddity"),
    ],
)
def test_other_databases_are_refused(url: str, words: str) -> None:
    """The error says what is taken."""
    with pytest.raises(ConfigError, match=words):
        Outbox(url)


def test_nobody_else_reads_the_file(tmp_path: Path) -> None:
    """A file of SQLite, and what SQLite puts beside it, is its owner's alone."""
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db")
    outbox.create()
    outbox.add(NEWS, [order(outbox, "k")])
    files = list(tmp_path.iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    outbox.close()


def test_no_password_is_shown() -> None:
    """Neither by repr nor by an error."""
    outbox = Outbox(Secret("postgresql://vero:hunter2@127.0.0.1:1/x"))
    with pytest.raises(OutboxError) as caught:
        outbox.count()
    assert "hunter2" not in f"{outbox!r} {caught.value}"


@pytest.mark.parametrize("name", ["Outbox", "Policy", "Worker"])
def test_without_its_extra_it_names_it(name: str) -> None:
    """Where SQLAlchemy is not installed, everything else works, and this says what to install."""
    program = f"""
import sys
sys.modules["sqlalchemy"] = None
from vero_deliver import Deliverer
from vero_deliver.errors import MissingExtra
Deliverer()
try:
    from vero_deliver import {name}
except MissingExtra as error:
    print(error.extra)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"outbox\n"
