"""Makes a failing template small: lines, then constructs, as long as it still fails."""

from __future__ import annotations

import re
from collections.abc import Callable

_PIECE = re.compile(r"\{\{.*?\}\}|\{#.*?#\}|\{%.*?%\}|</?[a-zA-Z][^<>]*>|[^<{]+|.", re.DOTALL)


def shrink(source: str, fails: Callable[[str], bool], tries: int = 600) -> str:
    """The smallest text found with `tries` calls of `fails`, which says whether a text does."""
    left = tries

    def counted(text: str) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fails(text)

    before = ""
    while before != source and left > 0:
        before = source
        for pieces in (source.splitlines(keepends=True), _PIECE.findall(source)):
            if "".join(pieces) == source:
                source = _fewer(pieces, counted)
    return source


def _fewer(pieces: list[str], fails: Callable[[str], bool]) -> str:
    """Delta debugging: stretches left out, half of all first, then ever shorter ones."""
    size = len(pieces) // 2
    while size:
        at = 0
        while at < len(pieces):
            rest = pieces[:at] + pieces[at + size :]
            if fails("".join(rest)):
                pieces = rest
            else:
                at += size
        size //= 2
    return "".join(pieces)
