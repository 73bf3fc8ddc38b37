"""HTML as lines that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vero_deliver.picture import css
from vero_deliver.picture.markup import Text, pieces

_PADDING: Final = re.compile(r"(?:&#847;|&zwnj;|&nbsp;|[\u034f\u200c\u00a0\s])+")
_LONGEST: Final = 16  # characters of it that may be meant


def lines_of(html: str) -> Iterator[str]:
    """One line for each tag, comment, piece of text and rule of CSS; all blanks are one.

    The invisible padding behind a preheader is left out.
    """
    for piece in pieces(html):
        if isinstance(piece, Text) and piece.inside == "style":
            yield from filter(None, (_line(rule.text) for rule in css.rules(piece.text)))
        elif line := _line(_PADDING.sub(_shortened, piece.text)):
            yield line


def _shortened(padding: re.Match[str]) -> str:
    return " " if len(padding[0]) > _LONGEST else padding[0]


def _line(text: str) -> str:
    return " ".join(text.split())
