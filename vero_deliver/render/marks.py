"""Marks that tell where the author wrote an element, carried through templates and MJML.

Each start tag of an HTML or MJML template gets `data-vero="7"`, its number in a list of places. On
MJML's own elements, whose attributes the compiler drops, the mark becomes a class of what they
are compiled to. Marked documents are read by `check` and never sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError

from vero_deliver.render.places import Token, branch, read
from vero_deliver.render.scan import Scan

MARK: Final = "data-vero"
CLASS: Final = re.compile(r"(?:^|\s)vero-(\d+)(?=\s|$)")
Spot = tuple[str, int, int]  # file, line and column, from 1

_MARKED: Final = re.compile(rf' {MARK}="(\d+)"')
_CSS_CLASS: Final = re.compile(r"(\scss-class\s*=\s*[\"'])")
_IN_HEAD: Final = frozenset(("mjml", "mj-head"))


class Marks:
    """The places of the elements of one renderer's templates."""

    def __init__(self) -> None:
        self.places: list[Spot] = []

    def put(self, environment: Environment, source: str, file: str, line: int) -> str:
        """The template with its start tags marked; as it is where it is no template.

        line: of the file that it begins on. What `trans` holds stays: it names a translation.
        """
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        try:
            tokens = list(read(environment, source))
        except TemplateSyntaxError:
            return source  # whoever compiles it says so
        pieces: list[str] = []
        last = at = 0
        for end in _tag_names(tokens):
            begin = source.rindex("<", 0, end)
            before = source.rfind("\n", 0, begin)
            line += source.count("\n", at, begin)
            at = begin
            pieces += [source[last:end], f' {MARK}="{len(self.places)}"']
            self.places.append((file, line, begin - before))
            last = end
        return "".join([*pieces, source[last:]])


def in_classes(mjml: str) -> str:
    """The marks of MJML's own elements as classes; none in the head, whose values are defaults."""
    found: list[tuple[int, str, bool]] = []

    def opened(name: str, start: str) -> None:
        in_head = name in _IN_HEAD or "mj-head" in scan.stack
        if in_head or name.startswith("mj-"):
            found.append((scan.begun[1], start, in_head))

    scan = Scan(on_open=opened)
    scan.feed(mjml)
    pieces, last = [], 0
    for begin, start, in_head in found:
        pieces += [mjml[last:begin], _in_class(start, in_head=in_head)]
        last = begin + len(start)
    return "".join([*pieces, mjml[last:]])


def _in_class(start: str, *, in_head: bool) -> str:
    mark = _MARKED.search(start)
    if not mark:
        return start
    start = start[: mark.start()] + start[mark.end() :]
    if in_head:
        return start
    number = f"vero-{mark[1]}"
    if _CSS_CLASS.search(start):
        return _CSS_CLASS.sub(rf"\g<1>{number} ", start, count=1)
    at = mark.start()
    return f'{start[:at]} css-class="{number}"{start[at:]}'


def _tag_names(tokens: list[Token]) -> Iterator[int]:
    """Where the names of start tags end in the template; those inside of `trans` left out."""
    ends: list[int] = []

    def opened(name: str, start: str) -> None:
        del start
        part, begin = scan.begun
        ends.append(part + begin + 1 + len(name))

    scan = Scan(on_open=opened)
    branches: list[Scan] = []
    offset, in_trans = 0, False
    for token in tokens:
        if token.kind == "data" and not in_trans:
            scan.part = offset + len(token.opening)  # a part is called by where it begins
            scan.feed(token.code)
        elif token.kind == "print":
            scan.construct()
        elif token.kind == "tag":
            in_trans = token.name == "trans" or (in_trans and token.name != "endtrans")
            scan = branch(token.name, scan, branches)
        offset += len(str(token))
    return iter(sorted(set(ends)))
