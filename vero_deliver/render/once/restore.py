"""Placeholders turned back into constructs, and proof that each is where it belongs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vero_deliver.render.once.parts import Declined, Part, Pieces, called, written
from vero_deliver.render.once.protect import Protected
from vero_deliver.render.once.styles import Tree
from vero_deliver.render.scan import STYLES, Scan

_PLACEHOLDER = re.compile(
    r"/\*vJ(\d+)Q\*/|<!--vJ(\d+)QS-->|(?<![\w-])vj(\d+)q(?:=\"\")?|vJ(\d+)QS?"
)
_COMMENT = re.compile(r"(<!--.*?-->)", re.DOTALL)
_STRUCTURAL = re.compile(r"vJ(\d+)QS")


def as_comments(html: str) -> str:
    """Structural placeholders as comments, which HTML parsers leave where they are.

    Inside of comments, conditional ones too, they stay text.
    """
    pieces = _COMMENT.split(html)
    pieces[::2] = [_STRUCTURAL.sub(r"<!--vJ\1QS-->", piece) for piece in pieces[::2]]
    return "".join(pieces)


@dataclass(slots=True)
class Restored(Pieces):
    """The compiled document. tree: its elements."""

    tree: Tree = field(default_factory=Tree)

    def source(self) -> str:
        """As a template. CSS expressions that come back often are evaluated once."""
        often = {number for number in self._numbers() if self._constant(number)}
        sets = "".join(
            f"{{% set _css{number} = {str(self.constructs[number])[2:-2].strip()} %}}"
            for number in sorted(often)
        )
        return sets + written(
            (isinstance(piece, str), self._written(piece, often)) for piece in self.order
        )

    def _written(self, piece: str | int, often: set[int]) -> str:
        if isinstance(piece, str):
            return piece
        return f"{{{{ _css{piece} }}}}" if piece in often else str(self.constructs[piece])

    def _numbers(self) -> list[int]:
        return [piece for piece in self.order if isinstance(piece, int)]

    def _constant(self, number: int) -> bool:
        filters = self.constructs[number].filters
        often = self.order.count(number) > 1
        return often and len(filters) == 1 and filters[0].startswith("_css")


def restored(html: str, protected: Protected) -> Restored:
    """The document with its constructs back. Raises Declined where one is lost or was moved."""
    tree, scan = Tree(), Scan()
    tree.follow(scan)
    pieces: list[str | int] = []
    constructs = list(protected.constructs)
    seen = [0] * len(constructs)
    controls: list[tuple[int, int, tuple[object, ...]]] = []  # number, branch, place
    sets, at = 0, 0
    for found in _PLACEHOLDER.finditer(html):
        text, at = html[at : found.start()], found.end()
        number = int(next(group for group in found.groups() if group))
        if number >= len(constructs):
            raise Declined("text that looks like a placeholder")
        part = constructs[number]
        pieces.append(text)
        scan.feed(text)
        scope = (*((opened, branch) for opened, branch, _ in controls), sets)
        seen[number] += 1
        if part.kind == "tag":
            _control(part, number, scan, controls)
            if part.ends or part.branches:
                scope = protected.scopes[number]
        if scope != protected.scopes[number] and number not in protected.free:
            raise Declined(f"{part.shown()} was moved to where other tags are open", part.place)
        sets += part.name == "set"
        if scan.state in ("text", "comment"):
            tree.construct(part.place, control=part.kind == "tag" and not scan.conditional)
        number = _for_place(number, part, scan, constructs)
        pieces.append(number)
        scan.construct()
    pieces.append(html[at:])
    scan.feed(html[at:])
    _check_counts(seen, protected)
    return Restored(pieces, constructs, protected.groups, tree)


def _control(
    part: Part, number: int, scan: Scan, controls: list[tuple[int, int, tuple[object, ...]]]
) -> None:
    if part.opens:
        controls.append((number, 0, scan.place()))
    elif part.ends or part.branches:
        if not controls or scan.place() != controls[-1][2]:
            raise Declined(f"{part.shown()} was moved by the HTML parser", part.place)
        opened, branch, place = controls.pop()
        if part.branches:
            controls.append((opened, branch + 1, place))


def _for_place(number: int, part: Part, scan: Scan, constructs: list[Part]) -> int:
    """CSS that has moved into an attribute is escaped for that; what MJML garbles is past it."""
    gone = set() if scan.raw in STYLES else {"_style"}
    if not scan.conditional:
        gone.add("_reference")
    if not gone & set(part.filters):
        return number
    moved = replace(part, filters=tuple(name for name in part.filters if name not in gone))
    if moved not in constructs:
        constructs.append(moved)
    return constructs.index(moved)


def _check_counts(seen: Sequence[int], protected: Protected) -> None:
    for number, (count, part) in enumerate(zip(seen, protected.constructs, strict=False)):
        if number in protected.free:
            continue
        if count == 0:
            raise Declined(f"{part.shown()} is dropped by the compiler", part.place)
        if count > 1 and (part.kind != "print" or called(part)):
            raise Declined(f"{part.shown()} would be there {count} times", part.place)
