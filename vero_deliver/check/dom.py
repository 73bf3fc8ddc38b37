"""HTML as a tree that knows its lines.

Python's own tokenizer, and of the WHATWG tree construction the part that documents without
errors need: void elements, and end tags that may be left out. Every document gives a tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from html.parser import HTMLParser
from typing import Final

from vero_deliver.render.scan import VOID

_TABLES: Final = frozenset(("table", "tbody", "td", "tfoot", "th", "thead", "tr"))
_TEXT: Final = ("textarea", "title")  # what stands in them is no markup
_HEADS: Final = ("head", "title", "style", "script")
_BLOCKS: Final = frozenset(
    ("address", "article", "aside", "blockquote", "center", "div", "dl", "fieldset", "footer",
     "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre",
     "section", "table", "ul")
)  # fmt: skip
_APART: Final = _BLOCKS | {"br", "li", "td", "th"}  # no word goes on across them
_ENDS: Final[Mapping[str, frozenset[str]]] = {  # what an open element is ended by
    "p": _BLOCKS,
    "li": frozenset(("li",)),
    "dt": frozenset(("dt", "dd")),
    "dd": frozenset(("dt", "dd")),
    "option": frozenset(("option", "optgroup")),
    "tr": frozenset(("tr", "tbody", "thead", "tfoot")),
    "td": frozenset(("td", "th", "tr", "tbody", "thead", "tfoot")),
    "th": frozenset(("td", "th", "tr", "tbody", "thead", "tfoot")),
    "thead": frozenset(("tbody", "tfoot")),
    "tbody": frozenset(("tbody", "tfoot")),
    "head": frozenset(("body",)),
}


class Element:
    """An element: its children are elements and text.

    line, column: of its start tag in the HTML, from 1.
    """

    __slots__ = ("__dict__", "attributes", "children", "column", "line", "name", "parent")

    def __init__(
        self, name: str, attributes: dict[str, str], parent: Element | None, line: int, column: int
    ) -> None:
        self.name, self.attributes, self.parent = name, attributes, parent
        self.line, self.column = line, column
        self.children: list[Element | str] = []

    def get(self, name: str, default: str = "") -> str:
        """An attribute's value; empty for one that has none."""
        return self.attributes.get(name, default)

    @property
    def elements(self) -> Iterator[Element]:
        """This one and all below it, in document order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += [child for child in reversed(element.children) if isinstance(child, Element)]

    def find(self, *names: str) -> Iterator[Element]:
        """The elements of those names, in document order."""
        return (element for element in self.elements if element.name in names)

    @property
    def ancestors(self) -> Iterator[Element]:
        """The elements around it, innermost first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def text(self) -> str:
        """What a reader sees of it as text: blanks made one, no styles and scripts."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        waiting: list[Element | str] = list(reversed(self.children))
        while waiting:  # markup may be nested deeper than Python calls
            child = waiting.pop()
            if isinstance(child, str):
                yield child
            elif child.name not in _HEADS and not child.is_hidden:
                apart = " " if child.name in _APART else ""
                waiting += [apart, *reversed(child.children), apart]

    @cached_property
    def style(self) -> Mapping[str, str]:
        """The declarations of its style attribute, names in lower case."""
        parts = (part.partition(":") for part in self.get("style").split(";"))
        return {name.strip().lower(): value.strip() for name, colon, value in parts if colon}

    @cached_property
    def is_hidden(self) -> bool:
        """Whether this element's own style hides it, as that of a preheader does."""
        return self.style.get("display") == "none" or self.style.get("visibility") == "hidden"

    @property
    def is_shown(self) -> bool:
        """Whether neither it nor anything around it is hidden."""
        return not self.is_hidden and not any(above.is_hidden for above in self.ancestors)

    def __repr__(self) -> str:
        return f"<{self.name}> at {self.line}:{self.column}"


class Page(Element):
    """A document. html: its text."""

    def __init__(self, html: str) -> None:
        super().__init__("", {}, None, 1, 1)
        self.html = html
        self.comments: list[tuple[str, int]] = []  # text and line
        _Builder(self).read(html)

    @cached_property
    def body(self) -> Element:
        """The body, or the whole document where there is none."""
        return next(self.find("body"), self)

    @cached_property
    def all(self) -> tuple[Element, ...]:
        """Every element, in document order."""
        return tuple(self.elements)[1:]

    @cached_property
    def styles(self) -> tuple[Element, ...]:
        """The style elements."""
        return tuple(self.find("style"))


class _Builder(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.stack: list[Element] = [page]

    def read(self, html: str) -> None:
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while len(self.stack) > 1 and tag in _ENDS.get(self.stack[-1].name, ()):
            self.stack.pop()
        line, column = self.getpos()
        given: dict[str, str] = {}
        for name, value in attrs:
            given.setdefault(name, value or "")  # of two of a name, browsers take the first
        element = Element(tag, given, self.stack[-1], line, column + 1)
        self.stack[-1].children.append(element)
        if tag not in VOID:
            self.stack.append(element)
        if tag in _TEXT:
            self.set_cdata_mode(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.stack[-1].name == tag and ":" in tag:  # of Outlook's VML; HTML ignores the slash
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self.stack) - 1, 0, -1):
            if self.stack[index].name == tag:
                del self.stack[index:]
                return
            if self.stack[index].name in ("td", "th") and tag not in _TABLES:
                return  # an end tag does not reach out of its cell

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """`<![endif]>` and its like are comments in HTML; Python's parser raises for some."""
        return self.parse_bogus_comment(i, report)

    def handle_comment(self, data: str) -> None:
        self.page.comments.append((data, self.getpos()[0]))
