"""Recipients written as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vero_deliver.audience.recipient import Recipient, fail, user_of
from vero_deliver.json_lines import json_lines
from vero_deliver.plain import KeyPath, Problem, Where, kind_of, quoted, unwritable
from vero_deliver.reading import ReadError, decode_text, parse_json

_WHO = ("email", "phone", "id")


def is_whole(line: bytes) -> bool:
    """True where the line is a JSON value of its own."""
    try:
        parse_json(decode_text(line, ""), "")
    except ReadError:
        return False
    return True


def from_json(text: str, file: str, label: str, declared: Container[str]) -> Iterator[Recipient]:
    """One object, labelled so, or an array of them."""
    value, place = parse_json(text, file), _Place(file, text)
    if not isinstance(value, list):
        yield _recipient(value, (), place, declared, row=1, label=label)
        return
    for index, member in enumerate(value):
        yield _recipient(member, (index,), place, declared, row=index + 1)


def from_json_lines(
    lines: Iterable[bytes], file: str, declared: Container[str]
) -> Iterator[Recipient]:
    """One object a line; empty lines are skipped."""
    count = 0
    for number, raw in enumerate(lines, 1):
        text = decode_text(raw, file, number).strip()
        if text:
            count += 1
            place = _Place(file, text, number)
            yield _recipient(parse_json(text, file, number), (), place, declared, row=count)


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
    value: Any, at: KeyPath, place: Where, declared: Container[str], *, row: int, label: str = ""
) -> Recipient:
    if not isinstance(value, Mapping):
        fail([Problem(at, f"expected an object with a user, got {kind_of(value)}")], place)
    problems = list(unwritable(value, "JSON", at))
    if problems:
        fail(problems, place)
    if "user" not in value:
        _refuse_misplaced(value, at, place, declared)
    data = {name: member for name, member in value.items() if name != "$schema"}
    user, event = (_or_empty(data.pop(name, None)) for name in ("user", "event"))
    if not isinstance(event, Mapping):
        fail([Problem((*at, "event"), f"expected an object, got {kind_of(event)}")], place)
    user = user_of(user, (*at, "user"), place)
    return Recipient(user, data, label or user.email or user.id or f"#{row}", event, row)


def _refuse_misplaced(
    value: Mapping[str, Any], at: KeyPath, place: Where, declared: Container[str]
) -> None:
    """Somebody to reach who is written where only the sender's data stands."""
    for name in (name for name in value if name not in declared):
        if name in _WHO:
            shown = quoted(name).replace("'", '"')
            detail = f'belongs inside `user`: {{"user": {{{shown}: ...}}}}'
            fail([Problem((*at, name), f"{detail}; or declare it in [data]")], place)
        if isinstance(value[name], Mapping) and _is_nearly_user(name):
            fail([Problem((*at, name), f"did you mean 'user'? If {name} is data, declare it in "
                          "[data], or add \"user\": {}")], place)  # fmt: skip


def _is_nearly_user(name: str) -> bool:
    return bool(difflib.get_close_matches(name.lower(), ["user"], cutoff=0.75))


def _or_empty(value: Any) -> Any:
    return {} if value is None else value
