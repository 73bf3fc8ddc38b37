"""Which features a document uses, and where; what the author did not write is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from vero_deliver.check.clients.css import image_key, in_sheet, in_style
from vero_deliver.check.dom import Element, Page
from vero_deliver.check.finding import Place
from vero_deliver.check.shown import ShownEmail
from vero_deliver.render.markup import from_html, from_mjml
from vero_deliver.source import Source

# every component of MJML, with what makes it write more than it does by itself
_MJML: Final = """
<mjml><mj-head><mj-title>x</mj-title><mj-preview>x</mj-preview><mj-font name="x" href="https://x"/>
<mj-breakpoint width="320px"/><mj-style>.x{color:red}</mj-style></mj-head>
<mj-body background-color="#fff" width="600px">
<mj-wrapper background-url="x.png" background-size="cover" border="1px solid red" padding="9px">
<mj-section background-url="x.png" background-position="top" border-radius="9px"><mj-column/>
</mj-section></mj-wrapper>
<mj-section full-width="full-width" background-url="x.png" background-repeat="no-repeat">
<mj-group><mj-column vertical-align="top" background-color="#fff" border="1px solid red">
<mj-text height="10px">x</mj-text></mj-column><mj-column/></mj-group></mj-section>
<mj-section><mj-column><mj-image src="x.png" href="https://x" width="9px" fluid-on-mobile="true"/>
<mj-button href="https://x" width="9px">x</mj-button><mj-divider/><mj-spacer height="9px"/>
<mj-table><tr><td>x</td></tr></mj-table><mj-raw><p>x</p></mj-raw>
<mj-social mode="vertical"><mj-social-element name="github" href="x">x</mj-social-element>
</mj-social><mj-social><mj-social-element name="x" href="x">x</mj-social-element></mj-social>
<mj-accordion><mj-accordion-element><mj-accordion-title>x</mj-accordion-title>
<mj-accordion-text>x</mj-accordion-text></mj-accordion-element></mj-accordion>
<mj-carousel><mj-carousel-image src="x.png"/><mj-carousel-image src="y.png"/></mj-carousel>
</mj-column></mj-section><mj-section><mj-column><mj-navbar hamburger="hamburger">
<mj-navbar-link href="https://x">x</mj-navbar-link></mj-navbar></mj-column></mj-section>
<mj-hero mode="fluid-height" height="9px" background-url="x.png"><mj-text>x</mj-text></mj-hero>
</mj-body></mjml>
"""
_HTML: Final = '<!doctype html><html lang="en"><head></head><body></body></html>'


def used(mail: ShownEmail) -> dict[str, Element]:
    """The features that the author uses, each with the element that shows it first.

    What the MJML compiler writes by itself, and the hidden preheader, are not the author's.
    """
    given = _given("mjml" if mail.is_mjml else "html")
    found: dict[str, Element] = {}
    for element in mail.page.all:
        is_own = mail.origins.is_own(element)
        for key in _of(element):
            if is_own or key not in given:
                found.setdefault(key, element)
    return found


@cache
def _given(kind: str) -> frozenset[str]:
    """What a document has whose author asked for nothing."""
    if kind == "mjml":
        html = from_mjml(_MJML, "x", "en", "none")
    else:
        html = from_html(_HTML, "x", "en", "none")
    return frozenset(key for element in Page(html).all for key in _of(element))


def _of(element: Element) -> Iterator[str]:
    yield f"element {element.name}"
    if element.get("type"):
        yield f"element {element.name} {element.get('type').lower()}"
    for name, value in element.attributes.items():
        yield f"attribute {name}"
        if name == "style":
            yield from in_style(value)
        elif name == "background" or (name == "src" and element.name == "img"):
            yield image_key(value.strip())
    if element.name == "style":
        yield from in_sheet("".join(child for child in element.children if isinstance(child, str)))


def places(key: str, element: Element, mail: ShownEmail) -> list[Place]:
    """Where the author wrote it: every line of the sources that has it, or the element's."""
    kind, _, name = key.partition(" ")
    written = re.compile(
        _PATTERNS.get(kind, "(?!)").format(re.escape(name).replace(":", r"\s*:\s*"))
    )
    found = [place for source in mail.seen.sources for place in _in(source, written)]
    own = mail.origins.place(element)
    found.sort(
        key=lambda each: (each.file, each.line) != (own.file, own.line)
    )  # its own line first
    return list(dict.fromkeys(found)) or [own]


def _in(source: Source, written: re.Pattern[str]) -> Iterator[Place]:
    for number, line in enumerate(source.splitlines()):
        match = written.search(line)
        if match:
            yield Place(source.file, source.line + number, match.start() + 1)


# how each kind is written; elements, attributes and images know their element
_PATTERNS: Final[Mapping[str, str]] = {
    "property": r"(?i)(?<![\w-]){}\s*[:=]",
    "declaration": r"(?i)(?<![\w-]){}(?![\w-])",
    "function": r"(?i)(?<![\w-]){}\(",
    "unit": r"(?i)\d{}(?![\w])",
    "value": r"(?i)(?<![\w-]){}(?![\w-])",
    "at": r"(?i)@(?:-\w+-)?{}\b",
    "media": r"(?i)\(\s*(?:min-|max-)?{}\b",
    "pseudo": r"(?i)::?{}\b",
}
