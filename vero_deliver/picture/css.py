"""CSS taken apart as far as mail clients do it: rules, declarations, and their text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""/\*.*?(?:\*/|\Z)
      | "(?:[^"\\\n]|\\.)*+(?:"|$|\Z) | '(?:[^'\\\n]|\\.)*+(?:'|$|\Z)
      | url\(\s*+[^"'\s)][^)]*+(?:\)|\Z)
      | \\.
      | [{}();\[\]]
      | [^/"'u\\{}();\[\]]++ | .""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_OPENS: Final = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Rule:
    """`prelude { block }`, or an at-rule without a block, whose block is None."""

    text: str
    prelude: str
    block: str | None

    @property
    def at(self) -> str:
        """The name of an at-rule, "media"; empty for a rule with a selector."""
        found = re.match(r"@([-\w]+)", self.prelude)
        return found[1].lower() if found else ""

    def with_(self, block: str, prelude: Callable[[str], str] = str) -> str:
        """The rule's text with another block, and with what `prelude` makes of the text before."""
        return f"{prelude(self.text[: _start_of_block(self.text)])}{{{block}}}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value`. text: as written, with the semicolon where there is one."""

    text: str
    name: str
    value: str

    def with_(self, value: str) -> str:
        """The declaration's text with another value."""
        return f"{self.name}:{value}{';' if self.text.endswith(';') else ''}"


def rules(css: str) -> Iterator[Rule]:
    """The rules of a style sheet or a conditional block, whose texts together are all of it.

    Blanks and comments go with the rule that they stand before; what is no rule is one without
    a block.
    """
    for text, end in _parts(css, "}", ";"):
        opening = _start_of_block(text) if end == "}" else -1
        if opening < 0:
            yield Rule(text, _plain(text).rstrip(";"), None)
        else:
            yield Rule(text, _plain(text[:opening]), text[opening + 1 : -1])


def changed(
    sheet: str, change: Callable[[Rule, Callable[[str], str]], str], deepest: int = 9
) -> str:
    """The style sheet with each rule as `change(rule, inner)` gives it.

    inner: does the same to the rules in a rule's block; those nested too deeply stay.
    """

    def inner(block: str) -> str:
        return changed(block, change, deepest - 1) if deepest else block

    return "".join(change(rule, inner) for rule in rules(sheet))


def declarations(block: str) -> Iterator[Declaration]:
    """The declarations of a block or a style attribute; what is none has no name."""
    for text, end in _parts(block, ";"):
        name, colon, value = _plain(text[: len(text) - len(end)]).partition(":")
        yield Declaration(text, name.strip().lower() if colon else "", value.strip())


def rewritten(block: str, change: Callable[[Declaration], str]) -> str:
    """The block with each declaration as `change` gives it: its text, another one, or none."""
    return "".join(change(declaration) for declaration in declarations(block))


def _plain(text: str) -> str:
    return _COMMENT.sub(" ", text).strip()


def _start_of_block(text: str) -> int:
    return next((found.start() for found in _TOKEN.finditer(text) if found[0] == "{"), -1)


def _parts(css: str, *ends: str) -> Iterator[tuple[str, str]]:
    """The text cut behind each of the ends that stands in no bracket, and the end."""
    open_: list[str] = []
    start = 0
    for found in _TOKEN.finditer(css):
        token = found[0]
        if token in _OPENS:
            open_.append(_OPENS[token])
            continue
        if open_ and token == open_[-1]:
            open_.pop()
        if not open_ and token in ends:
            yield css[start : found.end()], token
            start = found.end()
    if start < len(css):
        yield css[start:], ""
