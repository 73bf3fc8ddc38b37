"""HTML as a flat run of tags and text, in linear time and without ever raising.

The standard library's parser takes time that grows with the square of an unclosed tag, fails on
`<![` and on long character references, and decodes `?a=1&copy=2` to `?a=1©=2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

# Each alternative may also end with the text and repeats possessively: nothing is read twice.
_TOKEN = re.compile(
    r"""
      <!--(?:-?>|.*?(?:--!?>|\Z))
    | <[!?][^>]*+>?
    | <(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)
      (?P<rest>(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>"'][^\s>]*+)?)?)*+)
      >?
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"?|'([^']*+)'?|([^\s>"'][^\s>]*+))?)?"""
)
_RAW = {  # what these elements hold is not markup
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")
_CLOSED_REFERENCE = re.compile(r"&#?[0-9A-Za-z]{1,32};")
_NO_DISPLAY = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)
_NO_SIZE = re.compile(r"(?:^|;)\s*(?:max-height|opacity)\s*:\s*0(?:px)?\s*(?:!|;|$)", re.IGNORECASE)
# Alone, mso-hide:all keeps a visible button from Outlook, which is given another one.
_NO_SIGHT = re.compile(
    r"(?:^|;)\s*(?:visibility\s*:\s*hidden|overflow\s*:\s*hidden|mso-hide\s*:\s*all)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag; names in lower case."""

    name: str
    rest: str = ""
    end: bool = False

    def attributes(self) -> dict[str, str]:
        """Attribute values decoded; the first of a name wins, as in browsers."""
        found: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(self.rest):
            found.setdefault(name.lower(), _attribute(double or single or bare))
        return found


def tokens(html: str) -> Iterator[Tag | str]:
    """Tags and decoded text in order; comments, doctypes and the insides of scripts left out."""
    at = 0
    while found := _TOKEN.search(html, at):
        if found.start() > at:
            yield decoded(html[at : found.start()])
        at = found.end()
        if not found["name"]:
            continue
        tag = Tag(found["name"].lower(), found["rest"], bool(found["end"]))
        yield tag
        if tag.name in _RAW and not tag.end:
            closing = _RAW[tag.name].search(html, at)
            at = closing.start() if closing else len(html)
    if at < len(html):
        yield decoded(html[at:])


def is_hidden(attributes: dict[str, str]) -> bool:
    """Not displayed, or of no height and out of sight, as a preheader is."""
    style = attributes.get("style", "")
    if "hidden" in attributes or _NO_DISPLAY.search(style):
        return True
    return bool(_NO_SIZE.search(style) and _NO_SIGHT.search(style))


def decoded(text: str) -> str:
    """Character references decoded; one beyond Unicode is U+FFFD."""
    if "&" not in text:
        return text
    return unescape(_LONG_REFERENCE.sub("\ufffd", text))


def _attribute(value: str) -> str:
    # an unclosed reference in an attribute is a query parameter, "?a=1&copy=2"
    return _CLOSED_REFERENCE.sub(lambda found: decoded(found[0]), value) if "&" in value else value
