"""Which findings are asked for: what the command, the project, the message and comments say.

In a template or in message.toml, on the line itself or alone on the line before it:

    {# vero: ignore[links/https] #}   <!-- vero: ignore[links] -->   # vero: ignore[vars, email]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vero_deliver.check.finding import Finding, Place
from vero_deliver.check.rule import Rule, matches
from vero_deliver.plain import KeyPath
from vero_deliver.toml_lines import toml_lines

_COMMENT: Final = re.compile(r"(?:#|<!--)\s*vero:\s*ignore\[([^\]\n]*)\]")
_ALONE: Final = re.compile(r"\s*(?:\{#-?|<!--|#)\s*vero:\s*ignore\[[^\]\n]*\]\s*(?:-?#\}|-->)?\s*")


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a rule that somebody wrote, and where."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one message is checked for.

    select: only these; all where empty. ignore: none of these. lines: what is ignored on a line.
    """

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    lines: Mapping[tuple[str, int], frozenset[str]] = field(default_factory=dict)

    def runs(self, rule: Rule) -> bool:
        """Whether a rule runs."""
        chosen = not self.select or any(matches(name, rule) for name in self.select)
        return chosen and not {rule.id, rule.family} & {*self.ignore}

    def wants(self, finding: Finding) -> bool:
        """Whether a finding of a rule that ran is one that is asked for."""
        names = {finding.rule.partition("/")[0], finding.rule, finding.name}
        place = (finding.place.file, finding.place.line)
        if names & {*self.ignore, *self.lines.get(place, ())}:
            return False
        return not self.select or bool(names & {*self.select})


def in_table(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The names in a [check] table; empty where it has none."""
    names = table.get(key, ())
    return tuple(names) if isinstance(names, list) else ()


def in_toml(text: str, file: str) -> tuple[Mapping[str, Any], list[Named]]:
    """The [check] table of a message, and each name in it with its line."""
    table = tomllib.loads(text).get("check", {})
    lines = toml_lines(text)

    def place(path: KeyPath) -> Place:
        return Place(file, lines.get(path, 1))

    return table, [
        Named(name, place(("check", key, index)))
        for key in ("select", "ignore")
        for index, name in enumerate(in_table(table, key))
    ]


def in_comments(text: str, file: str) -> Iterator[Named]:
    """What comments ignore; the place is the line that they are about."""
    for number, line in enumerate(text.splitlines(), start=1):
        about = number + 1 if _ALONE.fullmatch(line) else number
        for found in _COMMENT.finditer(line):
            for name in filter(None, (part.strip() for part in found[1].split(","))):
                yield Named(name, Place(file, about, found.start() + 1))


def by_line(named: Iterable[Named]) -> dict[tuple[str, int], frozenset[str]]:
    """The names that comments ignore on each line of each file."""
    lines: dict[tuple[str, int], frozenset[str]] = {}
    for one in named:
        key = (one.place.file, one.place.line)
        lines[key] = lines.get(key, frozenset()) | {one.name}
    return lines
