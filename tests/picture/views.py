"""Emails to look at, and what a reader reads of them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from vero_deliver.audience import samples
from vero_deliver.deliver import Deliverer
from vero_deliver.project import Project
from vero_deliver.rendered import RenderedEmail
from vero_deliver.testing import NOON

EXAMPLES: Final = Path(__file__).parents[2] / "examples"


def example_emails() -> dict[str, str]:
    """The HTML of every sample of every example, by message and sample."""
    project = Project.find(EXAMPLES)
    deliverer = Deliverer(project.renderer())
    found: dict[str, str] = {}
    for name in project.message_ids():
        message = project.message(name)
        for who in samples(project.folder(name), declared=message.data):
            for _, _, made in deliverer.render(
                message, who.user, data=who.data, event=who.event, who=who.label, now=NOON
            ):
                if isinstance(made, RenderedEmail):
                    found[f"{name}-{who.label}"] = made.html
    return found


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = ""
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("style", "script"):
            self.hidden = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden:
            self.hidden = ""

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.found.append(data)


def text_of(html: str) -> str:
    """The text of a document, without styles and scripts."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.found)
