"""Constructs replaced by placeholders that MJML and CSS engines carry through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vero_deliver.render.once.parts import Declined, Part, Pieces, aborts, end_of, joined
from vero_deliver.render.places import filters_at
from vero_deliver.render.scan import STYLES, Scan, Spot, css_state

# elements that mj-raw may stand in beside the others
_STRUCTURE = frozenset(
    ("mjml", "mj-body", "mj-section", "mj-wrapper", "mj-group", "mj-column", "mj-hero")
)
_NO_CONSTRUCTS = frozenset(
    ("mj-head", "mj-attributes", "mj-social", "mj-navbar", "mj-accordion", "mj-accordion-element",
     "mj-carousel", "mj-html-attributes")
)  # fmt: skip
# where HTML moves text out of
TABLES = frozenset(("table", "tbody", "thead", "tfoot", "tr", "colgroup", "mj-table"))
_WITH_BODIES = frozenset(("table", "mj-table"))
# MJML numbers them, so two of one in a loop would be alike
_NUMBERED = frozenset(("mj-navbar", "mj-carousel"))
_COUNTED = frozenset(("mj-section", "mj-group"))  # their columns share the width
_REFERENCE = re.compile(r"&#?\w*$")
_TOKEN = re.compile(r"vJ\d+Q", re.IGNORECASE)


@dataclass(slots=True)
class Protected(Pieces):
    """Markup with placeholders: constructs[n] is what vJnQ stands for.

    scopes: the control tags that a construct stands in, and how many `set` come before it.
    free: constructs that may come back many times or never, wherever.
    language: the expression that is the root's `lang`, if any.
    """

    markup: str = ""
    scopes: list[tuple[object, ...]] = field(default_factory=list)
    free: set[int] = field(default_factory=set)
    language: Part | None = None

    def add(self, part: Part, scope: tuple[object, ...] = ()) -> int:
        """Its number."""
        self.constructs.append(part)
        self.scopes.append(scope)
        self.order.append(len(self.constructs) - 1)
        return len(self.constructs) - 1

    def add_free(self, part: Part) -> int:
        """The number of a construct that the source does not have."""
        self.constructs.append(part)
        self.scopes.append(())
        self.free.add(len(self.constructs) - 1)
        return len(self.constructs) - 1


@dataclass(slots=True)
class _Open:
    """A control tag that is open, and where its branches begin."""

    part: Part
    number: int
    branch: int
    place: tuple[object, ...]
    parents: int  # elements that were open


class Protector:
    """Goes over the parts once. styled: CSS is inlined afterwards."""

    def __init__(self, parts: Sequence[Part], *, mjml: bool, styled: bool) -> None:
        self._parts = parts
        self._mjml = mjml
        self._styled = styled
        self._scan = Scan(on_open=self._opened, on_close=self._closed)
        self._out: list[str] = []
        self._bodies: list[Spot] = []  # table bodies that are not the author's
        self._with_rows: set[Spot] = set()  # tables in which a row has begun
        self._ends: list[int] = []  # where they end in the text that is read
        self._controls: list[_Open] = []
        self._sets = 0
        self._place = ""
        self.result = Protected()

    def run(self) -> Protected:
        """The markup with its placeholders. Raises Declined."""
        at = 0
        while at < len(self._parts):
            part = self._parts[at]
            self._place = part.place
            if part.kind == "data":
                alike = _TOKEN.search(part.code)
                if alike:
                    raise Declined("text that looks like a placeholder", part.at(alike.start()))
                self._scan.part = at
                self._scan.feed(part.code)
                if self._scan.lost:
                    raise Declined(self._scan.lost, part.at(len(part.code)))
                self._out.append(self._with_ends(part.code))
                self.result.order.append(part.code)
                at += 1
            elif self._scan.state == "tag":
                at = self._group(at)
            else:
                self._construct(part)
                at += 1
        if self._controls:
            raise Declined("a tag is never closed", self._controls[-1].part.place)
        self.result.markup = "".join(self._out)
        return self.result

    def _opened(self, name: str, start: str) -> None:
        del start
        if name == "tr" and self._scan.inside in _WITH_BODIES:
            self._with_rows.add(self._scan.begins[-1])
        around = [one for one in self._controls if one.part.name in ("if", "for")]
        if name == "mj-column" and around:
            parent = max(
                (at for at, other in enumerate(self._scan.stack) if other in _COUNTED), default=0
            )
            if around[-1].parents > parent:
                words = "a conditional mj-column: the width of the others depends on it"
                raise Declined(words, around[-1].part.place)
        if name in _NUMBERED and around:
            raise Declined(f"<{name}> in {around[-1].part.shown()}", around[-1].part.place)
        if name in ("style", "mj-style", "link", "mj-attributes", "mj-head") and around:
            raise Declined(f"<{name}> in {around[-1].part.shown()}", around[-1].part.place)

    def _closed(self, begun: Spot, own: bool) -> None:
        if begun in self._bodies and not own:
            self._ends.append(self._scan.begun[1])

    def _with_ends(self, text: str) -> str:
        """The text with `</tbody>` where bodies that were opened here are over."""
        for at in sorted(self._ends, reverse=True):
            text = f"{text[:at]}</tbody>{text[at:]}"
        self._ends.clear()
        return text

    def _scope(self) -> tuple[object, ...]:
        return (*((one.number, one.branch) for one in self._controls), self._sets)

    def _group(self, at: int) -> int:
        """A conditional attribute: all of it is one attribute without a value."""
        part = self._parts[at]
        if part.name not in ("if", "for") or self._scan.tag.startswith("mj"):
            raise Declined(f"{part.shown()} in a start tag", part.place)
        end = end_of(self._parts, at)
        inner = list(self._parts[at : end + 1])
        probe = self._scan.copy()
        before = probe.place()
        at_name = probe.at_name
        for index, one in enumerate(inner):
            if one.kind == "data":
                if "<" in one.code or ">" in one.code:
                    raise Declined(f"{part.shown()} ends its start tag", part.place)
                probe.at_name = at_name and inner[index - 1].kind == "tag"
                probe.feed(one.code)
                if probe.lost:
                    raise Declined(probe.lost, one.place)
                continue
            if one.kind == "print":
                inner[index] = replace(one, filters=filters_at(probe))
            elif probe.place() != before:
                raise Declined(f"{one.shown()} in the middle of an attribute", one.place)
            probe.construct()
        number = self.result.add(Part("data", joined(inner), part.place), self._scope())
        self.result.groups[number] = inner
        self._out.append(f' vj{number}q="" ')
        return end + 1

    def _construct(self, part: Part) -> None:
        last = self.result.order[-1] if self.result.order else ""
        if isinstance(last, str) and _REFERENCE.search(last):
            raise Declined(f"{part.shown()} in the middle of a character reference", part.place)
        if part.kind == "tag":
            self._control(part)
        part = replace(part, filters=filters_at(self._scan)) if part.kind == "print" else part
        number = self.result.add(part, self._scope())
        self._out.append(self._placeholder(part, number))
        self._scan.construct()
        if part.opens:
            self._controls.append(_Open(part, number, 0, self._scan.place(), len(self._scan.stack)))
        elif part.name == "set":
            self._sets += 1

    def _control(self, part: Part) -> None:
        if part.name in ("call", "filter", "autoescape", "macro", "block", "trans"):
            raise Declined(f"{part.shown()} makes markup at run time", part.place)
        if part.name == "set" and part.opens:
            raise Declined(f"{part.shown()} keeps markup for later", part.place)
        if part.name == "for" and part.code.rstrip().endswith("recursive"):
            raise Declined(f"{part.shown()} makes markup at run time", part.place)
        if part.name in ("include", "import", "from", "extends"):
            raise Declined(f"{part.shown()} could not be written out", part.place)
        if part.name in ("break", "continue"):
            loop = next((one for one in reversed(self._controls) if one.part.name == "for"), None)
            if loop is None or self._scan.place() != loop.place:
                raise Declined(f"{part.shown()} in the middle of an element", part.place)
        if not (part.ends or part.branches):
            return
        if not self._controls:
            raise Declined(f"{part.shown()} ends nothing", part.place)
        opened = self._controls[-1]
        if self._scan.place() != opened.place:
            raise Declined(f"the markup before {part.shown()} is not balanced", part.place)
        opened.branch += 1
        if part.ends:
            self._controls.pop()

    def _placeholder(self, part: Part, number: int) -> str:
        scan, token = self._scan, f"vJ{number}Q"
        if scan.state in ("value", "bare"):
            return self._in_attribute(part, token)
        if scan.raw in STYLES:
            return self._in_style(part, number)
        if scan.state in ("comment", "raw") or scan.conditional:
            return token
        parent = scan.inside
        if parent in _NO_CONSTRUCTS:
            raise Declined(f"{part.shown()} in <{parent}>", part.place)
        if self._mjml and (parent in _STRUCTURE or not parent):
            if part.kind == "print" and not aborts(part):
                raise Declined(f"{part.shown()} stands where elements do", part.place)
            if not parent or parent == "mjml":
                raise Declined(f"{part.shown()} outside of mj-body", part.place)
            return f"<mj-raw>{token}S</mj-raw>"
        if part.kind == "print" and parent not in TABLES:
            return token
        if self._styled and parent in _WITH_BODIES and scan.begins[-1] not in self._with_rows:
            # the parser would open it after the placeholder
            self._scan.part = -1 - len(self.result.constructs)
            self._scan.feed("<tbody>")
            self._bodies.append(self._scan.begins[-1])
            return f"<tbody>{token}S"
        return f"{token}S"

    def _in_attribute(self, part: Part, token: str) -> str:
        scan = self._scan
        if scan.closing:
            raise Declined(f"{part.shown()} in an end tag", part.place)
        if scan.state == "bare":
            raise Declined(f"{part.shown()} in an attribute without quotes", part.place)
        if scan.tag == "mjml" and scan.attribute == "lang":
            if part.kind == "tag" or scan.value:
                raise Declined(f"{part.shown()} chooses the document's language", part.place)
            self.result.language = part
        return token

    def _in_style(self, part: Part, number: int) -> str:
        scan = self._scan
        state = css_state(scan.css)
        inlined = scan.raw == "style" or "inline=" in scan.start
        if part.kind == "print" and state in ("value", "url"):
            self.result.free.add(number)
            return f"vJ{number}Q"
        if (not inlined or not self._styled) and state in ("top", "declarations"):
            return f"/*vJ{number}Q*/"
        raise Declined(f"{part.shown()} in CSS that is inlined", part.place)
