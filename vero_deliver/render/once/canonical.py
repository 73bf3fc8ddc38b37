"""HTML in a form in which two documents that mean the same are equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from vero_deliver.render.scan import RAW, STYLES

_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->|<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*)"
    r"(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^'\">])*)>|<!(?P<other>[^>]*)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=>/\"']+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_DECLARATION = re.compile(r";(?![^(]*\))")
# the engine's own, for components that only some recipients get
_ENGINE_RULES = re.compile(
    r"(?:\.moz-text-html\s+)?\.mj-column-(?:per|px)-[\w-]+\s*\{[^}]*\}"
    r"|(?:table|td)\.mj-full-width-mobile\s*\{[^}]*\}",
    re.IGNORECASE,
)
_EMPTY_MEDIA = re.compile(r"@media[^{}]*\{\s*\}")
_MSO_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_WITH_REFERENCES = frozenset(("title", "textarea"))

Item = tuple[str, ...]


def canonical(html: str) -> list[Item]:
    """Tags with sorted attributes and parsed styles, text with white space collapsed, comments."""
    merged: list[Item] = []
    for item in _items(_MSO_SEAM.sub("", html)):
        if item[0] == "text" and merged and merged[-1][0] == "text":
            merged[-1] = ("text", merged[-1][1] + item[1])
        else:
            merged.append(item)
    collapsed = (
        ("text", _SPACE.sub(" ", item[1]).strip()) if item[0] == "text" else item for item in merged
    )
    return _without_empty_styles([item for item in collapsed if item != ("text", "")])


def _without_empty_styles(items: list[Item]) -> list[Item]:
    found: list[Item] = []
    for item in items:
        found.append(item)
        if item == ("end", "style") and found[-2] == ("css", ""):
            del found[-3:]
    return found


def _items(html: str) -> Iterator[Item]:
    at, raw = 0, ""
    while True:
        if raw:
            end = re.compile(rf"</{raw}\s*>", re.IGNORECASE).search(html, at)
            stop = end.start() if end else len(html)
            yield _raw(raw, html[at:stop])
            at, raw = stop, ""
        found = _TOKEN.search(html, at)
        if not found:
            break
        if found.start() > at:
            yield ("text", unescape(html[at : found.start()]))
        at = found.end()
        if found["comment"] is not None:
            yield ("comment", _comment(found["comment"]))
        elif found["name"]:
            name = found["name"].lower()
            if found["end"]:
                yield ("end", name)
            else:
                yield ("start", name, *_attributes(found["rest"]))
                raw = name if name in RAW else ""
    if at < len(html):
        yield ("text", unescape(html[at:]))


def _raw(name: str, text: str) -> Item:
    if name in STYLES:
        return ("css", _css(text))
    return ("text", unescape(text) if name in _WITH_REFERENCES else text)


def _attributes(rest: str) -> list[str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest):
        value = unescape(double or single or bare)
        is_style = name.lower() == "style"
        value = _style(value) if is_style else _SPACE.sub(" ", value).strip()
        found.setdefault(name.lower(), value)
    return [f"{name}={value}" for name, value in sorted(found.items())]


def _style(text: str) -> str:
    declarations: dict[str, str] = {}
    for piece in _DECLARATION.split(text):
        name, _, value = piece.partition(":")
        name = name.strip().lower()
        declarations.pop(name, None)
        if name:
            declarations[name] = re.sub(r"\s*,\s*", ",", _SPACE.sub(" ", value).strip())
    return ";".join(f"{name}:{value}" for name, value in declarations.items())


def _css(text: str) -> str:
    text = _EMPTY_MEDIA.sub("", _ENGINE_RULES.sub("", text))
    return _SPACE.sub(" ", text).strip()


def _comment(text: str) -> str:
    """Conditional comments hold markup; all others are only themselves."""
    text = _SPACE.sub(" ", text)
    return re.sub(r"> <", "><", text).strip()
