"""Brevo's transactional webhooks: one JSON object, or an array where they are batched; not signed.

Source: "Transactional webhooks", "Batched webhooks", "Secured webhook calls" and "Retry
mechanism", developers.brevo.com. Access is basic, bearer or a custom header. Brevo discards a post
that is answered with 4xx or 5xx; only 429 makes it come again (10 min, 1 h, 2 h, 8 h).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Access, Answers, Post
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal

_KINDS: Final[dict[str, tuple[Kind, Reason, bool | None]]] = {
    "request": ("accepted", "", None),
    "sent": ("accepted", "", None),
    "delivered": ("delivered", "", None),
    "deferred": ("deferred", "", False),
    "hard_bounce": ("bounced", "", True),
    "soft_bounce": ("bounced", "", False),
    "invalid_email": ("bounced", "invalid", True),
    "blocked": ("rejected", "blocked", None),
    "error": ("failed", "other", None),
    "spam": ("complained", "spam", None),
    "complaint": ("complained", "spam", None),
    "unsubscribe": ("unsubscribed", "", None),
    "unsubscribed": ("unsubscribed", "", None),
    "list_addition": ("resubscribed", "", None),
    "opened": ("opened", "", None),
    "unique_opened": ("opened", "", None),
    "proxy_open": ("opened", "", None),
    "unique_proxy_open": ("opened", "", None),
    "click": ("clicked", "", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Brevo:
    """Reads the posts of one Brevo account."""

    access: Access
    name: str = "brevo"

    answers: ClassVar[Answers] = Answers(forged=401, again=429)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.access.check(post, self.name)
        events = json.objects(json.decoded(post.body, self.name), self.name)
        return [self._feedback(event, post) for event in events]

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        told = json.text(event, "event")
        kind, reason, permanent = _KINDS.get(told, ("unknown", "", None))
        diagnostic = json.text(event, "reason")
        why = refusal(diagnostic)
        if kind in ("bounced", "deferred"):
            reason = reason or why.reason
        who, metadata = json.arguments(json.within(event.get("X-Mailin-custom"), self.name))
        agent = json.text(event, "user_agent")
        return Feedback(
            kind=kind,
            channel=self.name,
            # "id" is the webhook's; there is none of the event
            id=json.own_id(event),
            at=json.moment(event, "ts_epoch", post, unit=0.001),  # the others have no known zone
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "message-id"),
            recipient=json.text(event, "email"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "link"),
            user_agent=agent,
            ip=json.text(event, "ip") if kind in ("opened", "clicked") else "",
            machine=True if "proxy_open" in told else json.machine_by_agent(agent),
            tags=json.texts(event, "tags", "tag"),
            metadata=metadata,
            raw=event,
        )
