"""Pictures that travel with the email: every `cid:` that the HTML shows has its attachment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import unquote

from vero_deliver.message import Email, EmailVariant
from vero_deliver.plain import nearest, quoted
from vero_deliver.render.draft import Draft
from vero_deliver.rendered import File
from vero_deliver.source import Source

_CID = re.compile(r"""(?:=\s*["']|url\(\s*["']?)cid:([^"'()\s>]+)""", re.IGNORECASE)
# What only Outlook reads counts. Never backtracks: data in attributes may hold `<!--`.
_COMMENT = re.compile(r"<!--(?!\[if)(?:[^-]++|-(?!->))*+(?:-->)?")


def check_cids(
    draft: Draft, body: Email | EmailVariant, layout: str, html: str, files: Sequence[File]
) -> None:
    """Raise RenderError for a picture without an attachment; one that is not shown is fine."""
    known = sorted(file.cid for file in files if file.cid)
    for cid in cids_in(html):
        if cid not in known:
            has = nearest(cid, known) or (f"; there are {', '.join(known)}" if known else "")
            source = _written_in(draft, body, layout, cid)
            raise draft.wrong(source, "email", f"no attachment has the cid {quoted(cid)}{has}")


def cids_in(html: str) -> list[str]:
    """The attachments that it shows."""
    # RFC 2392 section 2: a cid URL is quoted as URLs are
    return [unquote(unescape(found)) for found in _CID.findall(_COMMENT.sub("", html))]


def _written_in(draft: Draft, body: Email | EmailVariant, layout: str, cid: str) -> str:
    """The line that shows the picture, as a Source of its own; else the body."""
    ending = "mjml" if body.mjml else "html"
    source = body.mjml or body.html
    file = f"{layout}.{ending}" if layout and "." not in layout else layout
    for text in draft.templates.written(source, file):
        before, found, _ = text.partition(f"cid:{cid}")
        if found and isinstance(text, Source):
            return Source(found, text.file, text.line + before.count("\n"))
    return source
