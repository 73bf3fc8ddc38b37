"""What the MJML engine does not say: which element is misspelt, misplaced or never closed.

It passes unknown elements through as they stand, and its errors name no line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vero_deliver.plain import nearest
from vero_deliver.source import Source

# elements whose inside is HTML or text
_CONTENT = frozenset(
    ("mj-accordion-text", "mj-accordion-title", "mj-button", "mj-navbar-link", "mj-preview",
     "mj-raw", "mj-social-element", "mj-style", "mj-table", "mj-text", "mj-title")
)  # fmt: skip
_KNOWN = _CONTENT | frozenset(
    ("mj-accordion", "mj-accordion-element", "mj-all", "mj-attributes", "mj-body", "mj-breakpoint",
     "mj-carousel", "mj-carousel-image", "mj-class", "mj-column", "mj-divider", "mj-font",
     "mj-group", "mj-head", "mj-hero", "mj-image", "mj-navbar", "mj-section", "mj-social",
     "mj-spacer", "mj-wrapper", "mjml")
)  # fmt: skip
_REFUSED = {
    # it would read any file
    "mj-include": "mj-include is not read; write {% include '_partials/x.mjml' %}",
    "mj-html-attributes": "mj-html-attributes is not supported; write the attribute in mj-raw",
}
_HEAD = frozenset(
    ("mj-attributes", "mj-breakpoint", "mj-font", "mj-preview", "mj-style", "mj-title")
)
_BODY = frozenset(("mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"))
_STRUCTURE = _KNOWN - _CONTENT
_TEXT = frozenset(("mj-style", "style", "script"))  # what stands in them is no markup
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
     "track", "wbr")
)  # fmt: skip
# the quick branch first; the last one is a tag that the engine cannot read either
_TAG = re.compile(
    r"<!--(?:[^-]++|-(?!->))*+(?P<over>-->)?"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:_-]*+)"
    r"(?:(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*+)>)?",
    re.DOTALL,
)
_CONSTRUCT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_OPEN_QUOTE = re.compile(
    r"<[A-Za-z][^<>'\"]*+(?:\"[^\"<]*+\"[^<>'\"]*+|'[^'<]*+'[^<>'\"]*+)*+[\"']"
)


class MarkupError(ValueError):
    """The markup cannot be compiled; fault: where that is known."""

    def __init__(self, detail: str, fault: Fault | None = None) -> None:
        super().__init__(detail)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document's elements.

    words: the same in the rendered text and in the template it comes from. name: the element's.
    at: where it begins, -1 where unknown.
    balance: whether tags do not pair; the engine judges that, and is the stricter.
    """

    words: str
    name: str
    at: int
    balance: bool = False


def misplaced(mjml: str) -> Fault | None:
    """The first element that the engine lets through as it stands, or would read a file for."""
    if "<mj-include" in mjml:  # in comments too
        return Fault(_REFUSED["mj-include"], "mj-include", -1)
    if "<mj-body" not in mjml:
        return Fault("there is no <mj-body>", "mjml", -1)
    return next((fault for fault in faults(mjml) if not fault.balance), None)


def unbalanced(mjml: str) -> Fault | None:
    """Why the engine refuses a document: an element or a quote that is not closed."""
    return next(faults(mjml), None)


def locate(fault: Fault, sources: Iterable[str]) -> tuple[str, int] | None:
    """The author's text and its line that the fault comes from; None where no text shows it."""
    plain = [(source, _without_constructs(source)) for source in sources]
    for source, text in plain:
        for own in faults(text):
            if own.words == fault.words:
                return source, _line(text, own.at)
    for source, text in plain:
        tag = re.search(rf"<{re.escape(fault.name)}(?![\w:-])", text)
        if tag and not fault.balance:
            return source, _line(text, tag.start())
    return None


def faults(mjml: str) -> Iterator[Fault]:
    """All of them, in order; of a part that fills a layout too, whose parents are unknown."""
    opened: list[tuple[str, int]] = []
    for match in _TAG.finditer(mjml):
        name, inside = match["name"], opened[-1][0] if opened else ""
        if not name and not match["over"]:
            yield Fault("a comment is never closed", "!--", match.start(), balance=True)
        elif not name or (inside in _TEXT and not (match["end"] and name == inside)):
            pass  # a comment, or CSS
        elif match["rest"] is None:
            yield _unfinished(mjml, match)
        elif match["end"]:
            yield from _close(match, opened)
        else:
            wrong = _opening(name, inside)
            if wrong:
                yield Fault(wrong, name, match.start())
            if not match["rest"].endswith("/") and name.lower() not in _VOID:
                opened.append((name, match.start()))
    for name, at in reversed(opened):
        yield _never_closed(name, at)


def _close(match: re.Match[str], opened: list[tuple[str, int]]) -> Iterator[Fault]:
    """Takes the element off `opened`, and what was left open inside of it."""
    name = match["name"].lower()
    if not opened or (opened[-1][0] != name and all(other.lower() != name for other, _ in opened)):
        words = f"</{match['name']}> closes nothing"
        yield Fault(words, match["name"], match.start(), balance=True)
        return
    while opened:
        inner, at = opened.pop()
        if inner.lower() == name:
            return
        yield _never_closed(inner, at)


def _never_closed(name: str, at: int) -> Fault:
    return Fault(f"<{name}> is never closed", name, at, balance=True)


def _unfinished(mjml: str, match: re.Match[str]) -> Fault:
    name, at = match["name"], match.start()
    if _OPEN_QUOTE.match(mjml, at):
        return Fault(f"a quote in <{name}> is never closed", name, at, balance=True)
    return Fault(f"<{match['end']}{name} lacks its >", name, at, balance=True)


def _opening(name: str, inside: str) -> str:
    if name in _REFUSED:
        return _REFUSED[name]
    is_mjml = name.lower().startswith("mj")
    if is_mjml and name not in _KNOWN:
        return f"there is no <{name}> in MJML{nearest(name.lower(), _KNOWN | set(_REFUSED))}"
    if is_mjml and inside == "mj-head" and name not in _HEAD and name != "mj-raw":
        return f"<{name}> stands in <mj-head>; it belongs into <mj-body>"
    if name in _HEAD and inside in _BODY and name != "mj-style":
        return f"<{name}> stands in <{inside}>; it belongs into <mj-head>"
    if is_mjml and inside and (inside in _CONTENT or not inside.startswith("mj")):
        return f"<{name}> stands in <{inside}>, where MJML is not compiled"
    if not is_mjml and inside in _STRUCTURE:
        return f"<{name}> stands in <{inside}>; HTML goes inside mj-text, mj-table or mj-raw"
    return ""


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _without_constructs(source: str) -> str:
    """The template's text with Jinja taken out; lines stay where they are."""
    return _CONSTRUCT.sub(lambda match: "\n" * match[0].count("\n") or " ", source)


def plain_source(source: str) -> str:
    """A template without Jinja and without comments; a Source stays one."""
    text = re.sub(
        r"<!--.*?-->",
        lambda m: "\n" * m[0].count("\n"),
        _without_constructs(source),
        flags=re.DOTALL,
    )
    return Source(text, source.file, source.line) if isinstance(source, Source) else text
