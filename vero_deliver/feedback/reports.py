"""Reports for machines: delivery status (RFC 3464), complaints (RFC 5965), answers (RFC 3834)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from email.message import Message
from email.utils import parseaddr
from typing import Any, Final

from vero_deliver.feedback import Kind, Reason
from vero_deliver.feedback.letter import body, field, fields, inner, word
from vero_deliver.feedback.status import refusal

# section 2.3.3: "delayed" is no failure, and the others are successes
_ACTIONS: Final[dict[str, Kind]] = {
    "failed": "bounced",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "sent",  # to a server that reports nothing
    "expanded": "delivered",
}
# section 3.1 and the registry of RFC 5965 section 7.3; not-spam is the opposite of a complaint
_TYPES: Final[dict[str, tuple[Kind, Reason]]] = {
    "abuse": ("complained", "spam"),
    "fraud": ("complained", "spam"),
    "virus": ("complained", "other"),
    "opt-out": ("unsubscribed", ""),
    "opt-out-list": ("unsubscribed", ""),
    "not-spam": ("unknown", ""),
}
_AUTOMATIC: Final = ("auto-replied", "auto-generated", "auto-notified")
_MOST: Final = 50  # recipients, and fields of one
_HEX = re.compile(r"\+([0-9A-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one report says of one recipient."""

    kind: Kind
    recipient: str = ""
    reason: Reason = ""
    permanent: bool | None = None
    smtp_code: int | None = None
    enhanced_status: str = ""
    diagnostic: str = ""
    user_agent: str = ""
    ip: str = ""
    raw: Mapping[str, Any] = attribute(default_factory=dict)


def refused(kind: Kind, recipient: str, words: str, status: str, raw: Mapping[str, Any]) -> Told:
    """A recipient that was refused, now or for good."""
    why = refusal(words, status=status)
    return Told(
        kind=kind,
        recipient=recipient,
        reason=why.reason,
        permanent=False if kind == "deferred" else why.permanent,
        smtp_code=why.code,
        enhanced_status=why.status,
        diagnostic=words,
        raw=raw,
    )


def delivery_status(part: Message) -> list[Told]:
    """One for each recipient, those with an unknown action too; empty where it names none."""
    told = []
    for block in inner(part)[: _MOST + 1]:
        action, recipient = word(block, "Action"), _recipient(block)
        if not action and not recipient:
            continue  # the fields of the whole message
        kind = _ACTIONS.get(action, "unknown")
        given = field(block, "Diagnostic-Code")
        words = given.partition(";")[2].strip() or given
        status, raw = field(block, "Status").partition(" ")[0], _fields(block)
        if kind in ("bounced", "deferred"):
            one = refused(kind, recipient, words, status, raw)
        else:
            one = Told(
                kind=kind, recipient=recipient, enhanced_status=status, diagnostic=words, raw=raw
            )
        told.append(one)
    return told


def complaint(part: Message, to: str) -> list[Told]:
    """One for each recipient that the report names; `to` where it names none."""
    block = next(iter(inner(part)), part)
    kind, reason = _TYPES.get(word(block, "Feedback-Type"), ("unknown", ""))
    named = [parseaddr(one)[1] for one in fields(block, "Original-Rcpt-To")]
    return [
        Told(
            kind=kind,
            recipient=recipient,
            reason=reason,
            user_agent=field(block, "User-Agent"),
            ip=field(block, "Source-IP"),
            raw=_fields(block),
        )
        for recipient in named[:_MOST] or [to]
    ]


def automatic(mail: Message) -> list[Told]:
    """An answer that no person wrote; nothing where a person may have."""
    answers = word(mail, "Auto-Submitted") in _AUTOMATIC
    answers |= word(mail, "Precedence") == "auto_reply"
    answers |= any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    if not answers:
        return []
    sender = parseaddr(field(mail, "From"))[1]
    said = " ".join(body(mail).split())[:500]
    return [Told(kind="autoresponded", recipient=sender, diagnostic=said, raw=_fields(mail))]


def _recipient(block: Message) -> str:
    """The address that was written to, else the one that it became."""
    for name in ("Original-Recipient", "Final-Recipient"):
        kind, _, address = field(block, name).rpartition(";")
        if kind.strip().lower() in ("rfc822", "utf-8", ""):
            address = address.strip().strip("<>")
            if address:
                return _HEX.sub(_of_hex, address) if name == "Original-Recipient" else address
    return ""


def _of_hex(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))  # xtext, RFC 3461 section 4


def _fields(block: Message) -> dict[str, str]:
    return {name: field(block, name) for name in list(dict.fromkeys(block.keys()))[:_MOST]}
