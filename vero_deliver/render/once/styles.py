"""What the selectors of an inlined style sheet look at, and whether data changes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vero_deliver.render.once.parts import Declined
from vero_deliver.render.scan import Scan, Spot

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# rules in them are not inlined
_AT_BLOCK = re.compile(r"@[\w-]+[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[\w-]+[^{};]*;")
_RULE = re.compile(r"([^{}]+)\{[^{}]*\}")
_ATTRIBUTE = re.compile(r"\[\s*([\w-]+)")
_COMPOUND = re.compile(r"\s*([>+~]|\s)\s*")
_IN_BRACKETS = re.compile(r"\[[^\]]*\]|\([^()]*(?:\([^()]*\)[^()]*)*\)")
_OF_SIBLINGS = re.compile(
    r":(?:first|last|only|nth)(?:-last)?-(?:child|of-type)|:(?:not|is|where|has)\b"
)
_OF_CONTENT = re.compile(r":(?:empty|has)\b")
_PSEUDO = re.compile(r"::?[\w-]+(?:\((?:[^()]|\([^()]*\))*\))?")
_SIMPLE = re.compile(r"([.#]?)([\w-]+)")
_START = re.compile(r"\b(class|id)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The selectors that are inlined. attributes: that they look at, beside class and id."""

    selectors: Sequence[str]
    attributes: frozenset[str]

    @property
    def matched(self) -> frozenset[str]:
        """Attributes whose values decide what a rule applies to."""
        if not self.selectors:
            return frozenset()
        return self.attributes | {"class", "id", "style"}


def sheet(css: Iterable[str]) -> Sheet:
    """The style sheets' selectors."""
    found: list[str] = []
    for text in css:
        for rule in _RULE.finditer(_AT_BLOCK.sub("", _COMMENT.sub("", text))):
            found += [one.strip() for one in _split(rule[1]) if one.strip()]
    attributes = {name.lower() for one in found for name in _ATTRIBUTE.findall(one)}
    return Sheet(found, frozenset(attributes))


def _split(selectors: str) -> Iterator[str]:
    """At commas outside of brackets."""
    depth, piece = 0, ""
    for letter in selectors:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield piece
            piece = ""
        else:
            piece += letter
    yield piece


@dataclass(slots=True)
class _Element:
    tag: str
    names: frozenset[str]  # "tag", ".class", "#id"
    parent: _Element | None
    controlled: str = ""  # where control flow among its children was written
    varies: str = ""  # where control flow or an expression in it was written
    children: list[_Element] = field(default_factory=list)


class Tree:
    """The compiled document's elements, and beside which of them something is conditional."""

    def __init__(self) -> None:
        self.root = _Element("", frozenset(), None)
        self._open = [self.root]
        self.elements: list[_Element] = []

    def follow(self, scan: Scan) -> None:
        """Take part in a scan of the document."""
        scan.on_open = self._opened
        scan.on_close = self._closed

    def _closed(self, begun: Spot, own: bool) -> None:
        del begun, own
        self._open.pop()

    def construct(self, place: str, *, control: bool) -> None:
        """A construct stands in the text of the element that is open."""
        self._open[-1].varies = self._open[-1].varies or place
        if control:
            self._open[-1].controlled = self._open[-1].controlled or place

    def _opened(self, tag: str, start: str) -> None:
        names = {tag, "*"}
        for name, double, single, bare in _START.findall(start):
            mark = "." if name.lower() == "class" else "#"
            names |= {mark + word for word in (double or single or bare).split()}
        element = _Element(tag, frozenset(names), self._open[-1])
        self._open[-1].children.append(element)
        self._open.append(element)
        self.elements.append(element)


def check(selectors: Sequence[str], tree: Tree) -> None:
    """Declined where a rule depends on siblings or content that are not the same for everybody."""
    for selector in selectors:
        bare = _IN_BRACKETS.sub(
            lambda found: found[0] if found[0].startswith("(") else "", selector
        )
        pieces = _COMPOUND.split(bare.strip())
        for at in range(0, len(pieces), 2):
            before = pieces[at - 1] if at else ""
            compound = pieces[at]
            siblings = before in ("+", "~") or bool(_OF_SIBLINGS.search(compound))
            content = bool(_OF_CONTENT.search(compound))
            if not siblings and not content:
                continue
            wanted = _names(compound)
            for element in tree.elements:
                beside = element.parent.controlled if siblings and element.parent else ""
                place = beside or (element.varies if content else "")
                if place and wanted <= element.names:
                    raise Declined(
                        f"the rule {selector} depends on what stands beside <{element.tag}>, "
                        "and that depends on data",
                        place,
                    )


def _names(compound: str) -> set[str]:
    plain = _PSEUDO.sub("", compound)
    return {f"{mark}{name}" if mark else name.lower() for mark, name in _SIMPLE.findall(plain)}
