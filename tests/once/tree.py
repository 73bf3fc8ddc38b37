"""A document as a tree that prints as it was written: what mutators change.

It reads the documents in templates/, not HTML at large.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

VOID = frozenset(("area", "br", "col", "hr", "img", "input", "link", "meta"))
_RAW = frozenset(("style", "mj-style", "title", "mj-title", "mj-preview", "textarea"))
# an element that its own kind, or one of these, ends
_IMPLIED = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "tr": {"tr", "td", "th"},
    "td": {"td", "th"},
    "th": {"td", "th"},
}
_PART = re.compile(
    r"<!--.*?-->|<![^>]*>|<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^'\">])*)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\s+)([^\s=/>]+)(?:(\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")


@dataclass(slots=True)
class Text:
    """Text, a comment, a doctype; kind says which, "css" for the inside of a style."""

    text: str
    kind: str = "text"

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Jinja:
    """A construct; variable: the loop's that it opens, closes: whether it ends one."""

    code: str
    variable: str = ""
    closes: bool = False

    def __str__(self) -> str:
        return self.code


@dataclass(slots=True)
class Attribute:
    """space: what is before it. value: with its quotes, "" where it has none."""

    space: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.space}{self.name}" + (f"={self.value}" if self.value else "")


@dataclass(slots=True)
class Element:
    """end: how it is closed, "" where that is implied; rest: what ends its start tag."""

    name: str
    attributes: list[Attribute | Jinja] = field(default_factory=list)
    rest: str = ">"
    children: list[Node] = field(default_factory=list)
    end: str = ""

    def __str__(self) -> str:
        if not self.name:
            return "".join(map(str, self.children))
        inside = "".join(map(str, [*self.attributes, self.rest, *self.children]))
        return f"<{self.name}{inside}{self.end}"


Node = Text | Jinja | Element


@dataclass(frozen=True, slots=True)
class Place:
    """A child of an element; loops: variables of the loops it stands in, innermost last."""

    parent: Element
    node: Node
    loops: tuple[str, ...]
    ancestors: tuple[str, ...]

    @property
    def index(self) -> int:
        """Where it stands now, by identity: equal siblings are common."""
        return next(i for i, child in enumerate(self.parent.children) if child is self.node)


def parse(source: str) -> Element:
    """The document under a nameless root; str() of it is the source."""
    root = Element("")
    opened, at = [root], 0
    while found := _PART.search(source, at):
        _text(opened[-1], source[at : found.start()])
        at = found.end()
        if found["name"] is None:
            kind = "comment" if found[0].startswith("<!--") else "doctype"
            opened[-1].children.append(Text(found[0], kind))
        elif found["end"]:
            while opened[-1].name != found["name"]:
                opened.pop()
            opened.pop().end = found[0]
        else:
            at = _open(opened, found, source)
    _text(opened[-1], source[at:])
    return root


def places(root: Element) -> Iterator[Place]:
    """Every node below, in the document's order."""
    yield from _places(root, (), ())


def _places(parent: Element, loops: tuple[str, ...], ancestors: tuple[str, ...]) -> Iterator[Place]:
    inside = (*ancestors, parent.name) if parent.name else ancestors
    for child in list(parent.children):
        yield Place(parent, child, loops, inside)
        if isinstance(child, Element):
            yield from _places(child, loops, inside)
        elif isinstance(child, Jinja):
            if child.variable:
                loops = (*loops, child.variable)
            elif child.closes:
                loops = loops[:-1]


def _open(opened: list[Element], found: re.Match[str], source: str) -> int:
    name, written = found["name"], found["rest"]
    while name in _IMPLIED and opened[-1].name in _IMPLIED[name]:
        opened.pop()
    attributes = list(_ATTRIBUTE.finditer(written))
    after = written[attributes[-1].end() :] if attributes else written
    if after.strip() not in ("", "/"):
        raise ValueError(f"{found[0]!r} is beyond this reader")
    element = Element(name, [Attribute(a[1], a[2], a[4] or "") for a in attributes], f"{after}>")
    opened[-1].children.append(element)
    if name in VOID or after.endswith("/"):
        return found.end()
    if name not in _RAW:
        opened.append(element)
        return found.end()
    closing = source.index(f"</{name}>", found.end())
    kind = "css" if "style" in name else "title"
    element.children.append(Text(source[found.end() : closing], kind))
    element.end = f"</{name}>"
    return closing + len(element.end)


def _text(parent: Element, text: str) -> None:
    if text:
        parent.children.append(Text(text))
