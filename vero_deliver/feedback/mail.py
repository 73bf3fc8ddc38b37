"""Feedback that comes as mail: bounces, complaints, automatic answers.

Delivery status notifications are RFC 3464, complaints RFC 5965 (ARF), automatic answers RFC 3834;
servers that follow none of them are read as well as their words allow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final

from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback, bounces, reports
from vero_deliver.feedback.letter import field, fields, inner, original, parts
from vero_deliver.feedback.reports import Told
from vero_deliver.mime import named_by
from vero_deliver.secret import Secret

_LARGEST: Final = 1024 * 1024  # octets that are read; what matters stands before the original
_TO: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To")
_PATH = re.compile(r"b\+[a-z0-9_.+-]{1,62}@[a-z0-9.-]{1,190}", re.IGNORECASE)
_GLOBAL = re.compile(rb"message/global-(delivery-status|headers)", re.IGNORECASE)


def read_mail(
    raw: bytes,
    *,
    channel: str = "smtp",
    recipient: str = "",
    secrets: Sequence[Secret] = (),
    at: datetime | None = None,
) -> list[Feedback]:
    """What a mail to the return path, or to a feedback loop's address, tells; empty for any other.

    The recipient of what is told is the mail's word: whose delivery it was, the key says.
    recipient: the address that it was delivered to; left out, headers tell.
    secrets: those of `mime.return_path`, new and old. With them, feedback that names no signed
        return path raises NotAuthentic, since anybody can write a bounce. Without them, the key
        is empty and the digest is what the mail says: check who sent it yourself.
    at: the moment of arrival; left out, now. A Date that is not later takes its place.
    Raises NotUnderstood where the mail cannot be taken apart.
    """
    at = (at or datetime.now(UTC)).astimezone(UTC)
    try:
        mail = message_from_bytes(_GLOBAL.sub(_as_ascii, raw[:_LARGEST]))
        told, returned, written = _told(mail), original(mail), _written(mail)
    except (RecursionError, LookupError, ValueError) as error:
        raise NotUnderstood(
            f"the mail cannot be taken apart: {type(error).__name__}", channel=channel
        ) from None
    if not told:
        return []
    addresses = [found for one in (recipient, *written) for found in _PATH.findall(one)]
    named = next((found for one in addresses if (found := named_by(one, *secrets))), None)
    if secrets and named is None:
        raise NotAuthentic("the mail names no signed return path", channel=channel)
    # nobody has signed the Message-ID: it may not name another delivery than the return path
    digest = named.digest if named else returned.digest
    message_id = returned.message_id if returned.digest == digest else ""
    identity, moment = _identity(mail, raw), _date(mail, at)
    return [
        Feedback(
            kind=one.kind,
            channel=channel,
            id=f"{identity}/{number}",
            at=moment,
            key=named.key if named else "",
            digest=digest,
            provider_id=message_id,
            recipient=one.recipient,
            reason=one.reason,
            permanent=one.permanent,
            smtp_code=one.smtp_code,
            enhanced_status=one.enhanced_status,
            diagnostic=one.diagnostic,
            user_agent=one.user_agent,
            ip=one.ip,
            raw=one.raw,
        )
        for number, one in enumerate(told)
    ]


def _as_ascii(found: re.Match[bytes]) -> bytes:
    """RFC 6533's types have the form of RFC 3464's, which the parser knows."""
    return b"message/delivery-status" if found[1].lower() != b"headers" else b"text/rfc822-headers"


def _told(mail: Message) -> list[Told]:
    for part in parts(mail):
        kind = part.get_content_type()
        if kind == "message/delivery-status" and (found := reports.delivery_status(part)):
            return found
        if kind == "message/feedback-report":
            return reports.complaint(part, original(mail).to)
    return bounces.bounce(mail) or reports.automatic(mail)


def _written(mail: Message) -> list[str]:
    """Where a signed address may stand: who knows one has seen the mail."""
    written = [value for name in _TO for value in fields(mail, name)]
    for part in parts(mail):
        if part.get_content_type() == "message/feedback-report":
            written += [field(block, "Original-Mail-From") for block in inner(part)]
    return [*written, original(mail).return_path]


def _identity(mail: Message, raw: bytes) -> str:
    return field(mail, "Message-ID") or hashlib.sha256(raw).hexdigest()[:32]


def _date(mail: Message, at: datetime) -> datetime:
    try:
        found = parsedate_to_datetime(field(mail, "Date"))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return at
    return min(found, at)
