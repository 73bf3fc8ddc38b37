"""The database behind an outbox: SQLite or PostgreSQL, and the transactions over it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vero_deliver.errors import ConfigError, MissingExtra, OutboxError
from vero_deliver.outbox.schema import HEAD, VERSION_TABLE
from vero_deliver.secret import Secret, reveal

_BUSY: Final = 30_000  # milliseconds that SQLite waits for another writer
_PAUSE: Final = 0.02  # seconds
_CREATING: Final = 0x7665726F  # the lock of those who make tables: "vero"
_READING: Final = "vero_reading"  # of a connection that will not write
_revisions = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))


class Database:
    """Connections, opened when first needed.

    url: "sqlite:///outbox.db" or "postgresql://user@host/name", text or a Secret; or an Engine of
    the caller's own, which is left open.
    """

    def __init__(self, url: str | Secret | Engine) -> None:
        self._own = not isinstance(url, Engine)
        self.engine = url if isinstance(url, Engine) else _engine(url)
        _check_kind(self.engine.dialect.name)
        self._checked = False

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction. Raises OutboxError where the database fails; nothing is written then."""
        with self._told() as connection, connection.begin():
            self._check(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that writes nothing, and waits for no writer. Raises OutboxError."""
        with self._told() as connection:
            options = connection.execution_options(**{_READING: True})
            with options.begin():
                self._check(options)
                yield options

    def create(self) -> bool:
        """Make the tables, or bring them up to date; False where they are. Raises OutboxError."""
        from alembic import command  # slow to import, and rarely needed
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with self._told() as connection, connection.begin():
            if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
                connection.execute(select(func.pg_advisory_xact_lock(_CREATING)))
            if self._revision(connection) == HEAD:
                return False
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError:
                raise OutboxError(
                    f"{self}: its tables are those of version {self._revision(connection)}, which "
                    "this vero-deliver does not know: upgrade it"
                ) from None
        return True

    def close(self) -> None:
        """Close every connection. Idempotent; the next use opens them again."""
        if self._own:
            self.engine.dispose()

    def _check(self, connection: Connection) -> None:
        """Raise OutboxError where the tables are not those that this code knows."""
        if self._checked:
            return
        revision = self._revision(connection)
        if revision != HEAD:
            found = f"its tables are those of version {revision}" if revision else "it has none"
            raise OutboxError(
                f"{self}: needs tables of version {HEAD}, and {found}; "
                "run `vero-deliver outbox create`, or Outbox.create()"
            )
        self._checked = True

    def _revision(self, connection: Connection) -> str | None:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(select(_revisions.c.version_num)).scalar()

    @contextmanager
    def _told(self) -> Iterator[Connection]:
        """A connection whose errors are ours, without the statement: it holds personal data."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            words = " ".join(str(getattr(error, "orig", error)).split())
            raise OutboxError(f"{self}: {words}") from None
        except PoolTimeout as error:
            raise OutboxError(f"{self}: no free connection: {error.args[0]}") from None


def alone(connection: Connection, name: str) -> None:
    """Keep others from what is so called until the transaction ends; SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _engine(given: str | Secret) -> Engine:
    try:
        url = make_url(reveal(given))
    except ArgumentError:
        raise ConfigError(
            "outbox: no URL of a database; write sqlite:///outbox.db or postgresql://user@host/name"
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    _check_kind(url.get_backend_name())
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise MissingExtra("an outbox in PostgreSQL", "postgres") from None


def _check_kind(name: str) -> None:
    if name not in ("sqlite", "postgresql"):
        raise ConfigError(f"outbox: a database of {name}; it takes sqlite or postgresql")


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ConfigError("outbox: SQLite needs a file, sqlite:///outbox.db")
    engine = create_engine(url, connect_args={"timeout": _BUSY / 1000})

    @event.listens_for(engine, "do_connect")
    def opening(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
        with suppress(OSError):  # it is there, or SQLite says why not
            os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL, 0o600))  # it holds users' data

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        _to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # a transaction that reads first and writes later would fail, not wait, at another writer
        reading = connection.get_execution_options().get(_READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _to_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; where two do so at once, SQLite makes one of them try again."""
    give_up = time.monotonic() + _BUSY / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(_PAUSE)
