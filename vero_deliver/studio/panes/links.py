"""Every address that a recipient can follow, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from vero_deliver.rendered import RenderedEmail, RenderedHttp, RenderedPush, RenderedSms
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made

_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Link:
    """One address. where: "Email", "Text part", "Push"; text: what people see of it."""

    where: str
    text: str
    url: str

    @property
    def host(self) -> str:
        """The host; of another kind of address, its scheme."""
        try:
            found = urlsplit(self.url)
        except ValueError:
            return ""
        return found.hostname or found.scheme

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters, decoded."""
        try:
            return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)[:20]
        except ValueError:
            return []

    @property
    def opens(self) -> bool:
        """Whether the studio offers to follow it: nothing but the web."""
        return self.url.startswith(("https://", "http://"))


def links(look: Look, made: Made) -> Mapping[str, Any]:
    """The links of every content, grouped by where they stand."""
    del look
    found: dict[str, list[Link]] = {}
    for link in _links(made):
        found.setdefault(link.where, []).append(link)
    return {"groups": found}


def _links(made: Made) -> Iterator[Link]:
    pushed = False
    for item in made.items:
        match item.outcome:
            case RenderedEmail() as email:
                yield from anchors(email.html)
                yield from _of_text("Text part", email.text)
                yield from _of_headers(email.headers)
            case RenderedPush() as push if not pushed:
                pushed = True  # each device has the same
                if push.link:
                    yield Link("Push", push.title, push.link)
                for action in push.actions:
                    if action.link:
                        yield Link("Push", action.title, action.link)
            case RenderedSms() as sms:
                yield from _of_text("SMS", sms.body)
            case RenderedHttp() as http:
                yield Link("HTTP", http.method, http.url)
            case _:
                pass


def anchors(html: str) -> Iterator[Link]:
    """The links of an HTML part, in order."""
    reader = _Anchors()
    reader.feed(html)
    reader.close()
    yield from reader.found


def _of_text(where: str, text: str) -> Iterator[Link]:
    for found in _IN_TEXT.finditer(text):
        yield Link(where, "", found[0])


def _of_headers(fields: Mapping[str, str]) -> Iterator[Link]:
    for name, value in fields.items():
        for found in re.finditer(r"<((?:https?|mailto):[^>]+)>", value):
            yield Link("Header fields", name, found[1])


class _Anchors(HTMLParser):
    """Collects `<a href>` and `<area href>` with what they hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Link] = []
        self._url = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and self._url:
            self._text.append(f" [{given.get('alt') or 'image'}] ")
        if tag in ("a", "area") and "href" in given:
            self._end()
            self._url = given["href"].strip() or "#"
            if tag == "area":
                self._text = [given.get("alt", "")]
                self._end()

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end()

    def handle_data(self, data: str) -> None:
        if self._url:
            self._text.append(data)

    def _end(self) -> None:
        if self._url:
            text = " ".join("".join(self._text).split())
            self.found.append(Link("Email", text[:200], self._url))
        self._url, self._text = "", []
