"""Whom not to send to, and why: addresses compared, reasons weighed; see docs/suppression.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

import idna

from vero_deliver.phone import e164
from vero_deliver.rendered import ContentName, Kind

Reason = Literal["bounced", "soft_bounced", "gone", "complained", "unsubscribed", "manual"]

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
MEANING: Final[Mapping[Reason, str]] = {
    "bounced": "the recipient's server said that there is no such mailbox or number",
    "soft_bounced": "five mails within 30 days came back",
    "gone": "the address or the device token was dead when it was sent to",
    "complained": "the recipient called it spam",
    "unsubscribed": "the recipient wants no more, of one topic or of all",
    "manual": "a person said so, or a list that was imported",
}
SOFT_BOUNCES: Final = 5  # of one address, within SOFT_DAYS
SOFT_DAYS: Final = 30
LONGEST_TOPIC: Final = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One reason why an address gets nothing.

    address: as it was told; empty where only its digest is kept: device tokens, erased users.
    digest: what it is found by. topic: of an unsubscription; empty for all.
    since: UTC. source: the delivery's key or whoever said so. note: words.
    """

    content: ContentName
    address: str
    digest: str
    reason: Reason
    topic: str
    since: datetime
    source: str
    note: str

    def __str__(self) -> str:
        about = f" from {self.topic}" if self.topic else ""
        return f"{self.reason}{about} since {self.since:%Y-%m-%d}"


def forbids(reason: Reason, about: str, *, content: ContentName, kind: Kind, topic: str) -> bool:
    """Whether it forbids a message of that kind and topic. about: the topic unsubscribed from.

    Transactional messages ignore unsubscriptions, but for text messages: after STOP carriers
    block whatever is sent from that number.
    """
    if reason != "unsubscribed":
        return True
    if about and about != topic:
        return False
    return kind == "marketing" or content == "sms"


def comparable(content: ContentName, address: str) -> str:
    """The address in the one form that all its spellings share.

    Emails without regard to case (no provider that matters tells them apart), numbers in E.164
    where they can be, a browser's subscription by its endpoint.
    """
    address = address.strip()
    if content == "email":
        return address.lower() if address.isascii() else _international(address)
    if content == "sms":
        try:
            return e164(address)
        except ValueError:
            return address
    if content == "push" and address.startswith("{"):
        return _endpoint(address)
    return address


def digest_of(content: ContentName, address: str) -> str:
    """32 hex digits that stand for the address: what the outbox finds it by."""
    named = f"{content}:{comparable(content, address)}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _international(address: str) -> str:
    local, at, domain = address.rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        domain = domain.lower()
    return f"{local.casefold()}{at}{domain}"


def _endpoint(subscription: str) -> str:
    try:
        found = json.loads(subscription)["endpoint"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return subscription
    return found if isinstance(found, str) else subscription
