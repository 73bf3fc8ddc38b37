"""Sinch SMS callbacks: one JSON object, signed with HMAC-SHA256 over body, nonce and time.

Source: "Callbacks", "Delivery reports", "Delivery receipt error codes", developers.sinch.com, and
its SDK. A report of several recipients together does not say which: ask for per_recipient, as the
driver does.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.keys import named
from vero_channels.transport.sms_feedback import (
    BLOCKED,
    INVALID,
    OURS,
    UNREACHABLE,
    Fate,
    answered,
    number,
)
from vero_channels.transport.webhooks import Answers, Post, header, need_secrets, recent, same
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.secret import Secret

_NONCE = "X-Sinch-Webhook-Signature-Nonce"
_TIMESTAMP = "X-Sinch-Webhook-Signature-Timestamp"
_SIGNATURE = "X-Sinch-Webhook-Signature"

_KINDS: Final[dict[str, Fate]] = {
    "queued": Fate("accepted", ""),
    "dispatched": Fate("sent", ""),
    "delivered": Fate("delivered", ""),
    "aborted": Fate("rejected", "other"),
    "rejected": Fate("rejected", "other"),
    "cancelled": Fate("failed", "other"),
    "deleted": Fate("failed", "other"),
    "failed": Fate("bounced", "bounced"),
    "expired": UNREACHABLE,
}
_CODES: Final[dict[str, Fate]] = {
    "402": INVALID,  # no route to it
    "404": UNREACHABLE,
    "406": UNREACHABLE,  # expired
    "408": BLOCKED,  # opted out, or on a list of ours
    "410": OURS,
    "411": OURS,  # more parts than allowed
    "412": OURS,  # region not provisioned
    "413": OURS,  # account blocked
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinch:
    """Reads the posts of one Sinch service plan.

    secrets: of the callback; the old and the new one after a rotation.
    tolerance: seconds between the signature and now, either way.
    """

    secrets: Sequence[Secret]
    name: str = "sinch"
    tolerance: float = 300.0

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        need_secrets(self.secrets, "secrets")

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        self.verify(post)
        event = json.decoded(post.body, self.name)
        if not isinstance(event, dict):
            raise NotUnderstood("it is no object", channel=self.name)
        if json.text(event, "type") == "mo_text":
            return [self._inbound(event, post)]
        return [self._report(event, post)]

    def verify(self, post: Post) -> None:
        """Raises NotAuthentic unless one of the secrets has signed body, nonce and time."""
        nonce = header(post, _NONCE, self.name)
        timestamp = header(post, _TIMESTAMP, self.name)
        end = f".{nonce}.{timestamp}".encode("utf-8", "surrogatepass")
        known = [
            b64encode(hmac.digest(one.reveal().encode(), post.body + end, "sha256")).decode()
            for one in self.secrets
        ]
        if not same(header(post, _SIGNATURE, self.name), known):
            raise NotAuthentic("the signature does not fit the body", channel=self.name)
        recent(timestamp, post, self.tolerance, self.name)

    def _report(self, event: dict[str, Any], post: Post) -> Feedback:
        batch, status = json.text(event, "batch_id"), json.text(event, "status")
        fate = _KINDS.get(status.lower(), Fate("unknown", ""))
        code = json.text(event, "code")
        if fate.kind in ("bounced", "rejected"):
            fate = _CODES.get(code, fate)
        who = named(json.text(event, "client_reference"))
        recipient = number(json.text(event, "recipient"))
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=f"{batch}/{recipient}/{status}" if batch else json.own_id(event),
            at=json.moment(event, "at", post),
            key=who.key,
            digest=who.digest,
            provider_id=batch,
            recipient=recipient,
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=f"{status} {code}".strip() if fate.reason else "",
            raw=event,
        )

    def _inbound(self, event: dict[str, Any], post: Post) -> Feedback:
        text = json.text(event, "body")
        return Feedback(
            kind=answered(text),
            channel=self.name,
            id=json.text(event, "id") or json.own_id(event),
            at=json.moment(event, "received_at", post),
            recipient=number(json.text(event, "from")),
            text=text,
            raw=event,
        )
