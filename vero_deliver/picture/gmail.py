"""Roughly what Gmail keeps of an email, for its webmail on a desktop.

Source: caniemail.com, data of 2026-05-13 (MIT, R. Parmentier and contributors), and its issue 144
on style elements that are dropped. It is an approximation: Google publishes no such rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vero_deliver.picture import css
from vero_deliver.picture.css import Declaration, Rule
from vero_deliver.picture.markup import Tag, rewritten

MAX_STYLES: Final = 16384  # characters of all style elements together; those beyond are dropped

_GONE: Final = frozenset(("base", "link", "meta", "script"))
# their tags become <u></u>, what stands between them stays
_UNKNOWN: Final = frozenset(
    ("audio", "bdi", "details", "dialog", "embed", "main", "marquee", "meter", "nav", "object",
     "picture", "progress", "rp", "rt", "ruby", "source", "summary", "svg", "track", "video")
)  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    ("hidden", "inert", "loading", "popover", "required", "sizes", "srcset")
)
_PROPERTIES: Final = frozenset(
    ("accent-color", "align-items", "aspect-ratio", "backdrop-filter", "block-size", "bottom",
     "box-shadow", "clip-path", "color-scheme", "cursor", "filter", "flex-direction", "flex-wrap",
     "hyphenate-character", "hyphenate-limit-chars", "hyphens", "inline-size", "inset",
     "justify-content", "left", "list-style-image", "mask", "mask-image", "max-block-size",
     "max-inline-size", "min-block-size", "min-inline-size", "orphans", "outline-offset",
     "overflow-block", "overflow-inline", "overflow-wrap", "position", "resize", "right", "row-gap",
     "shape-margin", "shape-outside", "tab-size", "text-decoration-skip-ink",
     "text-decoration-thickness", "text-emphasis-position", "text-justify", "text-shadow",
     "text-underline-offset", "text-wrap", "top", "transform", "user-select", "visibility",
     "white-space-collapse", "widows", "z-index")
)  # fmt: skip
_FAMILIES: Final = re.compile(
    r"--|animation|transition|grid-template|scroll-snap|border-image"
    r"|border-(?:inline|block|start-|end-)|(?:margin|padding|inset)-(?:inline|block)"
)
_VALUES: Final = re.compile(r"(?i:conic-gradient|light-dark)\(|!\s*(?!important)[a-zA-Z]")
_NO_NEGATIVE: Final = re.compile(r"margin|text-indent")
_NEGATIVE: Final = re.compile(r"(?<![\w.)])-\d*\.?\d")
_FATAL: Final = re.compile(  # the whole attribute or style element goes
    r"\b(?:ok)?l(?:ab|ch)\(|\brgba?\(\s*[\d.]+%?\s+[\d.]", re.IGNORECASE
)
_SELECTORS: Final = re.compile(
    r":(?:active|checked|default|first-|focus|has\b|lang\b|last-|link\b|not\b|nth-|only-|target"
    r"|visited|before|after|marker|placeholder)"
    r"|\[(?!class~=)"
)
_QUERIES: Final = re.compile(r"prefers-|height|hover|device-pixel-ratio", re.IGNORECASE)


def gmail(html: str) -> str:
    """The HTML part as Gmail would roughly show it; its text is unchanged. Idempotent."""
    view = _Gmail()
    return rewritten(html, view.tag, view.style, removed=frozenset(("script",)))


class _Gmail:
    def __init__(self) -> None:
        self._styles = 0  # characters so far
        self._in_body = False

    def tag(self, tag: Tag) -> str:
        self._in_body |= tag.name == "body"
        if tag.name in _GONE and "charset" not in tag.attributes:
            return ""
        if tag.name in _UNKNOWN:
            return "<u></u>"
        if tag.is_end:
            return tag.text
        given = tag.attributes
        changes: dict[str, str | None] = {
            name: None for name in given if name in _ATTRIBUTES or name.startswith("on")
        }
        if _is_unseen(given.get("src", "")):
            changes["src"] = None
        if "style" in given:
            kept = _attribute(given["style"])
            if kept != given["style"]:
                changes["style"] = kept or None
        return tag.with_(changes) if changes else tag.text

    def style(self, text: str) -> str | None:
        self._styles += len(text)
        if self._in_body or self._styles > MAX_STYLES or _FATAL.search(text):
            return None
        if any(
            inner.at for rule in css.rules(text) if rule.at for inner in css.rules(rule.block or "")
        ):
            return None  # an at-rule in an at-rule
        return css.changed(text, _rule)


def _rule(rule: Rule, inner: Callable[[str], str]) -> str:
    if rule.at:
        if rule.at != "media" or rule.block is None or _QUERIES.search(rule.prelude):
            return ""
        return rule.with_(inner(rule.block))
    if rule.block is None:
        return rule.text
    if _SELECTORS.search(rule.prelude) or "{" in rule.block:
        return ""
    return rule.with_(css.rewritten(rule.block, _declaration))


def _attribute(style: str) -> str:
    return "" if _FATAL.search(style) else css.rewritten(style, _declaration)


def _declaration(one: Declaration) -> str:
    gone = (
        one.name in _PROPERTIES
        or _FAMILIES.match(one.name)
        or _VALUES.search(one.value)
        or (_NO_NEGATIVE.match(one.name) and _NEGATIVE.search(one.value))
        or (one.name == "list-style" and "url(" in one.value.lower())
    )
    return "" if gone else one.text


def _is_unseen(source: str) -> bool:
    """Whether it is the source of an image that Gmail does not show."""
    path = source.lower().partition("?")[0]
    return path.startswith("data:") or path.endswith((".svg", ".avifs"))
