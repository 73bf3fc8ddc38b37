"""An email's HTML with our links in the place of its own, and the pixel that tells of opens."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape
from typing import Final

from vero_deliver.render.links import rewrite
from vero_deliver.tracking import Tracking

_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)
_PIXEL: Final = (
    '<img src="{}" width="1" height="1" alt="" '
    'style="display:block;width:1px;height:1px;border:0" />'
)


def with_links(html: str, tracking: Tracking, key: str, own: Collection[str]) -> str:
    """The HTML with tracked links. own: URLs that stay, such as the one to unsubscribe.

    What is no http(s) link stays, and what stands in a tag with data-vero-track="off".
    """

    def tracked(url: str) -> str:
        if url.strip() in own or url.strip().startswith(f"{tracking.url}/"):
            return url
        try:
            return tracking.click(key, tracking.with_utm(url.strip()))
        except ValueError:
            return url

    return rewrite(html, tracked)


def with_pixel(html: str, tracking: Tracking, key: str) -> str:
    """The HTML with the pixel at its end."""
    pixel = _PIXEL.format(escape(tracking.open(key)))
    ends = [*_END.finditer(html)]
    at = ends[-1].start() if ends else len(html)
    return html[:at] + pixel + html[at:]
