"""The line of every value in a JSON text, which json does not tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from vero_deliver.plain import KeyPath

_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)


def json_lines(text: str) -> dict[KeyPath, int]:
    """Path of each value to the line it starts on. `text` must be valid JSON."""
    return {path: line for path, line, is_key in _walk(text) if not is_key}


def repeated_key(text: str) -> tuple[KeyPath, int] | None:
    """The first key that its object already has, and the line of the second one."""
    seen: set[KeyPath] = set()
    for path, line, is_key in _walk(text):
        if is_key and path in seen:
            return path, line
        if is_key:
            seen.add(path)
    return None


def _walk(text: str) -> Iterator[tuple[KeyPath, int, bool]]:
    """(path, line, is it a key) of keys and values in the text's order."""
    path: list[str | int] = []
    in_object: list[bool] = []
    key_next = False
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        lexeme = match[0]
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if lexeme in "]}":
            path.pop()
            in_object.pop()
        elif lexeme == ",":
            key_next = in_object[-1]
            if not key_next:
                path[-1] = int(path[-1]) + 1
        elif key_next:
            path[-1] = json.loads(lexeme)
            key_next = False
            yield tuple(path), line, True
        elif lexeme != ":":
            yield tuple(path), line, False
            if lexeme in "[{":
                key_next = lexeme == "{"
                path.append("" if key_next else 0)
                in_object.append(key_next)
