"""One message being put together from message.toml and the files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vero_deliver.errors import MessageError
from vero_deliver.plain import KeyPath, dotted
from vero_deliver.reading import parse_toml
from vero_deliver.source import Source
from vero_deliver.toml_lines import toml_lines

Spots = dict[KeyPath, tuple[str, int]]


class Draft:
    """The document so far, and the file and line of each of its keys."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        plain = parse_toml(text, file)
        self.spots: Spots = {path: (file, line) for path, line in toml_lines(text).items()}
        self.document: dict[str, Any] = {
            key: (_declared if key == "data" else _sourced)(value, (key,), self.spots)
            for key, value in plain.items()
        }

    def where(self, path: KeyPath) -> str:
        """`file:line` of a key, or of the nearest table around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.spots:
                return "{}:{}".format(*self.spots[path[:end]])
        return self.file

    def whereabouts(self, path: KeyPath) -> str:
        """As where, but of the first key in a table that has no line of its own."""
        inside = (spot for spot in self.spots if spot[: len(path)] == path)
        return self.where(next(inside, path))

    def put(self, path: KeyPath, value: Any, file: str, lines: Mapping[KeyPath, int]) -> None:
        """Set the value of a file. Raises MessageError where message.toml has it too."""
        table: Any = self.document
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                return  # decode says what it must be
        if path[-1] in table:
            here = self.where(path)
            detail = f"{dotted(path)} is written here and in {file}; keep one of them"
            raise MessageError(detail, where=here)
        self.spots |= {(*path, *below): (file, line) for below, line in lines.items()}
        table[path[-1]] = _sourced(value, path, self.spots)


def _declared(value: Any, path: KeyPath, spots: Spots) -> Any:
    """What [data] declares: no template, but errors name its line. Defaults stay plain text."""
    if isinstance(value, dict) and isinstance(value.get("type"), str) and "default" in value:
        return {**value, "type": _sourced(value["type"], (*path, "type"), spots)}
    if isinstance(value, dict):
        return {key: _declared(member, (*path, key), spots) for key, member in value.items()}
    if isinstance(value, list):
        return [_declared(member, (*path, index), spots) for index, member in enumerate(value)]
    return _sourced(value, path, spots)


def _sourced(value: Any, path: KeyPath, spots: Spots) -> Any:
    if isinstance(value, str):
        return Source(value, *spots[path]) if path in spots else value
    if isinstance(value, dict):
        return {key: _sourced(member, (*path, key), spots) for key, member in value.items()}
    if isinstance(value, list):
        return [_sourced(member, (*path, index), spots) for index, member in enumerate(value)]
    return value
