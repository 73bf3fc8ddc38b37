"""Puts Jinja into plain documents, at random and reproducibly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from once import nasty
from once.tree import Attribute, Element, Jinja, Node, Place, Text, parse, places
from once.values import LISTS, condition, contexts, expression
from vero_deliver.render.templates import Templates

TEMPLATES = Path(__file__).parent / "templates"
DOCUMENTS = tuple(sorted(path.name for path in TEMPLATES.iterdir()))

_INLINE = frozenset(("a", "b", "i", "em", "strong", "span", "small", "img", "br", "u", "code"))
_BLOCKS = frozenset(("p", "div", "table", "h1", "h2", "ul", "ol", "blockquote", "hr"))
_LEAVES = frozenset(
    ("mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-social")
)
_SECTIONS = frozenset(("mj-section", "mj-wrapper", "mj-hero"))
_PARTS = frozenset(  # their number or order means something to their parent
    ("mj-column", "mj-group", "mj-social-element", "mj-navbar-link", "mj-accordion-element",
     "mj-carousel-image", "mj-carousel", "mj-navbar", "mj-class", "mj-style", "td", "th", "col",
     "style", "thead", "tbody", "mj-raw", "mj-body")
)  # fmt: skip
_URLS = frozenset(("href", "src", "background-url", "background"))
_COLOURS = frozenset(("color", "background-color", "bgcolor", "border-color", "ico-color"))
_SIZES = frozenset(
    ("width", "height", "padding", "font-size", "border-width", "border-radius", "cellpadding")
)
_CLASSES = frozenset(("class", "css-class", "mj-class", "id", "name"))
_OTHERS = frozenset(("align", "valign", "dir", "lang", "target", "vertical-align", "mode"))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A template and the data of those to render it for."""

    document: str
    source: str
    contexts: tuple[dict[str, Any], ...]

    @property
    def ending(self) -> str:
        """ "mjml" or "html"."""
        return self.document.partition(".")[2]


def mutate(document: str, seed: str) -> Mutant:
    """The same document and seed always give the same mutant."""
    rng = Random(f"{seed}/{document}")
    work = _Mutator(rng, parse((TEMPLATES / document).read_text(encoding="utf-8")))
    acts = _CALM + (_WILD if rng.random() < 0.4 else ())
    for _ in range(rng.randint(1, 14)):
        rng.choice(acts)(work)
    source = str(work.root)
    return Mutant(document, source, _needed(source, contexts(rng)))


def _needed(source: str, found: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The data that the template asks for, each once."""
    try:
        names = find_undeclared_variables(Templates().environment("html").parse(source))
    except TemplateSyntaxError:
        return tuple(found)
    kept: list[dict[str, Any]] = []
    for data in found:
        needed = {name: value for name, value in data.items() if name in names | {"subject"}}
        if needed not in kept:
            kept.append(needed)
    return tuple(kept)


class _Mutator:
    def __init__(self, rng: Random, root: Element) -> None:
        self.rng, self.root = rng, root
        self.names = 0

    def tag(self, code: str) -> str:
        """A statement, now and then with whitespace control."""
        before, after = (self.rng.choices(("", "-", "+"), (90, 8, 2))[0] for _ in "ab")
        return f"{{%{before} {code} {after if after != '+' else ''}%}}"

    def pick(self, wanted: Callable[[Place], bool]) -> Place | None:
        found = [place for place in places(self.root) if wanted(place)]
        return self.rng.choice(found) if found else None

    def pick_element(self, names: Collection[str]) -> Place | None:
        return self.pick(lambda p: isinstance(p.node, Element) and p.node.name in names)

    def pick_text(self, kind: str = "text") -> tuple[Place, Text] | None:
        place = self.pick(
            lambda p: isinstance(p.node, Text) and p.node.kind == kind and bool(p.node.text.strip())
        )
        return (place, place.node) if place and isinstance(place.node, Text) else None

    def opening(self, loops: tuple[str, ...]) -> Jinja:
        """An if, or a for with a name of its own."""
        if self.rng.random() < 0.6:
            return Jinja(self.tag(f"if {condition(self.rng, loops)}"))
        self.names += 1
        name = f"{self.rng.choice(('item', 'story', 'row'))}{self.names}"
        return Jinja(self.tag(f"for {name} in {self.rng.choice(LISTS)}"), variable=name)

    def around(self, nodes: list[Node], loops: tuple[str, ...]) -> list[Node]:
        """The nodes under control flow; an else branch may hold a copy of them."""
        first = self.opening(loops)
        closing = Jinja(
            self.tag("endfor" if first.variable else "endif"), closes=bool(first.variable)
        )
        wrapped: list[Node] = [first, *nodes]
        if first.variable:
            return [*wrapped, closing]
        if self.rng.random() < 0.2:
            wrapped += [Jinja(self.tag(f"elif {condition(self.rng, loops)}")), *deepcopy(nodes)]
        if self.rng.random() < 0.3:
            wrapped += [Jinja(self.tag("else")), *deepcopy(nodes)]
        return [*wrapped, closing]

    def wrap(self, names: Collection[str]) -> None:
        place = self.pick_element(names)
        if place is None:
            return
        start = end = place.index
        children = place.parent.children
        if self.rng.random() < 0.2 and end + 2 < len(children):
            between, after = children[end + 1], children[end + 2]
            if (
                isinstance(after, Element)
                and isinstance(between, Text)
                and not between.text.strip()
            ):
                end += 2
        children[start : end + 1] = self.around(children[start : end + 1], place.loops)

    def split(self, kind: str, make: Callable[[Place, str], list[Node]], cut: str) -> None:
        """Replaces a stretch of a text, between two places where `cut` matches, by what is made."""
        found = self.pick_text(kind)
        if found is None:
            return
        place, node = found
        edges = sorted({m.end() for m in re.finditer(cut, node.text)})
        if not edges:
            return
        start = self.rng.choice(edges)
        stop = self.rng.choice([edge for edge in edges if edge >= start][:4])
        before, inside, after = node.text[:start], node.text[start:stop], node.text[stop:]
        parts: list[Node] = [Text(before, kind), *make(place, inside), Text(after, kind)]
        index = place.index
        place.parent.children[index : index + 1] = [part for part in parts if str(part)]

    def value(self, names: Collection[str], make: Callable[[str, Place], str]) -> None:
        """Replaces an attribute's value; what is made stands inside its quotes."""
        place = self.pick(lambda p: any(a.name in names for a in _plain_attributes(p.node)))
        if place is None:
            return
        attribute = self.rng.choice([a for a in _plain_attributes(place.node) if a.name in names])
        attribute.value = f'"{make(attribute.value.strip(chr(34) + chr(39)), place)}"'


def _plain_attributes(node: Node) -> list[Attribute]:
    """Those that no mutator has touched."""
    if not isinstance(node, Element):
        return []
    return [a for a in node.attributes if isinstance(a, Attribute) and "{" not in a.value]


def _print_text(work: _Mutator) -> None:
    def make(place: Place, inside: str) -> list[Node]:
        code = expression(work.rng, place.loops)
        return [Jinja(f"{{{{ {code} }}}}"), Text(inside)]

    work.split("text", make, r"\s+|^|$|\b")


def _control_text(work: _Mutator) -> None:
    work.split("text", lambda place, inside: work.around([Text(inside)], place.loops), r"\s+|^|$")


def _title(work: _Mutator) -> None:
    def make(place: Place, inside: str) -> list[Node]:
        if work.rng.random() < 0.5:
            return work.around([Text(inside, "title")], place.loops)
        return [Jinja(f"{{{{ {expression(work.rng, place.loops)} }}}}"), Text(inside, "title")]

    work.split("title", make, r"\s+|^|$")


def _comment(work: _Mutator) -> None:
    def make(place: Place, inside: str) -> list[Node]:
        if work.rng.random() < 0.4:
            return work.around([Text(inside, "comment")], place.loops)
        return [Jinja(f"{{{{ {expression(work.rng, place.loops)} }}}}"), Text(inside, "comment")]

    # between the words or the tags of its content
    work.split("comment", make, r"(?<=[\w>])\s(?!-->)|(?<=[^\]]>)(?=<(?!!))")


def _statement(work: _Mutator) -> None:
    code = work.rng.choice(nasty.STATEMENTS)
    work.split("text", lambda _, inside: [Jinja(code), Text(inside)], r"\s+|^|$")


def _nasty_text(work: _Mutator) -> None:
    code = work.rng.choice(nasty.TEXTS)
    work.split("text", lambda _, inside: [Jinja(code.replace("...", inside))], r"\s+|^|$")


def _nasty_place(work: _Mutator) -> None:
    """An expression or a statement between elements, where no text belongs."""
    place = work.pick(lambda p: isinstance(p.node, Element) and len(p.ancestors) > 1)
    if place:
        place.parent.children.insert(place.index, Jinja(work.rng.choice(nasty.BETWEEN)))


def _url(work: _Mutator) -> None:
    def make(old: str, place: Place) -> str:
        one = place.loops[-1] + ".url" if place.loops and work.rng.random() < 0.7 else "link"
        return work.rng.choice(
            (f"{{{{ {one} }}}}", f"{{{{ {one} }}}}", f"{{{{ {one} }}}}#top",
             f"https://shop.example/{{{{ {one} | encode }}}}?x=1&amp;y={{{{ count }}}}",
             f"{old}{{% if {condition(work.rng, place.loops)} %}}&amp;v=1{{% endif %}}")
        )  # fmt: skip

    work.value(_URLS, make)


def _words(work: _Mutator) -> None:
    def make(old: str, place: Place) -> str:
        return f"{old} {{{{ {expression(work.rng, place.loops)} }}}}".strip()

    work.value({"alt", "title"}, lambda old, place: make(old, place).replace('"', "'"))


def _colour(work: _Mutator) -> None:
    def make(_: str, place: Place) -> str:
        own = f"{{{{ {place.loops[-1]}.colour }}}}" if place.loops else "{{ accent }}"
        test = condition(work.rng, place.loops).replace('"', "'")
        return work.rng.choice(
            ("{{ colour }}", own, f"{{{{ '#aa0000' if {test} else '#00aa00' }}}}",
             f"{{% if {test} %}}#aa0000{{% else %}}#0a0{{% endif %}}")
        )  # fmt: skip

    work.value(_COLOURS, make)


def _style(work: _Mutator) -> None:
    def make(old: str, place: Place) -> str:
        test = condition(work.rng, place.loops).replace('"', "'")
        dynamic = re.sub(r"(?<=color:)\s*[#\w]+", "{{ colour }}", old, count=1)
        return work.rng.choice(
            (dynamic, dynamic, f"{old.rstrip('; ')};color:{{{{ colour }}}}",
             f"{old.rstrip('; ')};width:{{{{ size }}}}px",
             f"{old.rstrip('; ')};{{% if {test} %}}color:red;{{% endif %}}")
        )  # fmt: skip

    work.value({"style"}, make)


def _class(work: _Mutator) -> None:
    def make(old: str, place: Place) -> str:
        test = condition(work.rng, place.loops).replace('"', "'")
        return work.rng.choice(
            (f"{old}{{% if {test} %}} alt{{% endif %}}", f"{{{{ '{old}' if {test} else 'alt' }}}}",
             f"{{% if {test} %}}{old}{{% else %}}price{{% endif %}}")
        )  # fmt: skip

    work.value(_CLASSES, make)


def _size(work: _Mutator) -> None:
    def make(old: str, place: Place) -> str:
        test = condition(work.rng, place.loops).replace('"', "'")
        unit = "px" if old.endswith("px") else ""
        return work.rng.choice(
            (f"{{{{ size }}}}{unit}", f"{{% if {test} %}}20{unit}{{% else %}}{old}{{% endif %}}")
        )

    work.value(_SIZES | _OTHERS, make)


def _quotes(work: _Mutator) -> None:
    work.value(_URLS | {"alt", "title"}, lambda *_: work.rng.choice(nasty.VALUES))


def _start_tag(work: _Mutator) -> None:
    names = {"td", "tr", "a", "img", "p", "table", "li", "div"}
    place = work.pick_element(names if work.rng.random() < 0.8 else _LEAVES | _PARTS)
    if place and isinstance(place.node, Element):
        attribute = work.rng.choice(nasty.ATTRIBUTES)
        test = condition(work.rng, place.loops)
        code = f"{{% if {test} %}} {attribute}{{% endif %}}"
        place.node.attributes.insert(work.rng.randint(0, len(place.node.attributes)), Jinja(code))


def _css_value(work: _Mutator) -> None:
    new = work.rng.choice(
        ("{{ colour }}", "{{ colour }}", "{% if vip %}red{% else %}#00f{% endif %}")
    )
    found = work.pick_text("css")
    values = list(re.finditer(r"color:\s*([^;{}!]+)", found[1].text)) if found else []
    if found and values:
        at = work.rng.choice(values)
        place, node = found
        parts: list[Node] = [Text(node.text[: at.start(1)], "css"), Jinja(new)]
        index = place.index
        place.parent.children[index : index + 1] = [*parts, Text(node.text[at.end(1) :], "css")]


def _css_rule(work: _Mutator) -> None:
    # at the ends of rules or of declarations
    cut = work.rng.choice((r"^|\}(?=\s*[\w.#@}]|\s*$)", r"[;{]"))
    work.split("css", lambda place, inside: work.around([Text(inside, "css")], place.loops), cut)


def _wrap(names: Collection[str]) -> Callable[[_Mutator], None]:
    return lambda work: work.wrap(names)


_CALM = (
    _print_text, _print_text, _print_text, _print_text, _control_text, _control_text,
    _wrap(_INLINE), _wrap({"tr"}), _wrap({"tr"}), _wrap({"li"}), _wrap(_LEAVES), _wrap(_LEAVES),
    _wrap(_SECTIONS), _wrap(_BLOCKS), _url, _url, _url, _words, _words, _colour, _title,
)  # fmt: skip
_WILD = (
    _wrap(_PARTS), _statement, _statement, _nasty_text, _nasty_place, _style, _class, _size,
    _quotes, _start_tag, _start_tag, _comment, _css_value, _css_rule,
)  # fmt: skip
