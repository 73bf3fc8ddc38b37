"""What comes back after a message was accepted: one vocabulary for every provider and for mail.

Providers' webhooks are read by `vero_channels.feedback`, bounces and complaints that come as
mail by `vero_deliver.feedback.mail`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

Kind = Literal[
    "accepted",
    "sent",
    "delivered",
    "deferred",
    "bounced",
    "rejected",
    "failed",
    "complained",
    "unsubscribed",
    "resubscribed",
    "opened",
    "clicked",
    "autoresponded",
    "inbound",
    "unknown",
]
Reason = Literal["", "invalid", "bounced", "timed_out", "blocked", "spam", "unsubscribed", "other"]

_MESSAGE_ID = re.compile(r"\s*<?([0-9a-f]{32})@")

MEANING: Final[Mapping[Kind, str]] = {
    "accepted": "the provider has queued it; it may still be rejected",
    "sent": "the provider has begun to send it; no answer of the recipient's server is known",
    "delivered": "the recipient's server took it; whether into the inbox, nobody says",
    "deferred": "not yet: the provider tries again by itself",
    "bounced": "the recipient's server refused it, at once or later; see permanent",
    "rejected": "the provider did not try: suppressed, blocked or against its policy",
    "failed": "the provider could not make or send it, for a reason that is not the recipient's",
    "complained": "the recipient called it spam",
    "unsubscribed": "the recipient wants no more, told through the provider",
    "resubscribed": "the recipient wants mail again",
    "opened": "its images were loaded; see machine",
    "clicked": "a link of it was followed; see machine",
    "autoresponded": "a machine answered: an absence note, a challenge; it says nothing else",
    "inbound": "the recipient wrote to us; see text",
    "unknown": "something that this version has no word for; see raw",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One thing that was told about one delivery to one recipient.

    kind: what happened; `MEANING` has a sentence for each.
    channel: configured name of the channel, as its receipts have it.
    id: never empty; the same when the provider tells it again, so (channel, id) finds doubles.
    at: when it happened, UTC; the moment of arrival where the provider does not tell.
    key: the delivery's key; empty where what came back does not hold it, or only its digest.
    digest: `mime.key_digest` of the key, also where there is no key; may be empty.
    provider_id: as in the receipt; may be empty.
    recipient: the address, as the provider writes it; may be empty.
    reason: why it was not delivered; empty where nothing went wrong.
        invalid: no such address, domain or mailbox. bounced: refused for another reason that the
        recipient's server has. timed_out: no server answered in time. blocked: by a policy, a
        reputation or the provider's suppression list. spam: taken for spam, or complained about
        before. unsubscribed: before. other: told, but none of these.
    permanent: True: this address will never take mail, suppress it. False: another message may
        arrive. None: not told, or not about the address.
    smtp_code, enhanced_status: 550 and "5.1.1", where known (RFC 5321, RFC 3463).
    diagnostic: the server's or the provider's own words.
    url: the link that was followed. user_agent, ip: of who opened or followed it.
    text: what the recipient wrote, where it is `inbound`, or a STOP or START.
    topic: what was unsubscribed from, or taken up again; empty for all.
    machine: True: a machine opened or followed it by itself (a privacy proxy, a scanner). False:
        the provider says that it was none. None: nobody knows.
    metadata: the custom arguments besides `vero_key`, as text.
    raw: what the provider said, whole.
    """

    kind: Kind
    channel: str
    id: str
    at: datetime
    key: str = ""
    digest: str = ""
    provider_id: str = ""
    recipient: str = ""
    reason: Reason = ""
    permanent: bool | None = None
    smtp_code: int | None = None
    enhanced_status: str = ""
    diagnostic: str = ""
    text: str = field(default="", repr=False)
    url: str = ""
    user_agent: str = ""
    ip: str = ""
    topic: str = ""
    machine: bool | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def digest_of(message_id: str) -> str:
    """The `mime.key_digest` in a Message-ID of ours, with or without < >; else empty."""
    found = _MESSAGE_ID.match(message_id)
    return found[1] if found else ""
