"""Mailgun's webhooks: one JSON object; an HMAC over timestamp and token, not over the event.

Source: "Webhook Payloads", "Securing Webhooks" and "Automatic Retries", documentation.mailgun.com.
Whoever has seen one signature could put it over another event, so a token is taken for one event
only, as long as its timestamp is accepted.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.seen import Seen
from vero_channels.transport.webhooks import Answers, Post, need_secrets, recent, same
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback, Kind, Reason, digest_of
from vero_deliver.feedback.status import refusal
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Kind]] = {
    "accepted": "accepted",
    "delivered": "delivered",
    "failed": "bounced",
    "rejected": "rejected",
    "complained": "complained",
    "unsubscribed": "unsubscribed",
    "opened": "opened",
    "clicked": "clicked",
}
_SUPPRESSED: Final[dict[str, Reason]] = {
    "suppress-bounce": "bounced",
    "suppress-complaint": "spam",
    "suppress-unsubscribe": "unsubscribed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailgun:
    """Reads the posts of one Mailgun account.

    signing_keys: the "HTTP webhook signing key"; the old and the new one after a rotation.
    tolerance: seconds between the signature and now. Mailgun repeats a post for 8 hours.
    """

    signing_keys: Sequence[Secret]
    name: str = "mailgun"
    tolerance: float = 12 * 3600.0
    _seen: Seen = field(default_factory=Seen, init=False, repr=False, compare=False)

    answers: ClassVar[Answers] = Answers(stop=406)  # "Not Acceptable": do not repeat

    def __post_init__(self) -> None:
        need_secrets(self.signing_keys, "signing_keys")

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood."""
        [whole, *others] = json.objects(json.decoded(post.body, self.name), self.name) or [{}]
        if others:
            raise NotUnderstood("it holds several events, Mailgun sends one", channel=self.name)
        event = json.inner(whole, "event-data")
        token = self.verify(whole, event, post)
        if not event:
            raise NotUnderstood("it has no event-data", channel=self.name)
        return [self._feedback(event, token, post)]

    def verify(self, whole: dict[str, Any], event: dict[str, Any], post: Post) -> str:
        """The token. Raises NotAuthentic unless one of the keys has signed it for this event."""
        signature = json.inner(whole, "signature")
        timestamp, token = json.text(signature, "timestamp"), json.text(signature, "token")
        signed = f"{timestamp}{token}".encode("utf-8", "surrogatepass")
        known = [
            hmac.new(key.reveal().encode("utf-8"), signed, "sha256").hexdigest()
            for key in self.signing_keys
        ]
        if not token or not same(json.text(signature, "signature"), known):
            raise NotAuthentic("the signature does not fit", channel=self.name)
        recent(timestamp, post, self.tolerance, self.name)
        # a repeated post is welcome, the store knows its id; another event with its token is not
        name, expires = json.own_id(event), post.at.timestamp() + 2 * self.tolerance
        if self._seen.remember(token, name, expires, now=post.at.timestamp()) != name:
            raise NotAuthentic("its token was used for another event", channel=self.name)
        return token

    def _feedback(self, event: dict[str, Any], token: str, post: Post) -> Feedback:
        kind = _KINDS.get(json.text(event, "event"), "unknown")
        told = json.text(event, "reason")
        status = json.inner(event, "delivery-status")
        diagnostic = json.text(status, "message", "description")
        why = refusal(
            diagnostic,
            code=json.number(status, "code"),
            status=json.text(status, "enhanced-code"),
        )
        reason: Reason = ""
        permanent: bool | None = None
        if kind == "bounced" and told in _SUPPRESSED:
            kind, reason = "rejected", _SUPPRESSED[told]
        elif kind == "bounced":
            reason, permanent = why.reason, why.permanent
            if json.text(event, "severity") == "temporary":
                kind, permanent = "deferred", False
        elif kind == "rejected":
            diagnostic = diagnostic or json.text(json.inner(event, "reject"), "reason")
            reason = "other"
        elif kind == "complained":
            reason = "spam"
        headers = json.inner(event, "message", "headers")
        who, metadata = json.arguments(json.inner(event, "user-variables"))
        client = json.inner(event, "client-info")
        agent = json.text(client, "user-agent")
        message_id = json.text(headers, "message-id")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=token,  # event-data.id is unique "within a day" only
            at=json.moment(event, "timestamp", post),
            key=who.key,
            digest=who.digest or digest_of(message_id),
            provider_id=message_id.strip("<>"),
            recipient=json.text(event, "recipient") or parseaddr(json.text(headers, "to"))[1],
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "url"),
            user_agent=agent,
            ip=json.text(event, "ip"),
            machine=True if json.text(client, "bot") else json.machine_by_agent(agent),
            tags=json.texts(event, "tags"),
            metadata=metadata,
            raw=event,
        )
