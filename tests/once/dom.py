"""Whether two HTML documents are the same to whoever reads them: the DOM, normalised.

White space counts where HTML shows it (CSS Text 3, 4.1), declarations and rules are compared
parsed, attributes as sets, neighbouring conditional comments as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cssselect import SelectorError
from lxml import html

from once.css import SPACE, Rule, colours, declarations, rules

Event = tuple[Any, ...]

_INLINE = frozenset(
    ("a", "abbr", "b", "bdo", "big", "button", "cite", "code", "del", "em", "font", "i", "img",
     "input", "ins", "kbd", "label", "mark", "q", "s", "samp", "select", "small", "span", "strike",
     "strong", "sub", "sup", "textarea", "time", "tt", "u", "var")
)  # fmt: skip
_REPLACED = frozenset(("img", "input", "select", "textarea", "button"))
_EXACT = frozenset(("pre", "textarea", "script"))
_COLOURS = frozenset(("bgcolor", "color", "text", "link", "vlink", "alink", "bordercolor"))
_CONDITIONAL = re.compile(r"\[if ([^\]]*)\]>(.*)<!\[endif\]", re.DOTALL)
_PRE = re.compile(r"white-space\s*:\s*pre", re.IGNORECASE)
_IN_LINE = re.compile(r"display\s*:\s*inline", re.IGNORECASE)
_NO_SIZE = re.compile(r"font-size\s*:\s*0(?:px)?\s*(?:;|$)", re.IGNORECASE)
_PSEUDO = re.compile(r"::?[\w-]+(?:\([^)]*\))?")


@dataclass(frozen=True, slots=True)
class Document:
    """events: what the body and head hold, in order. rules: of all style elements."""

    tree: Any
    events: tuple[Event, ...]
    rules: tuple[Rule, ...]


def difference(expected: str, actual: str) -> str | None:
    """The first thing in which two documents differ, in words; None where they are the same.

    actual may have more style rules, where they match nothing in it.
    """
    if expected == actual:
        return None
    one, two = read(expected), read(actual)
    for index, (left, right) in enumerate(zip_longest(one.events, two.events)):
        if left != right:
            return f"in {_path(one.events[:index])}: expected {_words(left)}, got {_words(right)}"
    return _rules_difference(one, two)


def read(text: str) -> Document:
    """An HTML document, normalised."""
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    reader = _Reader()
    for before in reversed(list(tree.itersiblings(preceding=True))):
        reader.comment(before)
    reader.element(tree)
    for after in tree.itersiblings():
        reader.comment(after)
    doctype = ("doctype", tree.getroottree().docinfo.doctype.lower())
    return Document(tree, (doctype, *reader.events), tuple(reader.rules))


class _Reader:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rules: list[Rule] = []
        self.gap = True  # at a block's edge or after white space: more of it would not show
        self.last: int | None = None  # the text since that edge

    def element(self, node: Any) -> None:
        if not isinstance(node.tag, str):
            self.comment(node)
            return
        if node.tag == "style":
            conditions = tuple(f"{k}={v}" for k, v in sorted(node.attrib.items()) if k != "type")
            self.rules += rules(node.text or "", conditions)
            return
        block = not _inline(node)
        if block:
            self.edge()
        self.events.append(("start", node.tag, _attributes(node)))
        exact = node.tag in _EXACT or bool(_PRE.search(node.get("style", "")))
        self.inside(node, exact or any(up.tag == "pre" for up in node.iterancestors()))
        if block:
            self.edge()
        elif node.tag in _REPLACED:
            self.gap, self.last = False, None
        self.events.append(("end", node.tag))

    def inside(self, node: Any, exact: bool) -> None:
        self.text(node.text or "", exact)
        for child in node:
            self.element(child)
            self.text(child.tail or "", exact)

    def edge(self) -> None:
        """White space before it does not show either."""
        if self.last is not None:
            kept = self.events[self.last][1].rstrip(" ")
            self.events[self.last : self.last + 1] = [("text", kept)] if kept else []
        self.gap, self.last = True, None

    def text(self, text: str, exact: bool) -> None:
        if not text:
            return
        if exact:
            self.events.append(("text", text))
            self.gap, self.last = False, None
            return
        text = SPACE.sub(" ", text)
        text = text.lstrip(" ") if self.gap else text
        if not text:
            return
        if self.events and self.events[-1][0] == "text" and self.last == len(self.events) - 1:
            text = self.events.pop()[1] + text
        self.last = len(self.events)
        self.events.append(("text", text))
        self.gap = text.endswith(" ")

    def comment(self, node: Any) -> None:
        text = node.text or ""
        found = _CONDITIONAL.fullmatch(text.strip())
        if not found:
            self.events.append(("comment", SPACE.sub(" ", text).strip()))
            return
        content = found[2]
        if self.events and self.events[-1][:2] == ("if", found[1]):
            content = self.events.pop()[2] + content
        self.events.append(("if", found[1], _outlook(content)))


def _outlook(content: str) -> str:
    """A conditional comment's content; `&amp;` as `&`, but where that would make a reference."""
    content = re.sub(r">\s+<", "><", SPACE.sub(" ", colours(content))).strip()
    return re.sub(r"&amp;(?!\w+;|#)", "&", content)


def _inline(node: Any) -> bool:
    if node.tag in _INLINE:
        return True
    parent = node.getparent()
    hides_space = parent is not None and _NO_SIZE.search(parent.get("style", ""))
    return bool(_IN_LINE.search(node.get("style", ""))) and not hides_space


def _attributes(node: Any) -> tuple[tuple[str, Any], ...]:
    found: dict[str, Any] = {}
    for name, value in node.attrib.items():
        if name == "style":
            styles = declarations(value)
            if styles:
                found[name] = styles
        elif name == "class":
            found[name] = tuple(sorted(set(value.split())))
        else:
            found[name] = colours(value) if name in _COLOURS else value
    return tuple(sorted(found.items()))


def _rules_difference(one: Document, two: Document) -> str | None:
    waiting = list(one.rules)
    for rule in two.rules:
        if waiting and rule == waiting[0]:
            waiting.pop(0)
        elif _used(two.tree, rule):
            expected = waiting[0] if waiting else "no more rules"
            return f"in style: expected {expected}, got {rule}"
    return f"in style: expected {waiting[0]}, which is missing" if waiting else None


def _used(tree: Any, rule: Rule) -> bool:
    """Whether the rule is for anything in the document; one that cannot be read is."""
    if rule.prelude.startswith("@"):
        return True
    # only Thunderbird has an element of this class, round the whole mail
    selectors = rule.prelude.replace(".moz-text-html ", "").split(",")
    try:
        return any(tree.cssselect(_PSEUDO.sub("", part).strip() or "*") for part in selectors)
    except SelectorError:
        return True


def _path(events: tuple[Event, ...]) -> str:
    opened: list[str] = []
    for kind, *rest in events:
        if kind == "start":
            opened.append(rest[0])
        elif kind == "end":
            opened.pop()
    return " > ".join(opened) or "the document"


def _words(event: Event | None) -> str:
    if event is None:
        return "the end"
    words = " ".join(str(part) for part in event)
    return words if len(words) < 400 else f"{words[:400]}..."
