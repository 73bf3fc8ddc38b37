"""Vonage Messages webhooks: one JSON object, proven by a signed token (JWT) with the body's hash.

Source: "Webhooks", "Verify webhook signatures", "API errors", developer.vonage.com.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.keys import named
from vero_channels.transport.sms_feedback import (
    BLOCKED,
    INVALID,
    OURS,
    SPAM,
    UNREACHABLE,
    Fate,
    answered,
    number,
)
from vero_channels.transport.webhooks import Answers, Post, header, need_secrets, recent, same
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Fate]] = {
    "submitted": Fate("sent", ""),
    "delivered": Fate("delivered", ""),
    "read": Fate("opened", ""),
    "rejected": Fate("rejected", "other"),
    "undeliverable": Fate("bounced", "bounced"),
}
_CODES: Final[dict[str, Fate]] = {
    "1040": INVALID,
    "1050": BLOCKED,
    "1060": OURS,
    "1070": OURS,
    "1120": OURS,
    "1170": INVALID,
    "1180": UNREACHABLE,  # absent for now
    "1190": INVALID,  # absent for good
    "1210": SPAM,
    "1220": UNREACHABLE,  # handset busy
    "1240": INVALID,
    "1260": UNREACHABLE,
    "1280": BLOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vonage:
    """Reads the posts of one Vonage account.

    signature_secrets: of the account; the old and the new one after a rotation.
    tolerance: seconds between the token and now, either way.
    """

    signature_secrets: Sequence[Secret]
    name: str = "vonage"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        need_secrets(self.signature_secrets, "signature_secrets")

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.verify(post)
        event = json.decoded(post.body, self.name)
        if not isinstance(event, dict) or not json.text(event, "message_uuid"):
            raise NotUnderstood("it is about no message", channel=self.name)
        return [self._feedback(event, post)]

    def verify(self, post: Post) -> None:
        """Raises NotAuthentic unless a secret has signed a token of now with this body's hash."""
        scheme, _, token = header(post, "Authorization", self.name).partition(" ")
        signed, _, signature = token.strip().rpartition(".")
        octets = signed.encode("utf-8", "surrogatepass")
        known = [_signature(secret, octets) for secret in self.signature_secrets]
        head, _, payload = signed.partition(".")
        if scheme.lower() != "bearer" or not same(signature.rstrip("="), known):
            raise NotAuthentic("the token's signature does not fit", channel=self.name)
        # other algorithms are no business of ours: whoever signs with the secret uses this one
        if json.text(self._part(head), "alg") != "HS256":
            raise NotAuthentic("the token is not of HS256", channel=self.name)
        claims = self._part(payload)
        digest = hashlib.sha256(post.body).hexdigest()
        if not same(json.text(claims, "payload_hash"), [digest]):
            raise NotAuthentic("the token is about another body", channel=self.name)
        recent(json.text(claims, "iat"), post, self.tolerance, self.name)

    def _part(self, text: str) -> Any:
        try:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return json.decoded(octets, self.name)
        except (ValueError, NotUnderstood):
            raise NotAuthentic("the token is none", channel=self.name) from None

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        id_, status = json.text(event, "message_uuid"), json.text(event, "status")
        at = json.moment(event, "timestamp", post)
        if not status and "text" in event:
            text = json.text(event, "text")
            who = number(json.text(event, "from"))
            return Feedback(
                kind=answered(text), channel=self.name, id=id_, at=at, recipient=who, text=text,
                raw=event,
            )  # fmt: skip
        fate = _KINDS.get(status, Fate("unknown", ""))
        error = json.inner(event, "error")
        if fate.kind in ("bounced", "rejected"):
            fate = _CODES.get(_code(error), fate)
        delivery = named(json.text(event, "client_ref"))
        words = (_code(error), json.text(error, "title"), json.text(error, "detail"))
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=f"{id_}/{status}",
            at=at,
            key=delivery.key,
            digest=delivery.digest,
            provider_id=id_,
            recipient=number(json.text(event, "to")),
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=" ".join(filter(None, words)),
            raw=event,
        )


def _code(error: dict[str, Any]) -> str:
    """The code that ends an error's type, "https://...errors/messages#1240", or stands alone."""
    told = json.text(error, "type")
    return told.rpartition("#")[2] if "#" in told else json.text(error, "title")


def _signature(secret: Secret, signed: bytes) -> str:
    digest = hmac.digest(secret.reveal().encode(), signed, "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")
