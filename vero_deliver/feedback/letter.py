"""Parts of a mail that may be broken in any way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.utils import parseaddr
from typing import Final

from vero_deliver.feedback import digest_of

_MOST_PARTS: Final = 100
_LONGEST: Final = 2000  # characters of a field
_TEXT: Final = 20_000  # characters of a body that are looked at
_WORD = re.compile(r"[a-z0-9_-]+")
_ID = re.compile(r"^Message-ID:\s*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Original:
    """What a report holds of the mail that it is about; empty where it holds none."""

    message_id: str = ""
    return_path: str = ""
    to: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.message_id)


def parts(mail: Message) -> Iterator[Message]:
    """The mail and its parts, outermost first."""
    for number, part in enumerate(mail.walk()):
        if number == _MOST_PARTS:
            return
        yield part


def inner(part: Message) -> list[Message]:
    """The messages in a part: the parser makes one of each group of a report's fields, too."""
    found = part.get_payload()
    return [one for one in found if isinstance(one, Message)] if isinstance(found, list) else []


def fields(part: Message, name: str) -> list[str]:
    """Every field of the name in one line each; raw octets are UTF-8 (RFC 6532)."""
    found = [str(value) for known, value in part.raw_items() if known.lower() == name.lower()]
    return [" ".join(_utf8(value[: 2 * _LONGEST]).split())[:_LONGEST] for value in found]


def field(part: Message, name: str) -> str:
    """The first field of the name; empty where there is none."""
    return next(iter(fields(part, name)), "")


def word(part: Message, name: str) -> str:
    """The word that a field begins with, in lower case; what follows may be a comment."""
    found = _WORD.match(field(part, name).lower())
    return found[0] if found else ""


def _utf8(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def text(part: Message) -> str:
    """The words of a part, at most 20,000 characters."""
    found = part.get_payload(decode=True)
    if not isinstance(found, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        words = found[: 4 * _TEXT].decode(charset, "replace")
    except (LookupError, UnicodeError):
        words = found[:_TEXT].decode("latin-1")
    return words.replace("\r\n", "\n")[:_TEXT]


def body(mail: Message) -> str:
    """The words of the first part that has any."""
    for part in parts(mail):
        if part.get_content_maintype() == "text" and (found := text(part)).strip():
            return found
    return ""


def original(mail: Message) -> Original:
    """The headers of the mail that came back, from its copy, its headers or a text's lines."""
    for part in list(parts(mail))[1:]:
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            return _original(message_from_string(text(part)))
        if kind in ("message/rfc822", "message/global"):
            return next((_original(inside) for inside in inner(part)), Original())
    found = _ID.search(body(mail))
    return Original(found[1] if found else "")


def _original(inside: Message) -> Original:
    return Original(
        field(inside, "Message-ID"),
        parseaddr(field(inside, "Return-Path"))[1],
        parseaddr(field(inside, "To"))[1],
    )
