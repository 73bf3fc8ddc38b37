"""What the MJML engine does not say: which element is misspelt, misplaced or never closed.

It passes unknown elements through as they stand, and its errors name no line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vero_deliver.plain import nearest

# elements whose inside is HTML or text
_CONTENT = frozenset(
    ("mj-accordion-text", "mj-accordion-title", "mj-button", "mj-navbar-link", "mj-preview",
     "mj-raw", "mj-social-element", "mj-style", "mj-table", "mj-text", "mj-title",
     "mj-html-attribute")
)  # fmt: skip
_KNOWN = _CONTENT | frozenset(
    ("mj-accordion", "mj-accordion-element", "mj-all", "mj-attributes", "mj-body", "mj-breakpoint",
     "mj-carousel", "mj-carousel-image", "mj-class", "mj-column", "mj-divider", "mj-font",
     "mj-group", "mj-head", "mj-hero", "mj-html-attributes", "mj-image", "mj-navbar", "mj-section",
     "mj-selector", "mj-social", "mj-spacer", "mj-wrapper", "mjml")
)  # fmt: skip
_TAG = re.compile(
    r"<!--.*?-->|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"  # what is none, in an author's source
    r"|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*+)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*+)>",
    re.DOTALL,
)


class MarkupError(ValueError):
    """The markup cannot be compiled. line: in the text that was looked at, 0 where unknown."""

    def __init__(self, detail: str, line: int = 0) -> None:
        super().__init__(detail)
        self.line = line


def fault(mjml: str) -> MarkupError | None:
    """The first thing that is wrong with a document, or with the part that fills a layout."""
    opened: list[tuple[str, int]] = []
    for end, name, closed, at in _tags(mjml):
        inside = opened[-1][0] if opened else ""
        if inside in _CONTENT and not (end and name == inside):
            continue
        wrong = _closing(name, opened) if end else _opening(name, inside)
        if wrong:
            return MarkupError(wrong, mjml.count("\n", 0, at) + 1)
        if end:
            opened.pop()
        elif not closed:
            opened.append((name, at))
    if opened:
        name, at = opened[-1]
        return MarkupError(f"<{name}> is never closed", mjml.count("\n", 0, at) + 1)
    return None


def _tags(mjml: str) -> Iterator[tuple[bool, str, bool, int]]:
    for match in _TAG.finditer(mjml):
        if match["name"]:
            closed = match["rest"].endswith("/")
            yield bool(match["end"]), match["name"], closed, match.start()


def _opening(name: str, inside: str) -> str:
    if name in _KNOWN:
        return ""
    if name == "mj-include":  # it would read any file
        return "mj-include is not read; write {% include '_partials/x.mjml' %}"
    if name.startswith("mj"):
        return f"there is no <{name}> in MJML{nearest(name, _KNOWN)}"
    if inside:
        return f"<{name}> stands in <{inside}>; HTML goes inside mj-text, mj-table or mj-raw"
    return ""


def _closing(name: str, opened: list[tuple[str, int]]) -> str:
    if opened and opened[-1][0] == name:
        return ""
    return f"</{name}> closes nothing" + (f"; <{opened[-1][0]}> is open" if opened else "")
