"""Amazon SES, told through SNS: an envelope signed with a certificate, the event inside as text.

Source: "Contents of event data that Amazon SES publishes to Amazon SNS" and "Verifying the
signatures of Amazon SNS messages", docs.aws.amazon.com. Opens and clicks do not say who.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import sns
from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Post
from vero_deliver.feedback import Feedback, Kind, Reason, digest_of
from vero_deliver.feedback.status import Refusal, refusal

_KINDS: Final[dict[str, Kind]] = {
    "Send": "sent",
    "Delivery": "delivered",
    "DeliveryDelay": "deferred",
    "Bounce": "bounced",
    "Reject": "rejected",
    "Rendering Failure": "failed",
    "Complaint": "complained",
    "Subscription": "unsubscribed",
    "Open": "opened",
    "Click": "clicked",
}
_DETAILS: Final = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}
_RECIPIENTS: Final = ("bouncedRecipients", "complainedRecipients", "delayedRecipients")
_PERMANENT: Final[dict[str, bool | None]] = {"Permanent": True, "Transient": False}
# bounceSubType, where it tells more than the server's words
_BOUNCES: Final[dict[str, tuple[Kind, Reason, bool | None]]] = {
    "NoEmail": ("bounced", "invalid", True),
    "MailboxFull": ("bounced", "bounced", False),
    "MessageTooLarge": ("bounced", "bounced", False),
    "ContentRejected": ("bounced", "spam", False),
    "AttachmentRejected": ("bounced", "other", False),
    "Suppressed": ("rejected", "bounced", None),
    "OnAccountSuppressionList": ("rejected", "blocked", None),
    "UnsubscribedRecipient": ("rejected", "unsubscribed", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ses(sns.TopicReader):
    """Reads the posts of the SNS topics that an SES account publishes to.

    topics: the ARNs of these topics; anybody may make a topic that SNS signs.
    fetch: gets a certificate, given its URL at AWS; the default asks there, once per certificate.
    """

    name: str = "ses"

    validated: ClassVar = "Successfully validated SNS topic for Amazon SES event publishing."

    def feedback(
        self, event: dict[str, Any], envelope: Mapping[str, Any], post: Post
    ) -> list[Feedback]:
        told = json.text(event, "eventType", "notificationType")
        detail = json.inner(event, _DETAILS.get(told, told.lower()))
        mail = json.inner(event, "mail")
        told_at, at = (detail, "timestamp") if "timestamp" in detail else (envelope, "Timestamp")
        # the Message-ID that a raw email came with; SES writes another one into it
        message_id = json.named_values(mail, "headers").get("message-id", "")
        who, metadata = json.arguments(_tags(mail))
        looked = told in ("Open", "Click")  # a complaint's userAgent is the one of its reporter
        agent = json.text(detail, "userAgent") if looked else ""
        found = []
        for number, (recipient, words) in enumerate(_recipients(detail, mail)):
            diagnostic = json.text(words, "diagnosticCode") or _words(detail)
            why = refusal(diagnostic, status=json.text(words, "status"))
            kind, reason, permanent = _outcome(told, detail, why)
            one = Feedback(
                kind=kind,
                channel=self.name,
                id=f"{json.text(envelope, 'MessageId')}/{number}",
                at=json.moment(told_at, at, post),
                key=who.key,
                digest=who.digest or digest_of(message_id),
                provider_id=json.text(mail, "messageId"),
                recipient=recipient,
                reason=reason,
                permanent=permanent,
                smtp_code=why.code,
                enhanced_status=why.status,
                diagnostic=diagnostic,
                url=json.text(detail, "link"),
                user_agent=agent,
                ip=json.text(detail, "ipAddress"),
                machine=json.machine_by_agent(agent),
                metadata=metadata,
                raw=event,
            )
            found.append(one)
        return found


def _recipients(detail: dict[str, Any], mail: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each whom the event is about, with what is told about it; all of the email where untold."""
    told: list[tuple[str, dict[str, Any]]] = [
        (json.text(one, "emailAddress"), one)
        for field in _RECIPIENTS
        for one in json.listed(detail, field)
        if isinstance(one, dict)
    ]
    plain = json.texts(detail, "recipients") or json.texts(mail, "destination") or ("",)
    return told or [(address, {}) for address in plain]


def _outcome(told: str, detail: dict[str, Any], why: Refusal) -> tuple[Kind, Reason, bool | None]:
    kind = _KINDS.get(told, "unknown")
    if kind == "bounced":
        sub = _BOUNCES.get(json.text(detail, "bounceSubType"))
        hard = _PERMANENT.get(json.text(detail, "bounceType"))
        return sub or ("bounced", why.reason, hard)
    if kind == "deferred":
        return kind, why.reason, False
    if kind == "complained" and json.text(detail, "complaintFeedbackType") == "not-spam":
        return "unknown", "", None  # somebody took it out of the spam folder
    if kind == "complained":
        suppressed = json.text(detail, "complaintSubType") == "OnAccountSuppressionList"
        return ("rejected" if suppressed else kind), "spam", None
    if kind == "unsubscribed":
        return ("unsubscribed" if _opts_out(detail) else "resubscribed"), "", None
    return kind, "other" if kind in ("rejected", "failed") else "", None


def _opts_out(detail: dict[str, Any]) -> bool:
    new = json.inner(detail, "newTopicPreferences")
    topics = [
        json.text(one, "subscriptionStatus") for one in json.listed(new, "topicSubscriptionStatus")
    ]
    return json.flag(new, "unsubscribeAll") is not False or "OptOut" in topics


def _words(detail: dict[str, Any]) -> str:
    return json.text(
        detail, "smtpResponse", "errorMessage", "reason", "complaintFeedbackType", "delayType"
    )


def _tags(mail: dict[str, Any]) -> dict[str, str]:
    """The message's tags; SES gives each as a list. Its own begin with "ses:"."""
    tags = json.inner(mail, "tags")
    return {name: value for name in tags for value in json.texts(tags, name)[:1]}
