"""Lists of addresses that must not be sent to: one column, or what providers export as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vero_deliver.audience.columns import delimiter_of
from vero_deliver.phone import E164
from vero_deliver.reading import ReadError, display, read_text
from vero_deliver.rendered import ContentName
from vero_deliver.suppression import LONGEST_TOPIC, REASONS, Reason

_ADDRESS: Final = (
    "email", "address", "recipient", "emailaddress", "phone", "number", "phonenumber", "token",
)  # fmt: skip
_SINCE: Final = ("since", "created", "createdat", "date", "timestamp", "lastupdatetime")
_NOTE: Final = ("note", "error", "reason", "status", "description")
_WORSE: Final = 20  # bad lines that are told


@dataclass(frozen=True, slots=True)
class Line:
    """One address. reason: the list's own where it has one of ours. since: None where untold."""

    content: ContentName
    address: str
    reason: Reason | None
    topic: str
    since: datetime | None
    note: str


def read_addresses(path: Path) -> list[Line]:
    """All lines of a list. Raises ReadError naming every bad line, so that none is half read.

    A heading names the columns: email, address, phone or token; reason, topic, since, note. One
    column needs none. A reason that is none of ours is a note.
    """
    file = display(path)
    text = read_text(path, file)
    return [*_lines(text, file)]


def _lines(text: str, file: str) -> Iterator[Line]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = csv.reader(text.splitlines(), delimiter=delimiter_of(first), strict=True)
    names: list[str] | None = None
    bad: list[str] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if names is None:
                names = _names(row, f"{file}:{rows.line_num}")
                if names != ["address"] or not _content(row[0]):
                    continue
            try:
                yield _line(dict(zip(names, row, strict=False)))
            except ValueError as wrong:
                bad.append(f"{file}:{rows.line_num}: {wrong}")
    except csv.Error as error:
        raise ReadError(f"not valid CSV: {error}", file, rows.line_num) from None
    if bad:
        more = f"\nand {len(bad) - _WORSE} more" if len(bad) > _WORSE else ""
        raise ReadError("\n".join(["nothing was imported:", *bad[:_WORSE]]) + more, file)


def _names(row: list[str], where: str) -> list[str]:
    """The columns' names, plain; of a single column of addresses just that."""
    if len(row) == 1 and _content(row[0]):
        return ["address"]
    names = [re.sub(r"[^a-z]", "", cell.lower()) for cell in row]
    if not set(names) & set(_ADDRESS):
        raise ReadError(f"no column is called {', '.join(_ADDRESS[:3])}, phone or token", where)
    return names


def _line(cells: dict[str, str]) -> Line:
    address = _first(cells, _ADDRESS)
    content = "push" if cells.get("token") == address and address else _content(address)
    if content is None:
        raise ValueError(f"{address[:80]!r} is neither an email address nor a number like +4477009")
    said = cells.get("reason", "").strip()
    reason: Reason | None = next((known for known in REASONS if known == said.lower()), None)
    topic = cells.get("topic", "").strip()
    if topic and reason not in (None, "unsubscribed"):
        raise ValueError(f"{reason} has no topic: it forbids everything")
    if len(topic) > LONGEST_TOPIC:
        raise ValueError(f"a topic has at most {LONGEST_TOPIC} characters")
    note = _first({name: text for name, text in cells.items() if text != reason}, _NOTE)
    return Line(content, address, reason, topic, _since(cells), note)


def _content(address: str) -> ContentName | None:
    local, at, domain = address.strip().rpartition("@")
    if local and at and "." in domain and not re.search(r"\s", address.strip()):
        return "email"
    return "sms" if E164.fullmatch(address.strip()) else None


def _first(cells: dict[str, str], names: Iterable[str]) -> str:
    return next((found for name in names if (found := cells.get(name, "").strip())), "")


def _since(cells: dict[str, str]) -> datetime | None:
    """ISO 8601, or seconds since 1970; None where it is neither."""
    text = _first(cells, _SINCE)
    try:
        if text.isascii() and text.isdigit() and len(text) <= 11:
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
