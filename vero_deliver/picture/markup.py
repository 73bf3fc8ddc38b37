"""HTML rewritten in place: what nobody asks to change stays as it is, octet for octet."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_ATTRIBUTE: Final = (
    r"[\s/]*+(?:[^\s/<>][^\s/<>=]*+)(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s<>]*+))?"
)
_ONE: Final = re.compile(
    r"(?P<blank>[\s/]*+)(?P<name>[^\s/<>][^\s/<>=]*+)"
    r"(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s<>]*+)))?"
)
_PIECE: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"
    rf"|<(?P<end>/?)(?P<name>[A-Za-z][^\s/<>]*+)(?P<rest>(?:{_ATTRIBUTE})*+[\s/]*+)>",
    re.DOTALL,
)
# what stands in them is no markup
_TEXT_ONLY: Final = frozenset(
    ("style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
)


@dataclass(frozen=True)
class Tag:
    """A start or an end tag. text: as it is written."""

    name: str
    text: str
    is_end: bool = False

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Names in lower case, values decoded; of two of a name browsers take the first."""
        found: dict[str, str] = {}
        for one in _ONE.finditer(self._rest):
            value = one["double"] or one["single"] or one["bare"] or ""
            found.setdefault(one["name"].lower(), entities.unescape(value))
        return found

    def with_(self, changes: Mapping[str, str | None]) -> str:
        """Its text with attributes set, or left out where they are None; the others untouched."""
        written = list(_ONE.finditer(self._rest))
        kept = [one[0] for one in written if one["name"].lower() not in changes]
        new = [
            f' {name}="{entities.escape(value)}"'
            for name, value in changes.items()
            if value is not None
        ]
        opening = self.text[: len(self.name) + 1]
        closing = self._rest[written[-1].end() if written else 0 :]
        return f"{opening}{''.join(kept)}{''.join(new)}{closing}>"

    @property
    def _rest(self) -> str:
        """What is between the name and the end."""
        return "" if self.is_end else self.text[len(self.name) + 1 : -1]


@dataclass(frozen=True, slots=True)
class Text:
    """What is no tag. inside: the element of text only that it is in; "!" for a comment."""

    text: str
    inside: str = ""


def pieces(html: str) -> Iterator[Tag | Text]:
    """The document in tags and texts, whose `text` together is all of it."""
    at = 0
    while found := _PIECE.search(html, at):
        if found.start() > at:
            yield Text(html[at : found.start()])
        at = found.end()
        if found["name"] is None:
            yield Text(found[0], "!")
            continue
        tag = Tag(found["name"].lower(), found[0], bool(found["end"]))
        yield tag
        if tag.name in _TEXT_ONLY and not tag.is_end:
            end = re.compile(rf"</{tag.name}(?=[\s/>])", re.IGNORECASE).search(html, at)
            content = html[at : end.start() if end else len(html)]
            at += len(content)
            if content:
                yield Text(content, tag.name)
    if at < len(html):
        yield Text(html[at:])


def rewritten(
    html: str,
    tag: Callable[[Tag], str],
    style: Callable[[str], str | None] = str,
    removed: frozenset[str] = frozenset(),
) -> str:
    """The HTML with each tag as `tag` gives it, and the CSS of each style element as `style` does.

    style: None drops the element. removed: elements of text only whose content goes.
    """
    kept: list[str] = []
    dropped = ""
    for piece in pieces(html):
        if isinstance(piece, Tag):
            kept.append("" if piece.is_end and piece.name == dropped else tag(piece))
            dropped = ""
        elif piece.inside == "style":
            css = style(piece.text)
            if css is None:
                kept[-1], dropped = "", "style"
            kept.append(css or "")
        elif piece.inside not in removed:
            kept.append(piece.text)
    return "".join(kept)
