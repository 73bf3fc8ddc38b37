"""SendGrid's Event Webhook: a JSON array, signed with ECDSA over timestamp and raw body.

Source: "Event Webhook Reference" and "Getting Started with the Event Webhook Security Features",
twilio.com/docs/sendgrid. Custom arguments stand among the fields of each event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Answers, Post, header, of_base64, recent
from vero_deliver.errors import ConfigError, NotAuthentic
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal

_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_KINDS: Final[dict[str, Kind]] = {
    "processed": "accepted",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounced",
    "dropped": "rejected",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "resubscribed",
    "open": "opened",
    "click": "clicked",
}
_DROPPED: Final[tuple[tuple[str, Reason], ...]] = (  # what "reason" begins with
    ("bounced address", "bounced"),
    ("unsubscribed address", "unsubscribed"),
    ("spam reporting address", "spam"),
    ("spam content", "spam"),
    ("invalid", "invalid"),
    ("recipient list over package quota", "other"),
)
_OWN: Final = frozenset(  # fields that are no custom arguments
    "asm_group_id attempt bounce_classification category cert_err email event ip"  # noqa: SIM905
    " mc_auto_id mc_auto_name mc_pod_id mc_stats marketing_campaign_id marketing_campaign_name"
    " marketing_campaign_split_id marketing_campaign_version newsletter phase_id pool post_type"
    " reason response send_at sg_content_type sg_event_id sg_machine_open sg_message_id"
    " sg_template_id sg_template_name singlesend_id singlesend_name smtp-id status template"
    " template_hash template_id template_version_id timestamp tls type url url_offset"
    " useragent".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGrid:
    """Reads the posts of one SendGrid account.

    public_keys: the "verification key" of each webhook; the old and the new one after a rotation.
    tolerance: seconds between the signature and now, either way.
    """

    public_keys: Sequence[str]
    name: str = "sendgrid"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        if not self.public_keys:
            raise ConfigError("public_keys: give at least one verification key")
        for key in self.public_keys:
            _public_key(key)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.verify(post)
        events = json.objects(json.decoded(post.body, self.name), self.name)
        return [self._feedback(event, post) for event in events]

    def verify(self, post: Post) -> None:
        """Raises NotAuthentic unless one of the keys has signed timestamp and raw body."""
        signature = of_base64(header(post, _SIGNATURE, self.name))
        timestamp = header(post, _TIMESTAMP, self.name)
        signed = timestamp.encode("utf-8", "surrogatepass") + post.body
        if not any(_fits(key, signature, signed) for key in self.public_keys):
            raise NotAuthentic("the signature does not fit the body", channel=self.name)
        recent(timestamp, post, self.tolerance, self.name)

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        told = json.text(event, "event")
        kind = _KINDS.get(told, "unknown")
        who, metadata = json.arguments({k: v for k, v in event.items() if k not in _OWN})
        diagnostic = json.text(event, "response", "reason")
        why = refusal(diagnostic, status=json.text(event, "status"))
        reason: Reason = ""
        permanent: bool | None = None
        if kind in ("bounced", "deferred"):
            reason, permanent = why.reason, why.permanent
            if kind == "deferred" or json.text(event, "type") == "blocked":
                permanent = False
        elif kind == "rejected":
            reason = _dropped(diagnostic)
        elif kind == "complained":
            reason = "spam"
        agent = json.text(event, "useragent")
        machine = json.flag(event, "sg_machine_open")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=json.text(event, "sg_event_id") or json.own_id(event),
            at=json.moment(event, "timestamp", post),
            key=who.key,
            digest=who.digest,
            # X-Message-Id of the answer to the send; what follows the dot tells recipients apart
            provider_id=json.text(event, "sg_message_id").partition(".")[0],
            recipient=json.text(event, "email"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "url"),
            user_agent=agent,
            ip=json.text(event, "ip") if kind in ("opened", "clicked") else "",
            machine=json.machine_by_agent(agent) or machine,
            tags=json.texts(event, "category"),
            metadata=metadata,
            raw=event,
        )


@lru_cache(maxsize=64)
def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(of_base64("".join(text.split())))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ConfigError(
            "public_keys: a key is no ECDSA key in base64; copy the verification key of"
            " Settings, Mail Settings, Event Webhook, Signature Verification"
        )
    return key


def _fits(key: str, signature: bytes, signed: bytes) -> bool:
    try:
        _public_key(key).verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _dropped(text: str) -> Reason:
    lowered = text.lower()
    for words, reason in _DROPPED:
        if lowered.startswith(words):
            return reason
    return "other"
