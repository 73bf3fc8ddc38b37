"""HTML rewritten in place: what nobody asks to change stays as it is, octet for octet."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Mapping
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

    def with_(self, changes: Mapping[str, str | None]) -> Tag:
        """The tag with attributes set, or left out where they are None; the others untouched."""
        kept = [one[0] for one in _ONE.finditer(self._rest) if one["name"].lower() not in changes]
        new = [
            f' {name}="{entities.escape(value)}"'
            for name, value in changes.items()
            if value is not None
        ]
        opening = self.text[: len(self.name) + 1]
        return Tag(self.name, f"{opening}{''.join(kept)}{''.join(new)}{self._close}", self.is_end)

    @property
    def _rest(self) -> str:
        return self.text[len(self.name) + 1 : -1].rstrip("/ \t\r\n\f")

    @property
    def _close(self) -> str:
        return "/>" if self.text.endswith("/>") else ">"


def rewritten(
    html: str,
    tag: Callable[[Tag], str],
    style: Callable[[str], str | None] = lambda css: css,
    removed: frozenset[str] = frozenset(),
) -> str:
    """The HTML with each tag as `tag` gives it, and the CSS of each style element as `style` does.

    style: None drops the element. removed: elements of text only that go with their content.
    """
    pieces: list[str] = []
    at = 0
    while found := _PIECE.search(html, at):
        pieces.append(html[at : found.start()])
        at = found.end()
        if found["name"] is None:  # a comment
            pieces.append(found[0])
            continue
        name, is_end = found["name"].lower(), bool(found["end"])
        shown = tag(Tag(name, found[0], is_end))
        if is_end or name not in _TEXT_ONLY:
            pieces.append(shown)
            continue
        content, end = _until_end(html, at, name)
        at += len(content) + len(end)
        if name == "style":
            css = style(content)
            pieces += [] if css is None else [shown, css, end]
        elif name not in removed:
            pieces += [shown, content, end]
    return "".join(pieces) + html[at:]


def _until_end(html: str, at: int, name: str) -> tuple[str, str]:
    """The text up to the element's end tag, and that tag."""
    end = re.compile(rf"</{name}(?=[\s/>])[^<>]*+>", re.IGNORECASE).search(html, at)
    return (html[at : end.start()], end[0]) if end else (html[at:], "")
