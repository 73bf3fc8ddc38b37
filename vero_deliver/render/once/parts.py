"""A template as text and constructs; each knows where its author wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jinja2 import Environment, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vero_deliver.render.places import read
from vero_deliver.source import where

OPENING = frozenset(
    ("if", "for", "with", "macro", "call", "filter", "block", "trans", "autoescape", "set")
)
DELIMITERS = ("{{", "{%", "{#")
_PLAIN = ImmutableSandboxedEnvironment()  # it only parses
DIRECTION = "({}) | _direction"  # ltr or rtl
PREHEADER = " 0 | _preheader "  # prints the run's own


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a body is rendered for every recipient anew. where: the author's file and line."""

    detail: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}" if self.where else self.detail


class Declined(Exception):  # no error: the plain way is taken
    """The body cannot be compiled once with the same result."""

    def __init__(self, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.reason = Reason(detail, where)


@dataclass(frozen=True, slots=True)
class Part:
    """Text, `{{ code }}` or `{% code %}`. name: a tag's first word. place: "file:line"."""

    kind: Literal["data", "print", "tag"]
    code: str
    place: str = ""
    name: str = ""
    filters: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "data":
            return self.code
        if self.kind == "tag":
            return f"{{%{self.code}%}}"
        if self.filters:
            return f"{{{{ ({self.code}) | {' | '.join(self.filters)} }}}}"
        return f"{{{{{self.code}}}}}"

    @property
    def opens(self) -> bool:
        """A tag that has an end."""
        if self.name == "set":  # set x = 1 has none
            return self.kind == "tag" and "=" not in self.code
        return self.kind == "tag" and self.name in OPENING

    @property
    def ends(self) -> bool:
        """The end of a tag."""
        return self.kind == "tag" and self.name.startswith("end")

    @property
    def branches(self) -> bool:
        """`else` or `elif`."""
        return self.kind == "tag" and self.name in ("else", "elif")

    def at(self, offset: int) -> str:
        """The place of a character in it."""
        file, _, line = self.place.rpartition(":")
        return f"{file}:{int(line) + self.code.count(chr(10), 0, offset)}" if file else ""

    def shown(self) -> str:
        """The construct for a reason, on one line and not too long."""
        text = " ".join(str(replace(self, filters=())).split())
        return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(slots=True)
class Pieces:
    """A document as text and numbers of constructs, in turn.

    groups: constructs that are several parts, a conditional attribute.
    """

    order: list[str | int] = field(default_factory=list)
    constructs: list[Part] = field(default_factory=list)
    groups: dict[int, list[Part]] = field(default_factory=dict)

    def at(self, number: int) -> Sequence[Part]:
        """The parts of a construct."""
        return self.groups.get(number) or (self.constructs[number],)


def cut(environment: Environment, source: str, label: str) -> list[Part]:
    """The parts of a template. label: what to call one that was written in Python."""
    parts: list[Part] = []
    line_of = getattr(source, "line", 1)
    for token in read(environment, str(source).replace("\r\n", "\n").replace("\r", "\n")):
        place = where(source, token.line) or f"{label}:{token.line - 1 + line_of}"
        if token.kind == "comment":
            continue
        if token.kind == "data":
            if any(mark in token.code for mark in DELIMITERS):
                raise Declined("literal braces in a raw block", place)
            parts.append(Part("data", token.code, place))
        else:
            parts.append(Part(token.kind, token.code, place, token.name))
    return parts


def joined(parts: Iterable[Part]) -> str:
    """The template again."""
    return written((part.kind == "data", str(part)) for part in parts)


def written(pieces: Iterable[tuple[bool, str]]) -> str:
    """Text (True) and constructs as one template. A brace before a construct would join it."""
    found: list[str] = []
    for is_text, piece in pieces:
        if not is_text and found and found[-1].endswith("{"):
            found[-1] = f"{found[-1][:-1]}{{{{ '{{' }}}}"
        if piece:
            found.append(piece)
    return "".join(found)


def end_of(parts: Sequence[Part], start: int) -> int:
    """The index of the tag that ends the one at `start`."""
    depth = 0
    for at in range(start, len(parts)):
        depth += parts[at].opens - parts[at].ends
        if depth == 0:
            return at
    raise Declined(f"{parts[start].shown()} is never closed", parts[start].place)


def node(environment: Environment, part: Part, ending: str = "") -> Any:
    """The syntax tree of one construct."""
    return environment.parse(f"{replace(part, filters=())}{ending}").body[0]


def expression(environment: Environment, code: str) -> nodes.Expr:
    """The syntax tree of an expression."""
    output = environment.parse(f"{{{{ {code} }}}}").body[0]
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise Declined(f"{code.strip()[:60]} is no expression")
    return output.nodes[0]


def called(part: Part) -> bool:
    """Whether an expression calls something, which may not give the same twice."""
    tree = expression(_PLAIN, part.code)
    return isinstance(tree, nodes.Call) or tree.find(nodes.Call) is not None


def aborts(part: Part) -> bool:
    """Whether it is `{{ abort(...) }}`, which prints nothing, ever."""
    if part.kind != "print" or not part.code.strip().startswith("abort("):
        return False
    tree = expression(_PLAIN, part.code)
    return isinstance(tree, nodes.Call) and getattr(tree.node, "name", "") == "abort"


def names_in(tree: nodes.Node) -> set[str]:
    """Every name that it reads or writes."""
    return {name.name for name in tree.find_all(nodes.Name)}


def bound_in(tree: nodes.Node) -> set[str]:
    """The names that it writes: loop variables, set, with, macro arguments."""
    found = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    return found | {ns.name for ns in tree.find_all(nodes.NSRef)}


def arguments(environment: Environment, code: str) -> Iterator[str]:
    """The code cut at its commas, those inside brackets left alone."""
    depth, piece = 0, ""
    opening = environment.variable_start_string
    closing = environment.variable_end_string
    for _, kind, text in environment.lexer.tokeniter(f"{opening}{code}{closing}", None):
        if kind in ("variable_begin", "variable_end"):
            continue
        if kind == "operator":
            depth += (text in "([{") - (text in ")]}")
            if text == "," and depth == 0:
                yield piece
                piece = ""
                continue
        piece += text
    if piece.strip():
        yield piece
