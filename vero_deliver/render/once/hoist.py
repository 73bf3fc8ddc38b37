"""Conditional attributes written as conditional elements, so that CSS sees every variant.

    <tr class="row{{ ' alt' if odd else '' }}">...</tr>

becomes `{% if odd %}<tr class="row alt">...</tr>{% else %}<tr class="row">...</tr>{% endif %}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jinja2 import nodes
from markupsafe import escape

from vero_deliver.render.environment import Sandbox
from vero_deliver.render.once.parts import Declined, Part, end_of, expression
from vero_deliver.render.places import PLAIN_MJML, URLS
from vero_deliver.render.scan import Scan, Spot, css_state

_MOST_PARTS = 4_000
_MOST_ROUNDS = 40
_MATCHED = frozenset(("class", "id", "css-class", "mj-class", "name"))
_ATTRIBUTE_NAMES = re.compile(r"([A-Za-z][\w:-]*)(?=\s*=|\s|$)")
# of MJML elements: attributes whose value goes through to the HTML as it is
_THROUGH = (PLAIN_MJML - _MATCHED - {"full-width", "mode", "direction", "hamburger",
                                      "fluid-on-mobile", "position", "icon-position",
                                      "thumbnails", "inline", "path"}) | URLS | {
    "color", "background-color", "container-background-color", "font-family",
    "inner-background-color",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Choice:
    """One construct of a start tag that has finitely many texts. Each: the tag, and its text."""

    first: int
    last: int  # of its parts
    branches: Sequence[tuple[Part, str]]


@dataclass(frozen=True, slots=True)
class _Element:
    """An element to write out once per branch, from its `<` to behind its end."""

    begun: Spot
    ended: Spot
    choice: _Choice


def hoisted(parts: Sequence[Part], environment: Sandbox, matched: frozenset[str]) -> list[Part]:
    """The parts with nothing conditional left in attributes that CSS or MJML look at.

    matched: the attributes of HTML that the inlined CSS looks at; none where nothing is inlined.
    Declined where a value is not one of finitely many constants.
    """
    found = list(parts)
    for _ in range(_MOST_ROUNDS):
        element = _next(found, environment, matched)
        if element is None:
            return found
        found = _written_out(found, element)
        if len(found) > _MOST_PARTS:
            break
    raise Declined("too many conditional attributes inside each other", parts[0].place)


def _next(parts: Sequence[Part], environment: Sandbox, matched: frozenset[str]) -> _Element | None:
    """The first element that has to be written out."""
    scan, depth, at = Scan(), 0, 0
    choice: _Choice | None = None
    begun, level = (-1, 0), 0
    ends: list[tuple[Spot, bool]] = []  # where, and whether by its own end tag

    def closed(start: Spot, own: bool) -> None:
        if start == begun:
            ends.append((scan.ended, own))

    scan.on_close = closed
    while at < len(parts) and not ends:
        part = parts[at]
        if part.kind == "data":
            scan.part = at
            scan.feed(part.code)
            at += 1
            continue
        last = at
        if scan.state in ("tag", "value", "bare") and not scan.closing:
            last = end_of(parts, at) if part.opens else at
            if choice is None and _must(scan, parts[at : last + 1], matched):
                choice = _choice(parts, at, last, environment)
                begun, level = scan.begun, depth
        else:
            depth += part.opens - part.ends
            if choice and (depth < level or (part.branches and depth == level)):
                break
        scan.construct()
        at = last + 1
    if choice is None:
        return None
    if not ends or not ends[0][1]:
        raise Declined(
            "an element with a conditional attribute has no end tag", parts[begun[0]].place
        )
    return _Element(begun, ends[0][0], choice)


def _must(scan: Scan, group: Sequence[Part], matched: frozenset[str]) -> bool:
    """Whether what stands in this start tag has to be the same for everybody."""
    part, is_mjml = group[0], scan.tag.startswith("mj")
    if scan.state == "tag":
        names = _ATTRIBUTE_NAMES.findall("".join(one.code for one in group if one.kind == "data"))
        return part.opens and (is_mjml or bool(matched & {name.lower() for name in names}))
    if is_mjml:
        return scan.attribute not in _THROUGH
    if scan.attribute == "style" and matched:
        state = css_state(scan.value, attribute=True)
        return part.kind == "tag" or state not in ("value", "url")
    return scan.attribute in matched


def _choice(parts: Sequence[Part], at: int, last: int, environment: Sandbox) -> _Choice:
    part = parts[at]
    if part.kind == "print":
        return _Choice(at, at, _conditional(part, part.code, environment))
    if part.name != "if":
        raise Declined(f"{part.shown()} in a start tag", part.place)
    branches: list[tuple[Part, str]] = []
    head, text = part, ""
    for one in parts[at + 1 : last + 1]:
        if one.kind == "data":
            text += one.code
        elif one.branches or one is parts[last]:
            branches.append((head, text))
            head, text = one, ""
        else:
            raise Declined(f"{one.shown()} makes an attribute that has to be constant", one.place)
    if branches[-1][0].name != "else":
        branches.append((Part("tag", " else ", part.place, "else"), ""))
    return _Choice(at, last, branches)


def _conditional(part: Part, code: str, environment: Sandbox) -> list[tuple[Part, str]]:
    """The branches of `'a' if x else 'b'`."""
    branches: list[tuple[Part, str]] = []
    name = "if"
    while True:
        tree = expression(environment, code)
        if isinstance(tree, nodes.Const):
            branches.append((Part("tag", " else ", part.place, "else"), str(escape(tree.value))))
            break
        if not isinstance(tree, nodes.CondExpr) or not isinstance(tree.expr1, nodes.Const):
            raise Declined(f"{part.shown()} makes an attribute that has to be constant", part.place)
        if tree.expr2 is None:
            raise Declined(f"{part.shown()} has no else", part.place)
        test, rest = _test(environment, code)
        head = Part("tag", f" {name} {test} ", part.place, name)
        branches.append((head, str(escape(tree.expr1.value))))
        code, name = rest, "elif"
    if len(branches) == 1:
        return [(Part("tag", " if true ", part.place, "if"), branches[0][1]), branches[0]]
    return branches


def _test(environment: Sandbox, code: str) -> tuple[str, str]:
    """The condition of a conditional expression, and what comes after its else."""
    depth, where, pieces = 0, 0, ["", "", ""]
    for _, kind, text in environment.lexer.tokeniter(f"{{{{ {code} }}}}", None):
        if kind in ("variable_begin", "variable_end"):
            continue
        if kind == "operator":
            depth += (text in "([{") - (text in ")]}")
        if depth == 0 and kind == "name" and text == ("if", "else", "")[where]:
            where += 1
            continue
        pieces[where] += text
    return pieces[1].strip(), pieces[2].strip()


def _written_out(parts: Sequence[Part], element: _Element) -> list[Part]:
    choice = element.choice
    (first, start), (last, stop) = element.begun, element.ended
    before, after = parts[first], parts[last]
    if first == last:  # cannot be: the choice stands between
        raise Declined("an element without its construct", before.place)
    place = parts[choice.first].place
    written = [*parts[:first], replace(before, code=before.code[:start])]
    for tag, text in choice.branches:
        written += [
            tag,
            replace(before, code=before.code[start:]),
            *parts[first + 1 : choice.first],
        ]
        written += [Part("data", text, place), *parts[choice.last + 1 : last]]
        written.append(replace(after, code=after.code[:stop]))
    written.append(Part("tag", " endif ", place, "endif"))
    return [*written, replace(after, code=after.code[stop:]), *parts[last + 1 :]]
