"""What is looked at of an email: its HTML as a client sees it, its own images in place."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import unquote

from vero_deliver.picture.dark import forced_dark
from vero_deliver.picture.gmail import gmail
from vero_deliver.picture.markup import Tag, rewritten
from vero_deliver.rendered import File, RenderedEmail

_CID: Final = re.compile(r"cid:([^\"'\s)<>]+)", re.IGNORECASE)
_ATTRIBUTES: Final = ("src", "background", "style", "poster")


VIEWS: Final[Mapping[str, Callable[[str], str]]] = {
    "sent": str,
    "gmail": gmail,
    "forced-dark": forced_dark,
}


def seen(email: RenderedEmail, view: str = "sent") -> str:
    """The HTML that one of the VIEWS shows, complete in itself; of an email of text, that text."""
    return embedded(VIEWS[view](email.html or of_text(email.text)), email.attachments)


def of_text(text: str) -> str:
    """A document of plain text."""
    style = "margin:16px;font:14px/1.5 sans-serif;white-space:pre-wrap;overflow-wrap:break-word"
    return f'<!doctype html><body style="{style}">{escape(text)}</body>'


def embedded(html: str, files: Sequence[File]) -> str:
    """The HTML with each `cid:` of an inline image as a data: URL."""
    images = {
        file.cid: f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
        for file in files
        if file.cid
    }

    def shown(text: str) -> str:
        return _CID.sub(lambda found: images.get(unquote(found[1]), found[0]), text)

    def tag(one: Tag) -> str:
        given = {} if one.is_end else one.attributes
        changes: dict[str, str | None] = {
            name: shown(given[name])
            for name in _ATTRIBUTES
            if "cid:" in given.get(name, "").lower()
        }
        return one.with_(changes) if changes else one.text

    return rewritten(html, tag, shown) if images else html
