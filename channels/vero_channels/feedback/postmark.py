"""Postmark's webhooks: one JSON object per post; not signed.

Source: "Webhooks overview" and the pages of each webhook, postmarkapp.com/developer. Access is
basic authentication in the webhook's URL, or a custom header. Postmark repeats a post unless it
is told 200, or 403 to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Access, Answers, Post
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal

_KINDS: Final[dict[str, Kind]] = {
    "Delivery": "delivered",
    "Bounce": "bounced",
    "SpamComplaint": "complained",
    "SubscriptionChange": "unsubscribed",
    "Open": "opened",
    "Click": "clicked",
    "SMTPApiError": "failed",
}
# Type of a bounce or complaint, SuppressionReason of a change: kind, reason, permanent
_TYPES: Final[dict[str, tuple[Kind, Reason, bool | None]]] = {
    "HardBounce": ("bounced", "invalid", True),
    "Transient": ("deferred", "bounced", False),
    "Unsubscribe": ("unsubscribed", "", None),
    "Subscribe": ("resubscribed", "", None),
    "AutoResponder": ("autoresponded", "", None),
    "AddressChange": ("autoresponded", "", None),
    "DnsError": ("deferred", "timed_out", False),
    "SpamNotification": ("bounced", "spam", False),
    "OpenRelayTest": ("unknown", "", None),
    "Unknown": ("bounced", "other", None),
    "SoftBounce": ("bounced", "bounced", False),
    "VirusNotification": ("bounced", "other", False),
    "ChallengeVerification": ("autoresponded", "", None),
    "BadEmailAddress": ("rejected", "invalid", True),
    "SpamComplaint": ("complained", "spam", None),
    "ManuallyDeactivated": ("rejected", "blocked", None),
    "Unconfirmed": ("rejected", "other", None),
    "Blocked": ("rejected", "blocked", None),
    "SMTPApiError": ("failed", "other", None),
    "InboundError": ("failed", "other", None),
    "DMARCPolicy": ("rejected", "blocked", None),
    "TemplateRenderingFailed": ("failed", "other", None),
    "ManualSuppression": ("unsubscribed", "", None),
}
_MOMENTS: Final = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmark:
    """Reads the posts of one Postmark server."""

    access: Access
    name: str = "postmark"

    answers: ClassVar[Answers] = Answers(forged=401, stop=403)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.access.check(post, self.name)
        events = json.objects(json.decoded(post.body, self.name), self.name)
        return [self._feedback(event, post) for event in events]

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        record = json.text(event, "RecordType")
        kind, reason, permanent = _outcome(record, event)
        diagnostic = json.text(event, "Details", "Description")
        why = refusal(diagnostic)
        if kind in ("bounced", "deferred") and json.text(event, "Type") == "HardBounce":
            reason = why.reason if why.reason != "bounced" else reason
        who, metadata = json.arguments(json.inner(event, "Metadata"))
        agent = json.text(event, "UserAgent")
        at = next((name for name in _MOMENTS if json.text(event, name)), "")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=_id(record, event),
            at=json.moment(event, at, post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "MessageID"),
            recipient=json.text(event, "Email", "Recipient"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "OriginalLink"),
            user_agent=agent,
            ip=json.text(json.inner(event, "Geo"), "IP"),
            machine=json.machine_by_agent(agent),
            tags=json.texts(event, "Tag"),
            metadata=metadata,
            raw=event,
        )


def _outcome(record: str, event: dict[str, Any]) -> tuple[Kind, Reason, bool | None]:
    kind = _KINDS.get(record, "unknown")
    if record == "SubscriptionChange":
        if json.flag(event, "SuppressSending") is False:
            return "resubscribed", "", None
        # a bounce or a complaint that suppresses is told by its own webhook too
        return _TYPES.get(json.text(event, "SuppressionReason"), (kind, "", None))
    if record in ("Bounce", "SpamComplaint"):
        return _TYPES.get(json.text(event, "Type"), (kind, "other", None))
    return kind, "", None


def _id(record: str, event: dict[str, Any]) -> str:
    own = json.text(event, "ID")
    return f"{record}-{own}" if own else json.own_id(event)
