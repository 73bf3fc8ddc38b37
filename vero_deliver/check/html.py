"""Markup that clients read differently, or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from vero_deliver.check.finding import Hit, Place
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail
from vero_deliver.render.marks import MARK
from vero_deliver.render.mjml_check import Fault, faults

# end tags that HTML lets an author leave out
_OPTIONAL: Final = frozenset(
    ("body", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "tbody", "td",
     "tfoot", "th", "thead", "tr")
)  # fmt: skip
_NUMBER: Final = re.compile(rf'{MARK}="(\d+)"')
_TAG: Final = re.compile(
    r"<!--.*?-->|<(?P<name>[a-z][^\s/>]*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^'\">])*)>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"\s([^\s=/\"'>]+)(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_CONDITIONAL: Final = re.compile(
    r"(?P<open><!--\[if\s[^\]]*\]>(?:\s*<!-->|\s*-->)?|<!\[if\s[^\]]*\]>)"
    r"|(?P<end>(?:<!--\s*)?<!\[endif\](?:--)?>)",
    re.IGNORECASE,
)
_QUIRKS: Final = re.compile(
    r"<!doctype\s+html\s+public\s+[\"']-//[^\"']*//dtd (?:html 3\.2|html 4\.0 transitional)",
    re.IGNORECASE,
)
_DOCTYPE: Final = re.compile(r"<!doctype\b[^>]*>", re.IGNORECASE)
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)


@rule("html/unclosed", "error")
def unclosed(seen: Seen) -> Iterator[Hit]:
    """An element is never closed.

    Each client guesses where it ends: a link runs on over the rest of the letter, a table swallows
    the footer. The browser that you look with repairs it, Outlook in another way.
    """
    for mail in seen.emails:
        for fault in faults(mail.written):
            if "never closed" in fault.words and fault.name.lower() not in _OPTIONAL:
                yield Hit(fault.words, on=mail, at=_place(mail, fault.at))


@rule("html/parse-error", "error")
def parse_error(seen: Seen) -> Iterator[Hit]:
    """The markup is no HTML.

    An end tag that closes nothing, a tag without its end, an attribute given twice: clients skip
    what they cannot read, and what follows with it.
    """
    for mail in seen.emails:
        for words, at in (*_misread(mail.written), *_doubled(mail.written)):
            yield Hit(words, on=mail, at=_place(mail, at))


@rule("html/dup-id", "warning")
def dup_id(seen: Seen) -> Iterator[Hit]:
    """Two elements have one id.

    A link to `#it` goes to the first, labels and styles to either.
    """
    for mail in seen.emails:
        named = [element for element in mail.page.all if element.get("id")]
        counted = Counter(element.get("id") for element in named)
        for element in named:
            name = element.get("id")
            if counted[name] > 1 and mail.origins.is_own(element):
                yield Hit(f"the id {name!r} is there more than once", on=mail, at=element)


@rule("html/doctype", "warning")
def doctype(seen: Seen) -> Iterator[Hit]:
    """The doctype makes clients guess.

    One of HTML 3.2 or 4.0 puts browsers in quirks mode, where boxes and table fonts have other
    sizes; one that does not come first counts for nothing. Write `<!doctype html>` at the very
    beginning.
    """
    for mail in seen.emails:
        html = mail.rendered.html
        if len(_DOCTYPE.findall(html)) > 1:
            yield Hit("something stands before the doctype", on=mail, at="body")
        elif _QUIRKS.search(html[:500]):
            yield Hit("the doctype asks for quirks mode", on=mail, at="body")


@rule("html/charset", "warning")
def charset(seen: Seen) -> Iterator[Hit]:
    """The document does not say that it is UTF-8.

    The mail says so, but a web version, a forwarded or a saved letter has only the document: "é"
    turns into "Ã©".
    """
    for mail in seen.emails:
        head = next(mail.page.find("head"), None)
        if head is None or not mail.rendered.html:
            continue
        said = [m.get("charset") or _CHARSET.sub(r"\1", m.get("content")) for m in head.find("meta")
                if "charset" in m.attributes or "charset" in m.get("content").lower()]  # fmt: skip
        hint = 'write <meta charset="utf-8"> first in <head>'
        if not said:
            yield Hit("there is no <meta charset>", on=mail, at="body", hint=hint)
        for name in said:
            if "utf-8" not in name.lower():
                text = f"the document says {name[-30:]!r}, and is UTF-8"
                yield Hit(text, on=mail, at="body", hint=hint, severity="error")


@rule("html/mso-comment-balance", "error")
def mso_comment_balance(seen: Seen) -> Iterator[Hit]:
    """A comment for Outlook is not closed, or closes nothing.

    `<!--[if mso]>` without its `<![endif]-->` hides all that follows, from Outlook or from
    everybody else.
    """
    for mail in seen.emails:
        opened: list[re.Match[str]] = []
        for found in _CONDITIONAL.finditer(mail.rendered.html):
            if found["open"]:
                opened.append(found)
            elif opened:
                opened.pop()
            else:
                yield Hit("<![endif] closes nothing", on=mail, at=_searched(mail, found[0]))
        for left in opened:
            text = f"{left[0][:40]} is never closed"
            yield Hit(text, on=mail, at=_searched(mail, left[0]))


def _misread(text: str) -> Iterator[tuple[str, int]]:
    for fault in faults(text):
        if fault.balance and "never closed" not in fault.words and not _is_implied(fault):
            yield fault.words, fault.at


def _is_implied(fault: Fault) -> bool:
    """`</p>` of a paragraph that a table inside of it has ended."""
    return fault.name.lower() in ("p", "br")


def _doubled(text: str) -> Iterator[tuple[str, int]]:
    for tag in _TAG.finditer(text):
        counted = Counter(a[1].lower() for a in _ATTRIBUTE.finditer(tag["rest"] or ""))
        for name, count in counted.items():
            if count > 1:
                yield f"<{tag['name']}> has {name} twice", tag.start()


def _place(mail: ShownEmail, at: int) -> Place | str:
    """Where the tag at that offset, or the last one before it, is written."""
    text, (_, marks) = mail.written, mail.seen.unmended
    here = _NUMBER.search(text, at, text.find(">", at) + 1 or len(text))
    if here and here.start() > at and "<" not in text[at + 1 : here.start()]:
        return Place(*marks.places[int(here[1])])
    before = list(_NUMBER.finditer(text, 0, at))
    if not before:
        return "body"
    file, line, _ = marks.places[int(before[-1][1])]
    return Place(file, line + text.count("\n", before[-1].start(), at), near=True)


def _searched(mail: ShownEmail, words: str) -> Place | str:
    for source in mail.seen.sources:
        at = source.find(words)
        if at >= 0:
            return Place(source.file, source.line + source.count("\n", 0, at))
    return "body"
