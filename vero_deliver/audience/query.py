"""Recipients out of a database, by an SQL query of the project's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vero_deliver.audience.columns import columns_of
from vero_deliver.audience.recipient import Recipient, user_of
from vero_deliver.errors import ConfigError, MissingExtra
from vero_deliver.plain import KeyPath
from vero_deliver.secret import Secret, reveal

PREFIX: Final = "query:"  # what a source of that kind begins with
_AT_ONCE: Final = 1_000  # rows fetched


@dataclass(frozen=True, slots=True)
class Query:
    """A query by name. url: SQLAlchemy's, of any database whose driver is installed."""

    name: str
    sql: str
    url: str | Secret

    def recipients(self, declared: Mapping[str, Any]) -> Iterator[Recipient]:
        """A row each, its columns named as in CSV; NULL is left out, other values keep their type.

        Rows are fetched as they are asked for, in a transaction that is rolled back. Raises
        ConfigError, which shows neither URL nor values.
        """
        try:
            from sqlalchemy import create_engine, text
            from sqlalchemy.exc import SQLAlchemyError
        except ModuleNotFoundError:
            raise MissingExtra("recipients from a query", "sql") from None
        where = f"[queries.{self.name}]"
        try:
            engine = create_engine(reveal(self.url))
        except ModuleNotFoundError as error:
            raise ConfigError(f"{where}: the driver {error.name!r} is not installed") from None
        except SQLAlchemyError:
            raise ConfigError(f"{where}: url is no URL of a database") from None
        try:
            with engine.connect().execution_options(yield_per=_AT_ONCE) as connection:
                result = connection.execute(text(self.sql))
                if not result.returns_rows:
                    raise ConfigError(f"{where}: sql gives no rows; write a SELECT")
                columns = columns_of(list(result.keys()), declared, where)
                for number, row in enumerate(result, 1):
                    yield _recipient(tuple(row), columns, number, where)
        except SQLAlchemyError as error:
            words = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
            raise ConfigError(f"{where}: {words}") from None
        finally:
            engine.dispose()


def _recipient(row: tuple[Any, ...], columns: list[KeyPath], number: int, where: str) -> Recipient:
    parts: dict[str, Any] = {"user": {}, "event": {}, "data": {}}
    for path, value in zip(columns, row, strict=True):
        if value is None:
            continue
        if not path:
            raise ConfigError(f"{where}: a column has no name; write AS")
        table = parts
        for name in path[:-1]:
            table = table.setdefault(str(name), {})
        table[str(path[-1])] = value
    place = f"{where}, row {number}"
    user = user_of(parts["user"], ("user",), lambda _: place)
    label = user.email or user.id or f"#{number}"
    return Recipient(user, parts["data"], label, parts["event"], number)
