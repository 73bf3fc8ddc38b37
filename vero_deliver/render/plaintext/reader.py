"""Reads HTML tag by tag and says it in text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

from vero_deliver.render.plaintext.flow import Flow, collapsed, visible
from vero_deliver.render.plaintext.html import Tag, is_hidden, tokens

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
     "source", "track", "wbr")
)  # fmt: skip
_UNSHOWN = frozenset(
    ("head", "script", "style", "title", "template", "textarea", "select", "iframe", "noembed",
     "noframes", "object", "svg", "video", "audio", "math", "datalist", "xml")
)  # fmt: skip
_PARAGRAPHS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "figure")
)
_CELLS = frozenset(("td", "th"))
_GROUPS = frozenset(("thead", "tbody", "tfoot"))
_BLOCKS = _PARAGRAPHS | _CELLS | _GROUPS | {
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt",
    "fieldset", "figcaption", "footer", "form", "header", "html", "legend", "li", "main", "nav",
    "section", "summary", "table", "tr",
}  # fmt: skip
# Start tag: the open elements it ends, as HTML lets authors leave their end tags out.
_ENDS = {name: frozenset(("p",)) for name in _BLOCKS} | {
    "a": frozenset(("a",)),
    "li": frozenset(("p", "li")),
    "dt": frozenset(("p", "dt", "dd")),
    "dd": frozenset(("p", "dt", "dd")),
    "td": _CELLS | {"p"},
    "th": _CELLS | {"p"},
    "tr": _CELLS | {"p", "tr"},
    "thead": _CELLS | _GROUPS | {"p", "tr"},
    "tbody": _CELLS | _GROUPS | {"p", "tr"},
    "tfoot": _CELLS | _GROUPS | {"p", "tr"},
}
_TELLING = frozenset(("a", "img", "li", "ol", "table"))  # whose attributes are always read
_MAX_INDENT = 40

_MAY_HIDE = re.compile("none|hidden|hide", re.IGNORECASE)
_INLINE = re.compile(r"(?:^|;)\s*display\s*:\s*inline-", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NO_TARGET = frozenset(("javascript", "vbscript", "data", "cid", "about", "blob", "file"))
_WEB = re.compile(r"https?://", re.IGNORECASE)


def plaintext(html: str) -> str:
    """What a reader of the HTML would see, as text; one newline at its end, "" for nothing.

    Links are `text (URL)`, images their alt text, rows of data tables one line each. Long lines
    stay. Any input is accepted, and takes time in proportion to its length.
    """
    reader = _Reader()
    for token in tokens(html):
        if isinstance(token, str):
            reader.text(token)
        elif token.end:
            reader.end(token.name)
        else:
            reader.start(token)
    return reader.result()


@dataclass(slots=True)
class _Link:
    target: str
    first: int  # index of its first piece
    image: bool = False


@dataclass(slots=True)
class _Element:
    name: str
    hidden: bool
    indent: str  # what to go back to at its end
    link: _Link | None = None


@dataclass(slots=True)
class _Cell:
    first: int  # index of its first piece
    breaks: int  # line breaks before it
    blocks: bool = False


@dataclass(slots=True)
class _Table:
    layout: bool  # role="presentation"
    inline: bool
    row: list[_Cell] | None = None
    rows: int = 0  # that had text
    data: bool = False  # has a heading cell or a row of several

    @property
    def apart(self) -> int:
        return 2 if self.layout and not self.inline else 1


class _Reader:
    def __init__(self) -> None:
        self._flow = Flow()
        self._elements: list[_Element] = []
        self._open: Counter[str] = Counter()  # how many of a name are open: end tags never search
        self._hidden = 0
        self._lists: list[int | None] = []  # next number; None for bullets
        self._tables: list[_Table] = []
        self._link: _Link | None = None
        self._pictures: list[tuple[int, str]] = []  # links without words: index and URL
        self._targets: set[str] = set()

    def text(self, text: str) -> None:
        if self._hidden:
            return
        if self._open["pre"]:
            self._flow.preformatted(text)
        else:
            self._flow.words(text)

    def start(self, tag: Tag) -> None:
        name = tag.name
        if name in _ENDS:
            self._end_implied(name)
        attributes = tag.attributes() if name in _TELLING or _MAY_HIDE.search(tag.rest) else {}
        hidden = name in _UNSHOWN or is_hidden(attributes)
        if name not in _VOID:
            self._elements.append(_Element(name, hidden, self._flow.indent))
            self._open[name] += 1
            self._hidden += hidden
        if not self._hidden and not hidden:
            self._enter(name, attributes)

    def end(self, name: str) -> None:
        if name == "br" and not self._hidden:
            self._flow.line_end()
        if self._open[name]:
            while self._leave() != name:
                pass

    def result(self) -> str:
        while self._elements:
            self._leave()
        self._drop_pictures()
        return self._flow.result()

    def _end_implied(self, name: str) -> None:
        if self._open["head"] and name not in ("html", "a"):
            self.end("head")
        while self._elements and self._elements[-1].name in _ENDS[name]:
            self._leave()

    def _enter(self, name: str, attributes: dict[str, str]) -> None:
        if name in _BLOCKS:
            self._apart(2 if name in _PARAGRAPHS else 1)
            self._mark_cell(name)
        match name:
            case "a":
                self._start_link(attributes)
            case "br":
                self._flow.line_end()
            case "hr":
                self._rule()
            case "img":
                self._image(attributes)
            case "ul":
                self._lists.append(None)
            case "ol":
                self._lists.append(_integer(attributes.get("start"), 1))
            case "li":
                self._item(attributes)
            case "table":
                self._start_table(attributes)
            case "tr" | "td" | "th":
                self._row_or_cell(name)

    def _leave(self) -> str:
        element = self._elements.pop()
        name = element.name
        self._open[name] -= 1
        self._hidden -= element.hidden
        if self._hidden or element.hidden:
            return name
        self._flow.indent = element.indent
        if element.link and element.link is self._link:
            self._end_link()
        elif name == "tr":
            self._end_row()
        elif name == "table":
            self._apart(1 if self._tables.pop().inline else 2)
        elif name in ("ul", "ol"):
            self._lists.pop()
        elif name == "li":
            self._flow.marker = ""
        if name in _BLOCKS:
            self._apart(2 if name in _PARAGRAPHS else 1)
        return name

    def _apart(self, line_ends: int) -> None:
        self._flow.apart(min(line_ends, 1) if self._lists else line_ends)  # lists stay tight

    def _rule(self) -> None:
        self._apart(2)
        self._flow.put("----")
        self._apart(2)

    def _image(self, attributes: dict[str, str]) -> None:
        if self._link:
            self._link.image = True
        self._flow.words(attributes.get("alt", ""))

    def _item(self, attributes: dict[str, str]) -> None:
        marker = "- "
        if self._lists and (number := self._lists[-1]) is not None:
            number = _integer(attributes.get("value"), number)
            self._lists[-1] = number + 1
            marker = f"{number}. "
        self._flow.marker = self._flow.indent + marker
        if len(self._flow.indent) < _MAX_INDENT:
            self._flow.indent += " " * len(marker)

    def _start_table(self, attributes: dict[str, str]) -> None:
        within_inline = bool(self._tables) and self._tables[-1].inline
        inline = within_inline or bool(_INLINE.search(attributes.get("style", "")))
        layout = attributes.get("role", "").lower() in ("presentation", "none")
        self._apart(1 if inline else 2)
        self._tables.append(_Table(layout, inline))

    def _row_or_cell(self, name: str) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        if name == "tr":
            table.row = []
        elif table.row is not None:
            table.row.append(_Cell(len(self._flow.pieces), self._flow.breaks))
            table.data = table.data or name == "th"
        self._apart(table.apart)

    def _mark_cell(self, name: str) -> None:
        """A block inside a cell: that cell may be there for the layout."""
        row = self._tables[-1].row if self._tables else None
        if row and name not in _CELLS:
            row[-1].blocks = True

    def _end_row(self) -> None:
        """Cells of one line each become one line, except columns of a layout."""
        if not self._tables or not self._tables[-1].row:
            return
        table, flow = self._tables[-1], self._flow
        ends = [*self._tables[-1].row, _Cell(len(flow.pieces), flow.breaks)]
        table.row = None
        full = [(cell, after) for cell, after in pairwise(ends) if after.first > cell.first]
        table.rows += bool(full)
        if full and all(self._is_one_line(cell, after, table) for cell, after in full):
            self._join(full, table)

    def _join(self, cells: list[tuple[_Cell, _Cell]], table: _Table) -> None:
        flow = self._flow
        for cell, after in cells:
            inside = range(0) if cell.blocks else range(cell.first + 2, after.first, 2)
            for at in inside:
                if "\n" in flow.pieces[at]:  # a <br> in a data cell
                    flow.rejoin(at, " ")
        for cell, _ in cells[1:]:
            flow.rejoin(cell.first, "  ")
        if table.rows > 1 and not table.layout and "\n\n" in flow.pieces[cells[0][0].first]:
            flow.rejoin(cells[0][0].first, "\n" + flow.indent)
        table.data = table.data or len(cells) > 1

    def _is_one_line(self, cell: _Cell, after: _Cell, table: _Table) -> bool:
        part = self._flow.pieces[cell.first]
        if part.strip() or (cell.blocks and table.layout):
            return False
        breaks_inside = after.breaks - cell.breaks - ("\n" in part)
        return not breaks_inside or (table.data and not table.layout and not cell.blocks)

    def _start_link(self, attributes: dict[str, str]) -> None:
        self._end_link()
        if _INLINE.search(attributes.get("style", "")):
            self._flow.space()
        self._link = _Link(_target(attributes.get("href", "")), len(self._flow.pieces))
        self._elements[-1].link = self._link

    def _end_link(self) -> None:
        link, self._link = self._link, None
        if link is None or not link.target:
            return
        pieces = self._flow.pieces
        text = "".join(pieces[link.first + 1 :])
        if not text and link.image:
            self._pictures.append((len(pieces), link.target))
            self._flow.put(link.target)
        elif text:
            self._targets.add(link.target)
            if _bare(text) == _bare(link.target):
                pieces[link.first + 1 :] = [link.target] + [""] * (len(pieces) - link.first - 2)
            elif link.target not in text:
                pieces[-1] += f" ({link.target})"

    def _drop_pictures(self) -> None:
        """Where the same link also has words, the URL of its picture says nothing new."""
        pieces = self._flow.pieces
        for at, target in self._pictures:
            if target not in self._targets:
                continue
            if at + 2 < len(pieces):
                pieces[at + 2] = max(pieces[at], pieces[at + 2], key=lambda part: part.count("\n"))
            pieces[at] = pieces[at + 1] = ""


def _target(href: str) -> str:
    """What to show of a link: its URL, the address of a mailto, or nothing."""
    href = visible(re.sub(r"[\t\n\r]", "", href)).strip()
    scheme = _SCHEME.match(href)
    name = scheme[1].lower() if scheme else ""
    if href.startswith("#") or name in _NO_TARGET:
        return ""
    if name in ("mailto", "tel", "sms"):
        return collapsed(unquote(href.partition(":")[2].partition("?")[0])).strip()
    return re.sub(r"\s", "%20", href)


def _bare(url: str) -> str:
    return _WEB.sub("", url, count=1).rstrip("/").casefold()


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else default
