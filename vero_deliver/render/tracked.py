"""An email's HTML with our links in the place of its own, and the pixel that tells of opens."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape, unescape
from typing import Final

from vero_deliver.tracking import Tracking

# comments as a whole: links for Outlook's own engine stay as they are; and what holds no tags
_TAG: Final = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(style|script|title|textarea)(?=[\s/>]).*?(?:</\1\s*>|\Z)"""
    r"""|<(?:a|area)(?=[\s/])(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>""",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"""([^\s"'<>/=]+)(?:(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.IGNORECASE
)
_OFF: Final = re.compile(r"""\bdata-vero-track\s*=\s*["']?off\b""", re.IGNORECASE)
_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)
_PIXEL: Final = (
    '<img src="{}" width="1" height="1" alt="" '
    'style="display:block;width:1px;height:1px;border:0" />'
)


def with_links(html: str, tracking: Tracking, key: str, own: Collection[str]) -> str:
    """The HTML with tracked links. own: URLs that stay, such as the one to unsubscribe.

    What is no http(s) link stays, and what stands in a tag with data-vero-track="off".
    """

    def replaced(tag: re.Match[str]) -> str:
        attributes = tag["attributes"]
        if attributes is None or _OFF.search(attributes):
            return tag[0]
        for found in _ATTRIBUTE.finditer(attributes):
            if found[1].lower() == "href":
                link = _tracked(found, tracking, key, own)
                start = tag.start("attributes") - tag.start()
                before, after = tag[0][: start + found.start()], tag[0][start + found.end() :]
                return before + link + after
        return tag[0]

    return _TAG.sub(replaced, html)


def with_pixel(html: str, tracking: Tracking, key: str) -> str:
    """The HTML with the pixel at its end."""
    pixel = _PIXEL.format(escape(tracking.open(key)))
    ends = [*_END.finditer(html)]
    at = ends[-1].start() if ends else len(html)
    return html[:at] + pixel + html[at:]


def _tracked(found: re.Match[str], tracking: Tracking, key: str, own: Collection[str]) -> str:
    url = unescape(next((text for text in found.groups()[2:] if text is not None), "")).strip()
    if url in own:
        return found[0]
    try:
        link = tracking.click(key, tracking.with_utm(url))
    except ValueError:
        return found[0]
    return f'{found[1]}{found[2]}"{escape(link)}"'
