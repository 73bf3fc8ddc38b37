"""Plivo's message callbacks: forms, proven by HMAC-SHA256 over URL and a nonce.

Source: "Signature validation", "Message status callbacks", "Error codes", plivo.com/docs, and its
SDK. The signature does not cover the form: a nonce counts for one of them. The key is in the URL.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.seen import Seen
from vero_channels.transport.sms_feedback import (
    BLOCKED,
    INVALID,
    OURS,
    SPAM,
    STOPPED,
    UNREACHABLE,
    Fate,
    answered,
    flat,
    form,
    in_query,
    need_urls,
    number,
)
from vero_channels.transport.webhooks import Answers, Post, header, need_secrets, same
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.secret import Secret

_NONCE = "X-Plivo-Signature-V2-Nonce"
_SIGNATURE = "X-Plivo-Signature-V2"
_KEPT: Final = 3 * 24 * 3600.0  # seconds that a nonce is remembered

_KINDS: Final[dict[str, Fate]] = {
    "queued": Fate("accepted", ""),
    "sent": Fate("sent", ""),
    "delivered": Fate("delivered", ""),
    "read": Fate("opened", ""),
    "undelivered": Fate("bounced", "bounced"),
    "failed": Fate("failed", "other"),
    "rejected": Fate("rejected", "other"),
}
_CODES: Final[dict[str, Fate]] = {
    "30": SPAM,
    "40": OURS,  # invalid source number
    "50": INVALID,  # invalid destination number
    "70": INVALID,  # permanently unavailable
    "80": UNREACHABLE,  # temporarily unavailable
    "100": BLOCKED,  # prohibited by the carrier
    "200": STOPPED,
    "420": UNREACHABLE,  # expired
    "900": OURS,  # no credit
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plivo:
    """Reads the posts of one Plivo account.

    auth_tokens: the account's; the old and the new one after a rotation.
    urls: what Plivo posts to, exactly as it knows it, up to the ?; any of them.
    """

    auth_tokens: Sequence[Secret]
    urls: Sequence[str]
    name: str = "plivo"
    _seen: Seen = field(default_factory=Seen, init=False, repr=False, compare=False)

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        need_secrets(self.auth_tokens, "auth_tokens")
        need_urls(self.urls)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        nonce = self.verify(post)
        fields = flat(form(post, self.name))
        # a repeated post is welcome; another form with its nonce is not
        content, now = json.own_id({**fields, "?": post.query}), post.at.timestamp()
        if self._seen.remember(nonce, content, now + _KEPT, now=now) != content:
            raise NotAuthentic("its nonce was used for another post", channel=self.name)
        if not fields.get("MessageUUID"):
            raise NotUnderstood("it is about no message", channel=self.name)
        if "Status" not in fields and "Text" in fields:
            return [self._inbound(fields, post)]
        return [self._status(fields, post)]

    def verify(self, post: Post) -> str:
        """The nonce. Raises NotAuthentic unless a token has signed it and one of the URLs."""
        nonce = header(post, _NONCE, self.name)
        known = [_signature(token, url + nonce) for token in self.auth_tokens for url in self.urls]
        if not same(header(post, _SIGNATURE, self.name), known):
            detail = "the signature does not fit; compare `urls` with what Plivo posts to"
            raise NotAuthentic(detail, channel=self.name)
        return nonce

    def _status(self, fields: Mapping[str, str], post: Post) -> Feedback:
        id_, status = fields["MessageUUID"], fields.get("Status", "").lower()
        fate = _KINDS.get(status, Fate("unknown", ""))
        code = fields.get("ErrorCode", "")
        if fate.kind in ("bounced", "failed", "rejected"):
            fate = _CODES.get(code.lstrip("0"), fate)
        who = in_query(post)
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=f"{id_}/{status}",
            at=post.at,
            key=who.key,
            digest=who.digest,
            # of several parts, the one that the answer to the send named
            provider_id=fields.get("ParentMessageUUID") or id_,
            recipient=number(fields.get("To", "")),
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=code,
            raw=fields,
        )

    def _inbound(self, fields: Mapping[str, str], post: Post) -> Feedback:
        text = fields["Text"]
        return Feedback(
            kind=answered(text),
            channel=self.name,
            id=fields["MessageUUID"],
            at=post.at,
            recipient=number(fields.get("From", "")),
            text=text,
            raw=fields,
        )


def _signature(token: Secret, signed: str) -> str:
    octets = signed.encode("utf-8", "surrogatepass")
    return b64encode(hmac.digest(token.reveal().encode(), octets, "sha256")).decode()
