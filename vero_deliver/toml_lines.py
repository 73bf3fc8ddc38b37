"""The line of every key and value in a TOML text, which tomllib does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final

from vero_deliver.plain import KeyPath

# Possessive, so that a text of a megabyte is read in one pass and without backtracking.
_TOKEN: Final = re.compile(
    r"""[ \t]++ | \#[^\n]*+
      | (?P<newline>\n)
      | (?P<text>"{3}(?:[^"\\]++ | \\. | "{1,2}(?!"))*+"{3,5}
                | '{3}(?:[^']++ | '{1,2}(?!'))*+'{3,5}
                | "(?:[^"\\\n]++ | \\.)*+" | '[^'\n]*+')
      | (?P<bare>[^\s\[\]{},=.\#"']++)
      | (?P<mark>[\[\]{},=.])""",
    re.VERBOSE | re.DOTALL,
)


def toml_lines(source: str) -> dict[KeyPath, int]:
    """Key path to the line where its value starts; array elements and tables included.

    For a multi-line string that is the line of its first text. `source` must be valid TOML.
    """
    walk = _Walk(source.replace("\r\n", "\n"))
    walk.document()
    return walk.lines


class _Walk:
    def __init__(self, source: str) -> None:
        self.tokens = list(_tokens(source))
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.table: KeyPath = ()
        self.sizes: dict[KeyPath, int] = {}  # of each array of tables, so far

    @property
    def next(self) -> str:
        return self.tokens[self.at][1]

    @property
    def line(self) -> int:
        return self.tokens[self.at][2]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def skip_newlines(self) -> None:
        while self.next == "\n":
            self.at += 1

    def document(self) -> None:
        self.skip_newlines()
        while self.next:
            if self.next == "[":
                self.header()
            else:
                self.pair(self.table)
            self.skip_newlines()

    def header(self) -> None:
        line = self.line
        self.take()
        array = self.next == "["
        if array:
            self.take()
        *parents, name = self.keys()
        self.table = (*self.newest(parents, line), name)
        if array:
            self.lines.setdefault(self.table, line)
            self.sizes[self.table] = self.sizes.get(self.table, 0) + 1
        if self.table in self.sizes:
            self.table = (*self.table, self.sizes[self.table] - 1)
        self.lines[self.table] = line
        self.at += 2 if array else 1

    def newest(self, names: list[str], line: int) -> KeyPath:
        """The path of a table, through the newest element of each array of tables."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            self.lines.setdefault(path, line)
            if path in self.sizes:
                path = (*path, self.sizes[path] - 1)
        return path

    def keys(self) -> list[str]:
        names = [_name(self.take())]
        while self.next == ".":
            self.take()
            names.append(_name(self.take()))
        return names

    def pair(self, table: KeyPath) -> None:
        line, path = self.line, table
        for name in self.keys():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self.take()
        self.value(path)

    def value(self, path: KeyPath) -> None:
        self.lines[path] = self.line
        opened = self.take()
        if opened == "[":
            self.array(path)
        elif opened == "{":
            self.inline_table(path)
        elif opened.startswith(('"""\n', "'''\n")):
            self.lines[path] += 1
        else:
            # a number with a dot, or a date and its time, is several tokens
            while self.next == "." or self.tokens[self.at][0] == "bare":
                self.take()

    def array(self, path: KeyPath) -> None:
        index = 0
        self.skip_newlines()
        while self.next != "]":
            if self.next == ",":
                self.take()
            else:
                self.value((*path, index))
                index += 1
            self.skip_newlines()
        self.take()

    def inline_table(self, path: KeyPath) -> None:
        self.skip_newlines()
        while self.next != "}":
            if self.next == ",":
                self.take()
            else:
                self.pair(path)
            self.skip_newlines()
        self.take()


def _tokens(source: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for match in _TOKEN.finditer(source):
        if match.lastgroup:
            yield match.lastgroup, match[0], line
        line += match[0].count("\n")
    yield "end", "", line


def _name(token: str) -> str:
    if token[0] in ('"', "'"):
        return str(tomllib.loads(f"key = {token}")["key"])
    return token
