"""Resend's webhooks: one JSON object, signed by Svix over id, timestamp and raw body.

Source: resend.yaml, "webhooks", of resend/resend-openapi, and "Verifying payloads", docs.svix.com.
An event of an email to several people does not say whom it is about; send to one per call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, ClassVar, Final

from vero_channels.transport import standard_webhooks
from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Answers, Post
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Kind]] = {
    "email.scheduled": "accepted",
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.delivery_delayed": "deferred",
    "email.bounced": "bounced",
    "email.suppressed": "rejected",
    "email.failed": "failed",
    "email.complained": "complained",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
_DETAILS: Final = ("bounce", "suppressed", "failed")
_PERMANENT: Final[dict[str, bool | None]] = {"permanent": True, "transient": False}
_REASONS: Final[dict[Kind, Reason]] = {
    "complained": "spam",
    "failed": "other",
    "rejected": "blocked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Reads the posts of one Resend account.

    signing_secrets: "whsec_..." of the webhook; the old and the new one after a rotation.
    tolerance: seconds between the signature and now, either way.
    """

    signing_secrets: Sequence[Secret]
    name: str = "resend"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        standard_webhooks.need_signing_secrets(self.signing_secrets)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.verify(post)
        events = json.objects(json.decoded(post.body, self.name), self.name)
        return [self._feedback(event, post) for event in events]

    def verify(self, post: Post) -> None:
        """Raises NotAuthentic unless one of the secrets has signed id, timestamp and raw body."""
        standard_webhooks.check(post, self.signing_secrets, self.tolerance, self.name, "svix")

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        kind = _KINDS.get(json.text(event, "type"), "unknown")
        data = json.inner(event, "data")
        detail = next(filter(None, (json.inner(data, name) for name in _DETAILS)), {})
        link = json.inner(data, "click")
        opened = json.inner(data, "open")
        answers = json.texts(detail, "diagnosticCode")  # one for each recipient
        diagnostic = answers[0] if answers else json.text(detail, "message", "reason")
        why = refusal(diagnostic)
        reason, permanent = _REASONS.get(kind, ""), None
        if kind in ("bounced", "deferred"):
            reason = why.reason
            permanent = False if kind == "deferred" else _permanent(detail)
        who, metadata = json.arguments(_tags(data))
        agent = json.text(link, "userAgent") or json.text(opened, "userAgent")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=post.headers["svix-id"],  # the same when it is repeated
            at=json.moment(event, "created_at", post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(data, "email_id"),
            recipient=parseaddr(next(iter(json.texts(data, "to")), ""))[1],
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(link, "link"),
            user_agent=agent,
            ip=json.text(link, "ipAddress") or json.text(opened, "ipAddress"),
            machine=json.machine_by_agent(agent),
            metadata=metadata,
            raw=event,
        )


def _permanent(detail: dict[str, Any]) -> bool | None:
    return _PERMANENT.get(json.text(detail, "type").lower())


def _tags(data: dict[str, Any]) -> dict[str, Any]:
    return json.inner(data, "tags") or json.named_values(data, "tags")
