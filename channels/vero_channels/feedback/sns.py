"""Text messages of an AWS account, told through SNS topics: what people answer, and reports.

Source: "Two-way SMS messaging" and "Event types", AWS End User Messaging SMS User Guide. Reports
come from the event destination of a configuration set; SNS's own Publish has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vero_channels.transport import sns
from vero_channels.transport import webhook_json as json
from vero_channels.transport.sms_feedback import (
    BLOCKED,
    INVALID,
    SPAM,
    UNREACHABLE,
    Fate,
    answered,
    number,
)
from vero_channels.transport.webhooks import Post
from vero_deliver.feedback import Feedback

_KINDS: Final[dict[str, Fate]] = {
    "TEXT_QUEUED": Fate("accepted", ""),
    "TEXT_PENDING": Fate("sent", ""),
    "TEXT_SENT": Fate("sent", ""),
    "TEXT_SUCCESSFUL": Fate("sent", ""),  # the carrier has it
    "TEXT_DELIVERED": Fate("delivered", ""),
    "TEXT_INVALID": INVALID,
    "TEXT_INVALID_MESSAGE": Fate("bounced", "other", False),
    "TEXT_UNREACHABLE": UNREACHABLE,
    "TEXT_CARRIER_UNREACHABLE": UNREACHABLE,
    "TEXT_TTL_EXPIRED": UNREACHABLE,
    "TEXT_BLOCKED": BLOCKED,
    "TEXT_CARRIER_BLOCKED": BLOCKED,
    "TEXT_PROTECT_BLOCKED": Fate("rejected", "blocked"),
    "TEXT_SPAM": SPAM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sns(sns.TopicReader):
    """Reads the posts of the SNS topics of numbers and event destinations.

    topics: the ARNs of these topics; anybody may make a topic that SNS signs.
    fetch: gets a certificate, given its URL at AWS; the default asks there, once per certificate.
    """

    name: str = "sns"

    def feedback(
        self, event: dict[str, Any], envelope: Mapping[str, Any], post: Post
    ) -> list[Feedback]:
        """An answer has messageBody; a report has eventType."""
        if "messageBody" in event:
            return [self._inbound(event, envelope, post)]
        told = json.text(event, "eventType")
        fate = _KINDS.get(told, Fate("unknown", ""))
        who, metadata = json.arguments(json.inner(event, "context"))
        words = json.text(event, "messageStatusDescription") if fate.reason else ""
        found = Feedback(
            kind=fate.kind,
            channel=self.name,
            id=json.text(envelope, "MessageId"),
            at=json.moment(event, "eventTimestamp", post, unit=0.001),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "messageId"),
            recipient=number(json.text(event, "destinationPhoneNumber")),
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=words,
            metadata=metadata,
            raw=event,
        )
        return [found]

    def _inbound(self, event: dict[str, Any], envelope: Mapping[str, Any], post: Post) -> Feedback:
        text = json.text(event, "messageBody")
        return Feedback(
            kind=answered(text),
            channel=self.name,
            id=json.text(event, "inboundMessageId") or json.text(envelope, "MessageId"),
            at=json.moment(envelope, "Timestamp", post),
            # of what was answered, where AWS knows it
            provider_id=json.text(event, "previousPublishedMessageId"),
            recipient=number(json.text(event, "originationNumber")),
            text=text,
            raw=event,
        )
