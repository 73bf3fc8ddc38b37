"""Escaping by place: expressions of an HTML template get the filter that where they stand asks for.

Both ways of rendering, compiled once and for every recipient, put the same filters round the same
expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment, TemplateSyntaxError

from vero_deliver.render.scan import STYLES, Scan, css_state

URLS = frozenset(
    ("href", "src", "action", "formaction", "background", "background-url", "poster", "cite",
     "longdesc", "xlink:href", "thumbnails-src", "icon-wrapped-url", "icon-unwrapped-url",
     "base-url")
)  # fmt: skip
# of MJML elements, those whose attribute values are not CSS
PLAIN_MJML = frozenset(
    ("alt", "title", "name", "css-class", "mj-class", "rel", "target", "lang", "dir", "path", "id",
     "srcset", "sizes", "usemap", "role", "inline", "owa", "version", "full-width", "mode",
     "direction", "hamburger", "fluid-on-mobile", "position", "icon-position", "thumbnails")
)  # fmt: skip

Kind = Literal["data", "print", "tag", "comment"]
_BEGINS: dict[str, Kind] = {
    "variable_begin": "print",
    "block_begin": "tag",
    "comment_begin": "comment",
    "raw_begin": "data",
}
_ENDS = frozenset(("variable_end", "block_end", "comment_end", "raw_end"))


@dataclass(frozen=True, slots=True)
class Token:
    """A run of a template: text, or one construct cut into its opening, inside and end.

    name: of a tag, its first word. line: where it begins, from 1.
    """

    kind: Kind
    opening: str
    code: str
    ending: str
    line: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.opening}{self.code}{self.ending}"


def read(environment: Environment, source: str) -> Iterator[Token]:
    """The template's tokens, which together are the template. Raises TemplateSyntaxError.

    A raw block is data whose opening and ending are the tags; blanks that a `-` takes away are
    comments.
    """
    lexed = list(environment.lexer.tokeniter(source, None))
    at, kind, opening, code, name, line = 0, "", "", "", "", 1
    for _, lexeme, text in lexed:
        begin = source.index(text, at) if text else at
        gap, at = source[at:begin], begin + len(text)  # blanks that `-` takes away
        if not kind:
            line += gap.count("\n")
            if gap:
                yield Token("comment", "", gap, "", line - gap.count("\n"))
            if lexeme == "data":
                yield Token("data", "", text, "", line)
                line += text.count("\n")
                continue
            kind, opening, code, name = _BEGINS[lexeme], text, "", ""
        elif lexeme in _ENDS:
            yield Token(kind, opening, code + gap, text, line, name)  # type: ignore[arg-type]
            line += (opening + code + gap + text).count("\n")
            kind = ""
        else:
            code += gap + text
            if lexeme == "name" and not name:
                name = text
    if kind:  # it never ends; whoever compiles the template says so
        yield Token("data", "", opening + code, "", line)
    if source[at:]:
        yield Token("comment", "", source[at:], "", line)


def filters_at(scan: Scan) -> tuple[str, ...]:
    """The filters that an expression needs where the scan stands, first to last."""
    around = ("_comment",) if scan.conditional or scan.state == "comment" else ()
    if scan.state == "bare":
        return (*_in_attribute(scan), "_bare", *around)
    if scan.state == "value":
        in_mjml = any(name.startswith("mj") for name in (scan.tag, *scan.stack))
        return (*_in_attribute(scan), *(("_reference",) if in_mjml else ()), *around)
    if scan.raw in STYLES:
        return (*_in_css(css_state(scan.css)), "_style")
    if scan.raw == "mj-title":
        return ("_reference",)
    return around


def _in_attribute(scan: Scan) -> tuple[str, ...]:
    name, before = scan.attribute, scan.value.strip("\0 \t\n\r")
    if name in URLS:
        if scan.tag.startswith("mj") and name == "background-url":
            return ("_css_url",)
        return () if before else ("_url",)
    if name == "style":
        return _in_css(css_state(scan.value, attribute=True))
    if scan.tag.startswith("mj-") and name not in PLAIN_MJML:
        return ("_css_value",)
    return ()


def _in_css(state: str) -> tuple[str, ...]:
    match state:
        case "url":
            return ("_css_url",)
        case "declarations" | "top":
            return ("_css_declarations",)
        case _:
            return ("_css_value",)


def wrapped(environment: Environment, code: str, filters: tuple[str, ...]) -> str:
    """The code of an expression with filters put round it; as it is where it cannot be parsed."""
    if not filters:
        return code
    try:
        environment.parse(
            f"{environment.variable_start_string}{code}{environment.variable_end_string}"
        )
    except TemplateSyntaxError:
        return code  # whoever compiles the template says so, in the author's words
    return f" ({code}) | {' | '.join(filters)} "


def in_places(environment: Environment, source: str, *, css: bool = False) -> str:
    """The template with every expression that needs it filtered for its place, lines unchanged.

    css: it is a style sheet, to be included into a style element.
    """
    if "{{" not in source:
        return source
    scan = Scan(state="raw", raw="style", stack=["style"]) if css else Scan()
    branches: list[Scan] = []
    pieces: list[str] = []
    in_trans = False
    try:
        tokens = list(read(environment, source.replace("\r\n", "\n").replace("\r", "\n")))
    except TemplateSyntaxError:
        return source
    for token in tokens:
        piece = str(token)
        if token.kind == "data":
            scan.feed(token.code)
        elif token.kind == "print":
            filters = () if in_trans else filters_at(scan)
            piece = f"{token.opening}{wrapped(environment, token.code, filters)}{token.ending}"
            scan.construct()
        elif token.kind == "tag":
            in_trans = token.name == "trans" or (in_trans and token.name != "endtrans")
            scan = branch(token.name, scan, branches)
        pieces.append(piece)
    return "".join(pieces)


def branch(name: str, scan: Scan, branches: list[Scan]) -> Scan:
    """The scan to go on with: every branch of an `if` begins where the first one did."""
    if name in ("if", "for"):
        branches.append(scan.copy())
    elif name in ("elif", "else") and branches:
        return branches[-1].copy()
    elif name in ("endif", "endfor") and branches:
        before = branches.pop()
        if before.state == "value" and scan.state == "value":
            scan.value = min(before.value, scan.value, key=len)  # an empty branch may run
    return scan
