"""Links of emails, and what a reader finds behind them."""

from __future__ import annotations

from collections.abc import Iterator

from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen


@rule("links/https", "warning")
def https(seen: Seen) -> Iterator[Hit]:
    """A link is http.

    Whoever sits between the reader and the site can read and change what an http link opens, mail
    clients warn of it, and a redirect to https costs every reader a round trip.
    """
    for mail in seen.emails:
        for link in mail.page.find("a", "area"):
            url = link.get("href").strip()
            if url.lower().startswith("http:"):
                yield Hit("the link is http", on=mail, at=link, detail=url, hint="write https")
