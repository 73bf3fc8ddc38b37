"""What a server's refusal says about the address (RFC 5321 section 4.2, RFC 3463, RFC 7505).

Large receivers write their own words after codes that all refusals share, so words count where
the code tells nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vero_deliver.feedback import Reason

_LONGEST = 2000  # characters of a diagnostic that are looked at

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.-])([245]\d\d)(?=[ -]|$)(?!\.)")

_WORDS: Final[tuple[tuple[Reason, str], ...]] = (
    ("spam", r"\bspam\b|\bunsolicited|\bjunk\b|content rejected"),
    (
        "blocked",
        r"block(?:ed|list)|black ?list|\bdeny|\bdenied|polic(?:y|ies)|reputation|\bdmarc\b|\bspf\b"
        r"|\bdkim\b|not authori[sz]ed|unauthenticated|\brbl\b|spamhaus|banned|not permitted",
    ),
    ("bounced", r"\bfull\b|quota|out of storage|too (?:large|big)|exceeded"),
    (
        "invalid",
        r"(?:no such|unknown|invalid|non-?existent|unrouteable|bad) (?:user|address|recipient"
        r"|mailbox|account|host|domain|destination)"
        r"|(?:user|address|recipient|mailbox|account|domain|host) .{0,60}(?:unknown|not found"
        r"|does not exist|doesn't exist|disabled|inactive|unavailable|rejected)|user unknown"
        r"|no mailbox",
    ),
    ("timed_out", r"timed? ?out|expired|too long|retry time|unreachable|connection refused"),
)
_ADDRESS = re.compile(r"\S{0,100}@\S*|https?://\S*")
_BY_STATUS: Final[dict[str, tuple[Reason, bool | None]]] = {
    "1.7": ("other", None),  # the sender's address
    "1.8": ("other", None),
    "1.9": ("other", None),  # relayed to a foreign system
    "2.1": ("invalid", True),  # mailbox disabled
    "2": ("bounced", False),  # full, or the message too long for it
    "4.4": ("invalid", True),  # no route: no such host
    "5.4.1": ("invalid", True),  # Exchange Online: its directory has no such recipient
    "1": ("invalid", True),
    "3": ("bounced", False),  # the system is full or down
    "4": ("timed_out", False),
    "6": ("bounced", False),  # the content
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """code: 550, or None. status: "5.1.1", or empty. reason, permanent: as Feedback has them."""

    code: int | None
    status: str
    reason: Reason
    permanent: bool | None


def refusal(diagnostic: str, *, code: int | None = None, status: str = "") -> Refusal:
    """What a refusal means; code and status are read from the words where they are not given.

    Never an error: nothing told is ("bounced", None).
    """
    text = diagnostic[:_LONGEST]
    told = [found[0] for given in (status[:_LONGEST], text) for found in _STATUS.finditer(given)]
    status = next((one for one in told if not one.endswith(".0.0")), next(iter(told), ""))
    if code is None or not 200 <= code < 600:
        found = _CODE.search(text)
        code = int(found[1]) if found else None
    reason, permanent = _meaning(code, status, text)
    if permanent and (status[:1] or str(code or "")[:1]) == "4":
        permanent = False
    return Refusal(code, status, reason, permanent)


def _meaning(code: int | None, status: str, text: str) -> tuple[Reason, bool | None]:
    tail = status[2:]
    for name in (status, tail, tail.partition(".")[0]):
        if name in _BY_STATUS:
            return _BY_STATUS[name]
    if tail.startswith("7."):
        return ("spam" if _by_words(text) == "spam" else "blocked"), False
    reason = _by_words(text) or "bounced"
    if reason != "bounced" or code in (552, 452):  # 552: over quota
        return reason, reason == "invalid"
    return reason, {"5": True, "4": False}.get(status[:1] or str(code or "")[:1])


def _by_words(text: str) -> Reason:
    words = _ADDRESS.sub(" ", text)  # unknown@blocked.example says nothing
    for reason, known in _WORDS:
        if re.search(known, words, re.IGNORECASE):
            return reason
    return ""
