"""What style sheets say of colors, where it has not been inlined: which elements they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import tinycss2

from vero_deliver.check.dom import Element

_COMBINATORS: Final = (">", "+", "~")


@dataclass(frozen=True, slots=True)
class Coloring:
    """A rule that sets a color: what it asks of an element, whatever is around that.

    sets: "color", "background" or both.
    """

    name: str
    classes: frozenset[str]
    id: str
    sets: frozenset[str]

    def holds(self, element: Element) -> bool:
        """Whether it may be about that element."""
        return (
            self.name in ("", "*", element.name)
            and self.id in ("", element.get("id"))
            and self.classes <= {*element.get("class").split()}
        )


@lru_cache(maxsize=64)
def coloring(css: str) -> tuple[Coloring, ...]:
    """The rules of a sheet that set colors whatever the screen, and not only under a pointer."""
    return tuple(
        _asked(subject, frozenset(sets))
        for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        if rule.type == "qualified-rule"
        for sets in [_sets(rule.content)]
        if sets
        for subject in _subjects(rule.prelude)
        if ":" not in subject
    )


def _sets(content: list[Any]) -> set[str]:
    found = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    names = {one.lower_name for one in found if one.type == "declaration"}
    return {kind for kind in ("color", "background") if {kind, f"{kind}-color"} & names}


def _subjects(prelude: list[Any]) -> Iterator[list[Any]]:
    """The last part of each selector: what it is about."""
    part: list[Any] = []
    ended = False
    for token in prelude:
        if token == ",":  # noqa: S105  # of CSS
            yield part
            part, ended = [], False
        elif token.type == "whitespace" or token in _COMBINATORS:
            ended = True
        else:
            part, ended = [*([] if ended else part), token], False
    yield part


def _asked(subject: list[Any], sets: frozenset[str]) -> Coloring:
    name, number, classes = "", "", set()
    for before, token in pairwise([None, *subject]):
        if token.type == "hash":
            number = token.value
        elif token.type == "ident" and before == ".":
            classes.add(token.value)
        elif token.type == "ident" and before is None:
            name = token.lower_value
    return Coloring(name, frozenset(classes), number, sets)
