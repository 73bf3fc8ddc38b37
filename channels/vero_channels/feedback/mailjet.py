"""Mailjet's Event API: an array, or one object unless "group events" is on; not signed.

Source: "Webhooks" and its error list, dev.mailjet.com. Access is what stands in the webhook's
URL: https://user:password@example.com/mailjet. Mailjet repeats a post for 24 hours and then
suspends the URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Access, Answers, Post
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal

_KINDS: Final[dict[str, Kind]] = {
    "sent": "delivered",  # Mailjet's word for: the recipient's server took it
    "bounce": "bounced",
    "blocked": "rejected",
    "spam": "complained",
    "unsub": "unsubscribed",
    "open": "opened",
    "click": "clicked",
}
_REASONS: Final[dict[str, Reason]] = {
    "user unknown": "invalid",
    "mailbox inactive": "invalid",
    "quota exceeded": "bounced",
    "blacklisted": "blocked",
    "spam reporter": "spam",
    "invalid domain": "invalid",
    "no mail host": "invalid",
    "relay/access denied": "blocked",
    "greylisted": "other",
    "typofix": "invalid",
    "bad or empty template": "other",
    "error in template language": "other",
    "sender blocked": "blocked",
    "content blocked": "spam",
    "policy issue": "blocked",
    "system issue": "other",
    "protocol issue": "other",
    "connection issue": "timed_out",
    "preblocked": "blocked",
    "duplicate in campaign": "other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailjet:
    """Reads the posts of one Mailjet account."""

    access: Access
    name: str = "mailjet"

    answers: ClassVar[Answers] = Answers(forged=401)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.access.check(post, self.name)
        events = json.objects(json.decoded(post.body, self.name), self.name)
        return [self._feedback(event, post) for event in events]

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        kind = _KINDS.get(json.text(event, "event"), "unknown")
        error = json.text(event, "error")
        hard = json.flag(event, "hard_bounce")
        diagnostic = json.text(event, "comment", "smtp_reply") or error
        why = refusal(diagnostic)
        reason: Reason = _REASONS.get(error, "other") if error else ""
        permanent: bool | None = None
        if error == "greylisted" and not hard:
            kind, reason, permanent = "deferred", "other", False  # "Delivery will be re-attempted"
        elif kind == "bounced":
            permanent = hard
            reason = reason or why.reason
        elif kind == "complained":
            reason = "spam"
        payload = json.within(event.get("Payload"), self.name)
        who, metadata = json.arguments(payload, json.text(event, "CustomID"))
        agent = json.text(event, "agent")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=json.own_id(event),
            at=json.moment(event, "time", post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "MessageID"),
            recipient=json.text(event, "email"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "url"),
            user_agent=agent,
            ip=json.text(event, "ip"),
            machine=json.machine_by_agent(agent),
            tags=json.texts(event, "customcampaign"),
            metadata=metadata,
            raw=event,
        )
