"""What stands behind each tab: the facts that its template draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made
from vero_deliver.studio.panes import checks, diff, email, links, push, requests, sent, sms, source

Pane = Callable[[Look, Made], Mapping[str, Any]]

PANES: Final[Mapping[str, Pane]] = {
    "email": email.email,
    "text": email.text,
    "source": source.source,
    "headers": source.headers,
    "push": push.push,
    "sms": sms.sms,
    "http": requests.requests,
    "links": links.links,
    "diff": diff.diff,
    "sheet": email.sheet,
}
# those that say something where there is nobody to make it for
ALWAYS: Final[Mapping[str, Callable[[Look], Mapping[str, Any]]]] = {
    "outbox": sent.sent,
    "checks": checks.checks,
}
