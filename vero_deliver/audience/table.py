"""Recipients in a CSV table."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from vero_deliver.audience.recipient import Recipient, user_of
from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, dotted, quoted
from vero_deliver.reading import ReadError, decode_text

_USER_COLUMNS: Final = {
    "phone_number": "phone",
    **{name: name for name in ("id", "email", "phone", "locale", "timezone")},
}


def from_csv(lines: Iterable[bytes], file: str, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    """A row each, the first one names the columns."""
    decoded = (decode_text(raw, file, number) for number, raw in enumerate(lines, 1))
    first = next(decoded, "")
    # spreadsheets of many countries write ; where others write ,
    delimiter = next((mark for mark in ",;\t" if mark in first), ",")
    reader = csv.reader(itertools.chain([first], decoded), delimiter=delimiter, strict=True)
    columns: list[KeyPath] = []
    count = 0
    for row, where in _rows(reader, file):
        if not columns:
            columns = _columns(row, declared, where)
            continue
        count += 1
        parts = _parts(row, columns, where)
        user = user_of(parts["user"], ("user",), partial(_same, where))
        label = user.email or user.id or f"#{count}"
        yield Recipient(user, parts["data"], label, parts["event"])


def _same(where: str, _path: KeyPath) -> str:
    return where


def _rows(reader: Any, file: str) -> Iterator[tuple[list[str], str]]:
    """The rows that are not empty, and `file:line` of where each starts."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as wrong:
            raise ReadError(f"not valid CSV: {wrong}", file, line) from None
        if row is None:
            return
        if any(row):
            yield row, f"{file}:{line}"


def _columns(header: list[str], declared: Mapping[str, Any], where: str) -> list[KeyPath]:
    """Where each column's cells go; () for a column without a name."""
    columns: list[KeyPath] = []
    for name in map(str.strip, header):
        path = _target(name, declared) if name else ()
        if any(not part for part in path):
            raise ConfigError(f"{where}: column {quoted(name)} has an empty part")
        clash = [other for other in columns if path and other and _overlap(path, other)]
        if clash:
            raise ConfigError(f"{where}: columns {dotted(clash[0])} and {dotted(path)} clash")
        columns.append(path)
    return columns


def _target(name: str, declared: Mapping[str, Any]) -> tuple[str, ...]:
    head, *rest = name.split(".")
    if head in ("user", "event") and rest:
        return head, *rest
    if name in _USER_COLUMNS:
        return "user", _USER_COLUMNS[name]
    return "data" if head in declared else "user", head, *rest


def _overlap(path: KeyPath, other: KeyPath) -> bool:
    size = min(len(path), len(other))
    return path[:size] == other[:size]


def _parts(row: list[str], columns: list[KeyPath], where: str) -> dict[str, Any]:
    parts: dict[str, Any] = {"user": {}, "event": {}, "data": {}}
    for path, cell in itertools.zip_longest(columns, row, fillvalue=""):
        if not cell:
            continue
        if not path:
            raise ConfigError(f"{where}: a cell has no column name above it")
        table = parts
        for name in path[:-1]:
            table = table.setdefault(str(name), {})
        table[str(path[-1])] = cell
    return parts
