"""Bounces in words alone: Exim, qmail, and servers that write as they like.

Best effort: a mail is a bounce only where its sender and its subject say so.
"""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr
from typing import Final

from vero_deliver.feedback import Kind
from vero_deliver.feedback.letter import body, field
from vero_deliver.feedback.reports import Told, refused

_SENDER = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|mdaemon)@", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status notification|has failed|failure|failed|problem)"
    r"|mail delivery|failure notice|returned mail|message (?:could )?not (?:be )?delivered"
    r"|delivery notification|non remis|unzustellbar|nedoručitelná",
    re.IGNORECASE,
)
_LATE = re.compile(r"delayed|\bdelay\b|warning|has not (?:yet )?been delivered", re.IGNORECASE)
# words of the line below which the mail that came back begins
_COPY: Final = ("original", "copy", "below this line", "returned message", "headers")
_ADDRESS = r"[^\s<>@,;:\"'()]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]"
_LISTED: Final = (
    re.compile(rf"^[ \t]*<({_ADDRESS})>:?", re.MULTILINE),  # qmail, Postfix
    re.compile(rf"^[ \t]*({_ADDRESS}):?[ \t]*$", re.MULTILINE),  # Exim
)
_MOST: Final = 50


def bounce(mail: Message) -> list[Told]:
    """One for each recipient that it names; one without an address where it names none."""
    failed = field(mail, "X-Failed-Recipients")  # Exim, Gmail
    subject = field(mail, "Subject")
    if not failed and not (_from_a_server(mail) and _SUBJECT.search(subject)):
        return []
    words = _above_the_copy(body(mail))
    kind: Kind = "deferred" if _LATE.search(subject) and not failed else "bounced"
    raw = {name: field(mail, name) for name in ("From", "Subject", "Date")}
    found = [one.strip(" <>") for one in failed.split(",") if "@" in one]
    places = _places(words)
    if not found and not places:
        return [refused(kind, "", _one_line(words), "", raw)]
    return [
        refused(kind, address, _one_line(places.get(address.lower(), words)), "", raw)
        for address in (found or list(places))[:_MOST]
    ]


def _from_a_server(mail: Message) -> bool:
    sender = parseaddr(field(mail, "From"))[1] or field(mail, "From")
    return bool(_SENDER.match(sender + "@")) or field(mail, "Return-Path") == "<>"


def _above_the_copy(words: str) -> str:
    at = 0
    for line in words.splitlines(keepends=True):
        start = line[:200].lower()
        if start.startswith("received: ") or (
            start.startswith("--") and any(word in start for word in _COPY)
        ):
            return words[:at]
        at += len(line)
    return words


def _places(words: str) -> dict[str, str]:
    """Addresses in the order of the text, each with the words up to the next one."""
    for form in _LISTED:
        found = list(form.finditer(words))[:_MOST]
        if found:
            ends = [*(one.start() for one in found[1:]), len(words)]
            return {
                one[1].lower(): words[one.end() : end] for one, end in zip(found, ends, strict=True)
            }
    return {}


def _one_line(words: str) -> str:
    return " ".join(words.split())[:1000]
