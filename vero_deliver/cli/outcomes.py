"""What became of deliveries: lines for people, JSON for programs, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from vero_deliver.delivery import Delivery, State
from vero_deliver.errors import Deferred, DeliveryError
from vero_deliver.rendered import ContentName, Rendered, RenderedEmail, Skipped
from vero_deliver.user import User

ADVICE: Final[dict[State, str]] = {
    "unrendered": "Nothing was sent to them: correct the template or the data.",
    "gone": "The address does not exist: stop sending to it.",
    "refused": "Final for this recipient: correct the address or the content; do not retry as is.",
    "deferred": "Not accepted: try again later; pass the same --key.",
    "misconfigured": "Nothing was sent: correct the channel's settings, then send again.",
    "uncertain": "It may have arrived: look for it before you send it again.",
}


def reached(user: User, content: ContentName) -> str:
    """The address or number it goes to, else the user's name."""
    where = {"email": user.email, "sms": user.phone}.get(content, "")
    return where or user.id or user.email or user.phone or "nobody"


def line(state: str, content: ContentName, to: str, detail: str) -> str:
    """One delivery in words."""
    return f"{state}: {content} to {to}: {detail}"


def summed(states: Iterable[str], left: int = 0) -> str:
    """`2 accepted, 1 skipped`, and how many people were not tried."""
    counts = [f"{count} {state}" for state, count in Counter(states).items()]
    counts += [f"{left} not tried"] if left else []
    return ", ".join(counts) or "Nobody to send to."


def foreseen(
    key: str, content: ContentName, user: User, outcome: Rendered | Skipped | Exception
) -> dict[str, Any]:
    """What would become of one delivery, as JSON has it."""
    row = {"key": key, "content": content, "to": reached(user, content)}
    match outcome:
        case Skipped(reason=reason):
            return {**row, "state": "skipped", "detail": reason, "bytes": 0}
        case Exception():
            return {**row, "state": "unrendered", "detail": str(outcome), "bytes": 0}
        case RenderedEmail():
            size = len(outcome.mime(key))
            return {**row, "state": "ready", "detail": f"{size:,} bytes ({key})", "bytes": size}
        case _:
            return {**row, "state": "ready", "detail": f"({key})", "bytes": 0}


def row(delivery: Delivery) -> dict[str, Any]:
    """One delivery as JSON has it."""
    outcome, receipt = delivery.outcome, delivery.receipt
    return {
        "key": delivery.key,
        "content": delivery.content,
        "to": reached(delivery.user, delivery.content),
        "state": delivery.state,
        "channel": receipt.channel if receipt else getattr(outcome, "channel", None),
        "provider_id": receipt.provider_id if receipt else None,
        "accepted_at": receipt.accepted_at.isoformat() if receipt else None,
        "code": outcome.code if isinstance(outcome, DeliveryError) else None,
        "retry_after": outcome.retry_after if isinstance(outcome, Deferred) else None,
        "detail": delivery.detail,
    }
