"""Bird's webhooks of text messages: one JSON object, signed by Standard Webhooks.

Source: "Webhooks" and the events of the API reference, bird.com/docs, and its SDK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import standard_webhooks
from vero_channels.transport import webhook_json as json
from vero_channels.transport.sms_feedback import (
    BLOCKED,
    INVALID,
    OURS,
    SPAM,
    STOPPED,
    UNREACHABLE,
    Fate,
    answered,
    number,
)
from vero_channels.transport.webhooks import Answers, Post
from vero_deliver.errors import NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Fate]] = {
    "sms.accepted": Fate("accepted", ""),
    "sms.sent": Fate("sent", ""),
    "sms.delivered": Fate("delivered", ""),
    "sms.undelivered": Fate("bounced", "bounced"),
    "sms.failed": Fate("failed", "other"),
    "sms.rejected": Fate("rejected", "other"),
    "sms.expired": UNREACHABLE,
}
_CODES: Final[dict[str, Fate]] = {
    "invalid_destination": INVALID,
    "landline_unreachable": INVALID,
    "unreachable": UNREACHABLE,
    "blocked_by_carrier": BLOCKED,
    "blocked_by_fraud_protection": BLOCKED,
    "blocked_by_recipient": BLOCKED,
    "content_rejected": SPAM,
    "sender_unregistered": OURS,
    "insufficient_balance": OURS,
    "provider_unavailable": OURS,
    "recipient_opted_out": STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bird:
    """Reads the posts of one Bird workspace.

    signing_secrets: "whsec_..." of the webhook; the old and the new one after a rotation.
    tolerance: seconds between the signature and now, either way.
    """

    signing_secrets: Sequence[Secret]
    name: str = "bird"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        standard_webhooks.need_signing_secrets(self.signing_secrets)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        id_ = standard_webhooks.check(post, self.signing_secrets, self.tolerance, self.name)
        event = json.decoded(post.body, self.name)
        if not isinstance(event, dict):
            raise NotUnderstood("it is no object", channel=self.name)
        return [self._feedback(event, id_, post)]

    def _feedback(self, event: dict[str, Any], id_: str, post: Post) -> Feedback:
        told, data = json.text(event, "type"), json.inner(event, "data")
        at = json.moment(event, "timestamp", post)
        if told == "sms.received":
            text, sender = json.text(data, "text", "body"), number(json.text(data, "from"))
            return Feedback(
                kind=answered(text), channel=self.name, id=id_, at=at, recipient=sender,
                text=text, raw=event,
            )  # fmt: skip
        fate = _KINDS.get(told, Fate("unknown", ""))
        error = json.inner(data, "error")
        code = json.text(data, "error_code") or json.text(error, "code")
        if fate.reason:
            fate = _CODES.get(code, fate)
        who, metadata = json.arguments(json.inner(data, "metadata"))
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=id_,
            at=at,
            key=who.key,
            digest=who.digest,
            provider_id=json.text(data, "sms_id"),
            recipient=number(json.text(data, "to")),
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=" ".join(filter(None, (code, json.text(error, "message", "description")))),
            metadata=metadata,
            raw=event,
        )
