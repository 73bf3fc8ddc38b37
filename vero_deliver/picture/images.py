"""An email's own images, put where its HTML shows them."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from vero_deliver.picture.markup import Tag, rewritten
from vero_deliver.rendered import RenderedEmail

_CID = re.compile(r"cid:([^\"'\s)<>]+)", re.IGNORECASE)
_ATTRIBUTES = ("src", "background", "style", "poster")


def embedded(email: RenderedEmail) -> str:
    """The HTML with each `cid:` of an inline image as a data: URL, so that it stands alone."""
    images = {
        file.cid: f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
        for file in email.attachments
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
        return one.with_(changes).text if changes else one.text

    return rewritten(email.html, tag, shown) if images else email.html
