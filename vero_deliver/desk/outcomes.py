"""What became of a delivery, as the outbox files it, and when it is tried again."""

from __future__ import annotations

from typing import Any

from vero_deliver.channel import Channel, Receipt
from vero_deliver.delivery import Sent, Suppressed
from vero_deliver.desk.policy import Policy
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    RenderError,
    Uncertain,
)
from vero_deliver.outbox.records import Leased, Result, milliseconds
from vero_deliver.rendered import Skipped


def result_of(
    leased: Leased,
    outcome: Sent,
    now: int,
    policy: Policy,
    *,
    started_at: int | None = None,
    channel: Channel[Any] | None = None,
    digest: str = "",
    recipients: tuple[str, ...] = (),
) -> Result:
    """The result to file. started_at, channel, digest, recipients: where it was handed over."""
    about: dict[str, Any] = {
        "leased": leased,
        "ended_at": now,
        "started_at": started_at,
        "channel": channel.name if channel else leased.channel,
        "digest": digest,
        "recipients": recipients,
        "in_doubt": leased.in_doubt,
    }
    match outcome:
        case Receipt(channel=name, provider_id=provider_id):
            about |= {"channel": name, "in_doubt": False}
            return Result(state="accepted", provider_id=provider_id, **about)
        case Skipped(reason=reason):
            return Result(state="skipped", error=reason, **about)
        case Suppressed(reason=reason):
            return Result(state="suppressed", error=reason, **about)
        case RenderError():
            return Result(state="unrendered", error=str(outcome), **about)
        case _:
            about |= {"error": outcome.detail, "code": outcome.code}
    match outcome:
        case Gone(since=since):
            dead = None if since is None else milliseconds(since)
            return Result(state="gone", dead_since=dead, **about)
        case Refused():
            return Result(state="refused", **about)
        case Deferred() | Misconfigured():
            return _deferred(leased, outcome, now, policy, about)
        case Uncertain():
            about |= {"in_doubt": True, "answered": False}
            if channel and (channel.idempotent or policy.repeats(leased.kind)):
                return _deferred(leased, outcome, now, policy, about)
            return Result(state="uncertain", **about)
    raise TypeError(f"{type(outcome).__name__} does not say what happens next") from outcome


def _deferred(
    leased: Leased, error: DeliveryError, now: int, policy: Policy, about: dict[str, Any]
) -> Result:
    wait = policy.wait(leased.attempts + 1, getattr(error, "retry_after", None))
    again = now + int(wait * 1000)
    if again < leased.expires_at:
        return Result(state="deferred", next_attempt_at=again, **about)
    return Result(state="uncertain" if about["in_doubt"] else "expired", **about)
