"""Telnyx messaging webhooks: one JSON object, signed with Ed25519 over time and raw body.

Source: "Receive webhooks", "Webhook signing", developers.telnyx.com, and its SDK. The key is in
the webhook's URL, which the signature does not cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
    in_query,
    number,
)
from vero_channels.transport.webhooks import Answers, Post, header, of_base64, recent
from vero_deliver.errors import ConfigError, NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback

_SIGNATURE, _TIMESTAMP = "telnyx-signature-ed25519", "telnyx-timestamp"

_KINDS: Final[dict[str, Fate]] = {
    "queued": Fate("accepted", ""),
    "sending": Fate("sent", ""),
    "sent": Fate("sent", ""),
    "delivered": Fate("delivered", ""),
    "read": Fate("opened", ""),
    "delivery_unconfirmed": Fate("sent", ""),
    "delivery_failed": Fate("bounced", "bounced"),
    "sending_failed": Fate("failed", "other"),
    "expired": UNREACHABLE,
}
_CODES: Final[dict[str, Fate]] = {
    "40001": INVALID,  # not routable
    "40002": SPAM,
    "40003": OURS,  # the sender is blocked for good
    "40004": BLOCKED,  # rejected by the destination
    "40005": UNREACHABLE,  # expired
    "40006": UNREACHABLE,  # the recipient's server is unavailable
    "40008": Fate("bounced", "bounced"),  # undeliverable
    "40010": OURS,  # not registered for 10DLC
    "40012": INVALID,
    "40300": STOPPED,
    "40310": INVALID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telnyx:
    """Reads the posts of one Telnyx account.

    public_keys: of the account, in base64, as its portal shows it; old and new after a rotation.
    tolerance: seconds between the signature and now, either way.
    """

    public_keys: Sequence[str]
    name: str = "telnyx"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        if isinstance(self.public_keys, str) or not self.public_keys:
            raise ConfigError("public_keys: give a list of at least one key")
        for key in self.public_keys:
            _public_key(key)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.verify(post)
        event = json.inner(json.decoded(post.body, self.name), "data")
        message = json.inner(event, "payload")
        if not message:
            raise NotUnderstood("it is about no message", channel=self.name)
        if json.text(event, "event_type") == "message.received":
            return [self._inbound(event, message, post)]
        to = [one for one in json.listed(message, "to") if isinstance(one, dict)]
        return [self._status(event, message, one, post) for one in to or [{}]]

    def verify(self, post: Post) -> None:
        """Raises NotAuthentic unless one of the keys has signed time and raw body."""
        signature = of_base64(header(post, _SIGNATURE, self.name))
        timestamp = header(post, _TIMESTAMP, self.name)
        signed = f"{timestamp}|".encode("utf-8", "surrogatepass") + post.body
        if not any(_fits(key, signature, signed) for key in self.public_keys):
            raise NotAuthentic("the signature does not fit the body", channel=self.name)
        recent(timestamp, post, self.tolerance, self.name)

    def _status(
        self, event: dict[str, Any], message: dict[str, Any], to: dict[str, Any], post: Post
    ) -> Feedback:
        status = json.text(to, "status")
        fate = _KINDS.get(status, Fate("unknown", ""))
        error = next((one for one in json.listed(message, "errors") if isinstance(one, dict)), {})
        if fate.kind in ("bounced", "failed"):
            fate = _CODES.get(json.text(error, "code"), fate)
        who, recipient = in_query(post), number(json.text(to, "phone_number"))
        words = (json.text(error, name) for name in ("code", "title", "detail"))
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=f"{json.text(event, 'id') or json.own_id(event)}/{recipient}",
            at=json.moment(event, "occurred_at", post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(message, "id"),
            recipient=recipient,
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=" ".join(filter(None, words)),
            tags=json.texts(message, "tags"),
            raw=event,
        )

    def _inbound(self, event: dict[str, Any], message: dict[str, Any], post: Post) -> Feedback:
        text = json.text(message, "text")
        return Feedback(
            kind=answered(text),
            channel=self.name,
            id=json.text(event, "id") or json.own_id(event),
            at=json.moment(event, "occurred_at", post),
            recipient=number(json.text(json.inner(message, "from"), "phone_number")),
            text=text,
            raw=event,
        )


@lru_cache(maxsize=64)
def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(of_base64(text.strip()))
    except ValueError:
        detail = "public_keys: a key is no Ed25519 key in base64; copy it from Keys & Credentials"
        raise ConfigError(detail) from None


def _fits(key: str, signature: bytes, signed: bytes) -> bool:
    try:
        _public_key(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True
