"""What an implementation made is read back before it is timed."""

from __future__ import annotations

import email
import email.policy
from html.parser import HTMLParser
from typing import Any

import dkim

from benchmarks.render.case import Case
from benchmarks.render.keys import RECORDS
from benchmarks.render.receipt import Order, dollars


class _Page(HTMLParser):
    """The text that a reader of the page sees, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: set[str] = set()
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "title"):
            self._hidden = tag
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.links.add(href)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.split()


def page(html: str) -> tuple[str, set[str]]:
    """The visible text, its words one space apart, and the links."""
    found = _Page()
    found.feed(html)
    found.close()
    return " ".join(found.words), found.links


def check(case: Case, order: Order) -> None:
    """Raises AssertionError that says what is missing."""
    if case.gives == "nothing":
        return
    made = case.run(case.prepare(order))
    if isinstance(made, str):
        _check_html(made, order, case.name)
        return
    assert isinstance(made, bytes)
    html, text = read_parts(made)
    _check_html(html, order, case.name)
    _require(" ".join(text.split()), phrases(order.context), f"{case.name}: text part")
    if case.gives == "signed":
        valid = dkim.verify(made, dnsfunc=lambda record, **_: RECORDS.get(record))
        assert valid, f"{case.name}: the signature does not verify"


def _check_html(html: str, order: Order, name: str) -> None:
    visible, links = page(html)
    _require(visible, phrases(order.context), f"{name}: HTML")
    lacking = urls(order.context) - links
    assert not lacking, f"{name}: no link to {min(lacking)}"


def phrases(context: Any) -> list[str]:
    """What has to be read in every rendering, in this order."""
    order = context["order"]
    found = [context["user"]["name"], order["id"], order["date"]]
    for line in order["lines"]:
        found.append(line["name"])
        found.append(dollars(line["quantity"] * line["price"]))
    return [*found, dollars(order["total"]), context["shop"]["name"], context["shop"]["address"]]


def urls(context: Any) -> set[str]:
    """Where the links of every HTML lead."""
    order = context["order"]
    return {order["url"], context["unsubscribe_url"], *(line["url"] for line in order["lines"])}


def _require(text: str, wanted: list[str], name: str) -> None:
    at = 0
    for phrase in wanted:
        found = text.find(phrase, at)
        assert found >= 0, f"{name}: {phrase!r} is missing, or not in its place"
        at = found


def read_parts(raw: bytes) -> tuple[str, str]:
    """HTML and text part of a message."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    return html.get_content(), text.get_content()
