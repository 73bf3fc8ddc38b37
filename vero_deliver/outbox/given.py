"""Many rows for one statement, as one JSON text.

A driver binds and a planner plans one parameter instead of ten for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    SmallInteger,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine


def given_rows(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    """The rows of the parameter `rows` as a table of those columns."""
    if dialect == "postgresql":
        columns = [column(name, _plain(table.c[name])) for name in names]
        document = cast(bindparam("rows", type_=Text), postgresql.JSONB)
        records = func.jsonb_to_recordset(document).table_valued(*columns, name="given")
        return records.render_derived(with_types=True)
    each = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="each")
    found = [
        func.json_extract(each.c.value, f"$.{name}", type_=_plain(table.c[name])).label(name)
        for name in names
    ]
    return select(*found).subquery("given")


def given_json(rows: Sequence[dict[str, Any]], **others: Any) -> dict[str, Any]:
    """The parameters of a statement over given_rows()."""
    return {"rows": msgspec.json.encode(rows).decode(), **others}


def insert(dialect: str, table: Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect](table)


def _plain(one: Column[Any]) -> TypeEngine[Any]:
    kinds = (Boolean, SmallInteger, BigInteger, Integer, Text)
    kind = next(kind for kind in kinds if isinstance(one.type, kind))
    return kind()
