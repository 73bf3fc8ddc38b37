"""Links and images, asked for over the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit, Severity
from vero_deliver.check.images import images
from vero_deliver.check.links import links, ways_out
from vero_deliver.check.network import Fetched
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail
from vero_deliver.check.urls import host_of, is_local

# answers that programs get and readers may not: to be looked at by somebody
_TO_PROGRAMS: Final = frozenset((401, 403, 405, 406, 429, 451, 999))
_CONSTRUCT: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HEAVY: Final = 1_000_000  # bytes of one picture


@rule("links/broken", "error", needs="online")
def broken_link(seen: Seen) -> Iterator[Hit]:
    """What a link opens is not there.

    Each is asked for once, redirects included, without cookies. What a link to unsubscribe opens
    is not asked for, since it would act; nor is the letter's own permalink, which is there once it
    was sent. An answer that only programs may get is info.
    """
    found = seen.network.fetch(url for mail in seen.emails for _, url in _asked(mail))
    for mail in seen.emails:
        for link, url in _asked(mail):
            if url in found:
                yield from _hits(mail, link, url, found[url])


@rule("images/broken", "error", needs="online")
def broken_image(seen: Seen) -> Iterator[Hit]:
    """A picture is not there, or is none.

    The reader sees a torn one. A page that says "not found" with status 200 is told by its
    content type.
    """
    found = seen.network.fetch(url for mail in seen.emails for _, url in images(mail))
    for mail in seen.emails:
        for image, url in images(mail):
            if url not in found:
                continue
            kind = found[url].content_type
            if found[url].status == 200 and kind and not kind.startswith("image/"):
                yield Hit(f"{_short(url)} is {kind}, no image", on=mail, at=image)
            else:
                yield from _hits(mail, image, url, found[url])


@rule("images/heavy", "warning", needs="online")
def heavy(seen: Seen) -> Iterator[Hit]:
    """A picture that is linked to is heavy.

    Phones load it over the air before anything is seen, and some give up. Most pictures of a
    letter fit into 200 kB.
    """
    found = seen.network.fetch(url for mail in seen.emails for _, url in images(mail))
    for mail in seen.emails:
        for image, url in images(mail):
            size = found[url].size if url in found else 0
            if size > _HEAVY:
                text = f"{_short(url)} has more than {_HEAVY // 1_000_000} MB"
                yield Hit(text, on=mail, at=image, detail=f"{size / 1_000_000:.1f} MB")


def _asked(mail: ShownEmail) -> Iterator[tuple[Element, str]]:
    links_of = mail.seen.project.settings.links
    own = [_filled(link) for link in (links_of.unsubscribe, links_of.permalink) if link]
    acting = ways_out(mail)
    for link, url in links(mail):
        if url not in acting and not any(each.fullmatch(url) for each in own):
            yield link, url


def _filled(template: str) -> re.Pattern[str]:
    """What a link's template gives for anybody."""
    return re.compile("[^/?#&]*".join(map(re.escape, _CONSTRUCT.split(template))))


def _hits(mail: ShownEmail, at: Element, url: str, found: Fetched) -> Iterator[Hit]:
    if is_local(host_of(url)) and not found.status:
        return  # links/local and images/missing tell
    if not found.status:
        yield Hit(f"{_short(url)} cannot be reached", on=mail, at=at, detail=found.trouble)
    elif found.status >= 400:
        severity: Severity | None = "info" if found.status in _TO_PROGRAMS else None
        text = f"{_short(url)} answers {found.status}"
        yield Hit(text, on=mail, at=at, severity=severity)
    elif url.lower().startswith("https:") and found.url.lower().startswith("http:"):
        text = f"{_short(url)} leads to http"
        yield Hit(text, on=mail, at=at, detail=_short(found.url), severity="warning")


def _short(url: str) -> str:
    """The host and path: what stands in a query differs by sample, and may be secret."""
    return url.partition("?")[0].partition("#")[0][:100]
