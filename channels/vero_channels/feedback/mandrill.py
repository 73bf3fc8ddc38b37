"""Mandrill's webhooks: a form whose field `mandrill_events` holds a JSON array.

Source: "Track Message Activity with Webhooks", mailchimp.com/developer/transactional. The
signature is an HMAC-SHA-1 over the webhook's URL, as it was typed in at Mandrill, and the fields
of the form. The body itself is covered through them.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Answers, Post, header, need_secrets, same
from vero_deliver.errors import ConfigError, NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal
from vero_deliver.secret import Secret

_KINDS: Final[dict[str, Kind]] = {
    "send": "sent",
    "delivered": "delivered",
    "deferral": "deferred",
    "hard_bounce": "bounced",
    "soft_bounce": "bounced",
    "reject": "rejected",
    "spam": "complained",
    "unsub": "unsubscribed",
    "open": "opened",
    "click": "clicked",
}
_BOUNCES: Final[dict[str, Reason]] = {  # msg.bounce_description
    "bad_mailbox": "invalid",
    "invalid_domain": "invalid",
    "mailbox_full": "bounced",
    "message_too_large": "bounced",
    "no_answer": "timed_out",
    "unreachable": "timed_out",
    "spam": "spam",
    "policy_related": "blocked",
    "protocol_error": "other",
    "relaying_denied": "blocked",
}
_REJECTS: Final[dict[str, Reason]] = {
    "hard-bounce": "bounced",
    "soft-bounce": "bounced",
    "spam": "spam",
    "unsub": "unsubscribed",
    "custom": "blocked",
    "rule": "blocked",
    "invalid": "invalid",
    "invalid-sender": "other",
}
_TEST_KEY = "test-webhook"  # signs the empty array that Mandrill posts before a key exists


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandrill:
    """Reads the posts of one Mandrill account.

    keys: the "webhook key" of each webhook; the old and the new one after a rotation.
    urls: the webhook's URL as Mandrill has it, with user and password if they stand in it.
    """

    keys: Sequence[Secret]
    urls: Sequence[str] = field(repr=False)
    name: str = "mandrill"

    answers: ClassVar[Answers] = Answers()

    def __post_init__(self) -> None:
        need_secrets(self.keys, "keys")
        if isinstance(self.urls, str) or not self.urls:
            raise ConfigError("urls: give a list of at least one URL")

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood. Empty for the probe of an empty array."""
        form = self._form(post)
        events = dict(form).get("mandrill_events", "")
        self.verify(form, post, probe=events.strip() == "[]")
        found = json.objects(json.decoded(events, self.name), self.name)
        return [self._feedback(event, post) for event in found]

    def verify(self, form: Sequence[tuple[str, str]], post: Post, *, probe: bool) -> None:
        """Raises NotAuthentic unless one of the keys has signed one of the URLs and the form."""
        fields = "".join(name + value for name, value in sorted(form))
        keys = [key.reveal() for key in self.keys] + [_TEST_KEY] * probe
        known = [_signature(key, url + fields) for key in keys for url in self.urls]
        if not same(header(post, "X-Mandrill-Signature", self.name), known):
            raise NotAuthentic("the signature does not fit; are the urls exact?", channel=self.name)

    def _form(self, post: Post) -> list[tuple[str, str]]:
        try:
            return parse_qsl(
                post.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=9
            )
        except ValueError:
            raise NotUnderstood("it is no form", channel=self.name) from None

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        told = json.text(event, "event", "type")
        kind = _KINDS.get(told, "unknown")
        message, reject = json.inner(event, "msg"), json.inner(event, "reject")
        diagnostic = json.text(message, "diag") or json.text(reject, "detail", "reason")
        why = refusal(diagnostic)
        reason: Reason = ""
        permanent: bool | None = None
        if kind in ("bounced", "deferred"):
            reason = _BOUNCES.get(json.text(message, "bounce_description"), why.reason)
            permanent = told == "hard_bounce"
        elif kind == "rejected":
            reason = _REJECTS.get(json.text(reject, "reason"), "other")
        elif kind == "complained":
            reason = "spam"
        who, metadata = json.arguments(json.inner(message, "metadata"))
        agent = json.text(event, "user_agent")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=json.own_id(event),
            at=json.moment(event, "ts", post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "_id") or json.text(message, "_id"),
            recipient=json.text(message, "email") or json.text(reject, "email"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "url"),
            user_agent=agent,
            ip=json.text(event, "ip"),
            machine=json.machine_by_agent(agent),
            tags=json.texts(message, "tags"),
            metadata=metadata,
            raw=event,
        )


def _signature(key: str, signed: str) -> str:
    octets = signed.encode("utf-8", "surrogatepass")
    return b64encode(hmac.digest(key.encode("utf-8"), octets, "sha1")).decode()
