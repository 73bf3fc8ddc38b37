"""The links of an email's HTML, changed where they stand: nothing else is, not by an octet.

Found as browsers find them (WHATWG HTML, 13.2.5), in one pass: comments, and so what only Outlook
reads, raw text and quoted attributes of other elements hold none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.entities import html5
from typing import Final

_WS: Final = r"[\t\n\f\r ]"
_NAME: Final = r"(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
_VALUE: Final = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+)"""
_ATTRIBUTE: Final = rf"{_NAME}(?:{_WS}*+={_WS}*+{_VALUE}?+)?+"
_MARKUP: Final = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"  # a comment
    r"|<[!?/][^>]*+>?"  # an end tag, a doctype, a bogus comment
    rf"|<(?P<name>[a-z][^\t\n\f\r />]*+)(?P<rest>(?:[\t\n\f\r /]++|{_ATTRIBUTE})*+)(?P<end>>?)",
    re.IGNORECASE | re.DOTALL,
)
_ONE: Final = re.compile(rf"(?P<name>{_NAME})(?:{_WS}*+={_WS}*+(?P<value>{_VALUE})?+)?+", re.DOTALL)
_RAW: Final = frozenset(("script", "style", "title", "textarea", "xmp", "iframe", "noembed",
                         "noframes"))  # fmt: skip
_ENDS: Final = {name: re.compile(rf"</{name}(?=[\t\n\f\r />]|\Z)", re.IGNORECASE) for name in _RAW}
_LINKS: Final = frozenset(("a", "area"))
_REFERENCE: Final = re.compile(
    # without its semicolon a name is one unless = follows; it takes all letters and digits
    r"&(?:#[0-9]++;?|#[xX][0-9a-fA-F]++;?|(?P<name>[a-zA-Z][a-zA-Z0-9]*+(?:;|(?!=))))"
)


def rewrite(html: str, changed: Callable[[str], str]) -> str:
    """The HTML with other URLs in `<a href>` and `<area href>`.

    changed: gets the URL, character references read, and gives another one, or the same to leave
    it as it is written. Links with `data-vero-track="off"` are left out.
    """
    pieces: list[str] = []
    done = at = 0
    while (tag := _MARKUP.search(html, at)) is not None:
        at = tag.end()
        name = (tag["name"] or "").lower()
        if name in _RAW:
            end = _ENDS[name].search(html, at)
            at = end.start() if end else len(html)
        elif name in _LINKS and tag["end"]:
            found = _href(tag["rest"])
            if found is None:
                continue
            start, stop, url = found
            new = changed(url)
            if new != url:
                first = tag.start("rest")
                pieces += html[done : first + start], f'"{_attribute(new)}"'
                done = first + stop
    return "".join((*pieces, html[done:])) if pieces else html


def _href(attributes: str) -> tuple[int, int, str] | None:
    """Where the value of a tag's first href stands, and what it says; None for none to change."""
    found = None
    for one in _ONE.finditer(attributes):
        name, value = one["name"].lower(), one["value"]
        if name == "href" and found is None:
            if not value:
                return None
            found = (*one.span("value"), _REFERENCE.sub(_character, _unquoted(value)))
        elif name == "data-vero-track" and _unquoted(value or "").strip().lower() == "off":
            return None
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value


def _character(reference: re.Match[str]) -> str:
    """As the attribute's reader sees it: `&copy=` stays, `&amp;` and `&#38` are read."""
    name = reference["name"]
    if name is None:
        return unescape(reference[0])
    return html5.get(name, reference[0])


def _attribute(url: str) -> str:
    return url.replace("&", "&amp;").replace('"', "&quot;")
