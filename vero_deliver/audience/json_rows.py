"""Recipients written as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vero_deliver.audience.recipient import Recipient, fail, user_of
from vero_deliver.json_lines import json_lines
from vero_deliver.plain import KeyPath, Problem, Where, kind_of, unwritable
from vero_deliver.reading import ReadError, decode_text, parse_json


def is_whole(line: bytes) -> bool:
    """True where the line is a JSON value of its own."""
    try:
        parse_json(decode_text(line, ""), "")
    except ReadError:
        return False
    return True


def from_json(text: str, file: str, label: str) -> Iterator[Recipient]:
    """One object, labelled so, or an array of them."""
    value = parse_json(text, file)
    if not isinstance(value, list):
        yield _recipient(value, (), _Place(file, text), label or "#1", named=bool(label))
        return
    for index, member in enumerate(value):
        yield _recipient(member, (index,), _Place(file, text), f"#{index + 1}")


def from_json_lines(lines: Iterable[bytes], file: str) -> Iterator[Recipient]:
    """One object a line; empty lines are skipped."""
    count = 0
    for number, raw in enumerate(lines, 1):
        text = decode_text(raw, file, number).strip()
        if text:
            count += 1
            place = _Place(file, text, number)
            yield _recipient(parse_json(text, file, number), (), place, f"#{count}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a JSON text stands; the line of a key is looked up once something is wrong."""

    file: str
    text: str
    line: int = 1

    def __call__(self, path: KeyPath) -> str:
        lines = json_lines(self.text)
        near = next(
            (lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1
        )
        return f"{self.file}:{self.line + near - 1}"


def _recipient(
    value: Any, at: KeyPath, place: Where, label: str, *, named: bool = False
) -> Recipient:
    if not isinstance(value, Mapping):
        fail([Problem(at, f"expected an object with a user, got {kind_of(value)}")], place)
    problems = list(unwritable(value, "JSON", at))
    if problems:
        fail(problems, place)
    data = {name: member for name, member in value.items() if name != "$schema"}
    user, event = (_or_empty(data.pop(name, None)) for name in ("user", "event"))
    if not isinstance(event, Mapping):
        fail([Problem((*at, "event"), f"expected an object, got {kind_of(event)}")], place)
    user = user_of(user, (*at, "user"), place)
    return Recipient(user, data, label if named else user.email or user.id or label, event)


def _or_empty(value: Any) -> Any:
    return {} if value is None else value
