"""Twilio's status callbacks and incoming messages: forms, signed with HMAC-SHA1 over URL and form.

Source: "Security: validating requests", "Track outbound message status", "Error dictionary",
twilio.com/docs. The key is in the callback's URL.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

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
)
from vero_channels.transport.webhooks import Answers, Post, header, need_secrets, same
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Fate]] = {
    "accepted": Fate("accepted", ""),
    "scheduled": Fate("accepted", ""),
    "queued": Fate("accepted", ""),
    "sending": Fate("sent", ""),
    "sent": Fate("sent", ""),
    "delivered": Fate("delivered", ""),
    "read": Fate("opened", ""),
    "undelivered": Fate("bounced", "bounced"),
    "failed": Fate("failed", "other"),
    "canceled": Fate("failed", "other"),
}
_CODES: Final[dict[str, Fate]] = {
    "30003": UNREACHABLE,  # the handset is off or out of reach
    "30004": BLOCKED,
    "30005": INVALID,  # unknown handset
    "30006": INVALID,  # landline
    "30007": SPAM,  # a carrier's filter
    "30002": OURS,  # account suspended
    "30034": OURS,  # US number without a registered campaign
    "21610": STOPPED,
    "21211": INVALID,
    "21614": INVALID,
}
_OPT_OUTS: Final[dict[str, Kind]] = {
    "STOP": "unsubscribed",
    "START": "resubscribed",
    "HELP": "inbound",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """Reads the posts of one Twilio account.

    auth_tokens: the account's; the old and the new one after a rotation.
    urls: what Twilio posts to, exactly as it knows it, up to the ?; any of them.
    """

    auth_tokens: Sequence[Secret]
    urls: Sequence[str]
    name: str = "twilio"

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        need_secrets(self.auth_tokens, "auth_tokens")
        need_urls(self.urls)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        fields = self.verify(post)
        sid = fields.get("MessageSid", "")
        if not sid:
            raise NotUnderstood("it is about no message", channel=self.name)
        status = fields.get("MessageStatus", "")
        if not status and "Body" in fields:
            return [self._inbound(fields, sid, post)]
        return [self._status(fields, sid, status.lower(), post)]

    def verify(self, post: Post) -> dict[str, str]:
        """The fields. Raises NotAuthentic unless a token has signed URL and form."""
        given = header(post, "X-Twilio-Signature", self.name)
        try:
            fields = form(post, self.name)
        except NotUnderstood:
            raise NotAuthentic("the signature fits no form", channel=self.name) from None
        signed = "".join(f"{name}{value}" for name in fields for value in sorted(set(fields[name])))
        query = f"?{post.query}" if post.query else ""
        known = [
            _signature(token, f"{url}{query}{signed}")
            for token in self.auth_tokens
            for url in self.urls
        ]
        if not same(given, known):
            detail = "the signature does not fit; compare `urls` with what Twilio posts to"
            raise NotAuthentic(detail, channel=self.name)
        return flat(fields)

    def _status(self, fields: Mapping[str, str], sid: str, status: str, post: Post) -> Feedback:
        fate = _KINDS.get(status, Fate("unknown", ""))
        code = fields.get("ErrorCode", "")
        if fate.kind in ("bounced", "failed"):
            fate = _CODES.get(code, fate)
        who = in_query(post)
        return Feedback(
            kind=fate.kind,
            channel=self.name,
            id=f"{sid}/{status}",
            at=post.at,
            key=who.key,
            digest=who.digest,
            provider_id=sid,
            recipient=fields.get("To", ""),
            reason=fate.reason,
            permanent=fate.permanent,
            diagnostic=" ".join(filter(None, (code, fields.get("ErrorMessage", "")))),
            raw=fields,
        )

    def _inbound(self, fields: Mapping[str, str], sid: str, post: Post) -> Feedback:
        text = fields["Body"]
        # with Advanced Opt-Out, words that the account has chosen mean STOP too
        kind = _OPT_OUTS.get(fields.get("OptOutType", "")) or answered(text)
        return Feedback(
            kind=kind,
            channel=self.name,
            id=sid,
            at=post.at,
            recipient=fields.get("From", ""),
            text=text,
            raw=fields,
        )


def _signature(token: Secret, signed: str) -> str:
    octets = signed.encode("utf-8", "surrogatepass")
    return b64encode(hmac.digest(token.reveal().encode(), octets, "sha1")).decode()
