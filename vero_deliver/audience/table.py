"""Recipients in a CSV table."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from vero_deliver.audience.columns import columns_of, delimiter_of
from vero_deliver.audience.recipient import Recipient, user_of
from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath
from vero_deliver.reading import ReadError, decode_text


def from_csv(lines: Iterable[bytes], file: str, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    """A row each, the first one names the columns."""
    decoded = (decode_text(raw, file, number) for number, raw in enumerate(lines, 1))
    opening = list(_up_to_text(decoded))
    delimiter = delimiter_of(opening[-1] if opening else "")
    reader = csv.reader(itertools.chain(opening, decoded), delimiter=delimiter, strict=True)
    columns: list[KeyPath] = []
    count = 0
    for row, where in _rows(reader, file):
        if not columns:
            columns = columns_of(row, declared, where)
            continue
        count += 1
        parts = _parts(row, columns, where)
        user = user_of(parts["user"], ("user",), partial(_same, where))
        label = user.email or user.id or f"#{count}"
        yield Recipient(user, parts["data"], label, parts["event"], count)


def _up_to_text(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to the first that is not empty: the header."""
    for line in lines:
        yield line
        if line.strip():
            return


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
