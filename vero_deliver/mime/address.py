"""Addresses: what is safe to write, and the form that headers and the envelope carry."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from vero_deliver.mime.headers import phrase

if TYPE_CHECKING:
    from vero_deliver.rendered import Address, RenderedEmail

_LOCAL_LIMIT, _ADDRESS_LIMIT = 64, 254  # octets; RFC 5321 section 4.5.3.1, its path less "<>"

_ATEXT = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]'  # RFC 5322, with the non-ASCII of RFC 6532
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_ATOMS_AND_DOTS = re.compile(rf"(?:{_ATEXT}|\.)+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)+)"')
_LABEL_TEXT = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LABEL = re.compile(_LABEL_TEXT)
_PLAIN_ATOM = "[A-Za-z0-9_+-]+"
_PLAIN = re.compile(  # nearly every address: its own normal form
    rf"({_PLAIN_ATOM}(?:\.{_PLAIN_ATOM})*)@{_LABEL_TEXT}(?:\.{_LABEL_TEXT})*"
)
_JOINERS = "\u200c\u200d"  # they spell words in Persian and Indic scripts


def check_address(text: str) -> str:
    """The bare address with its domain as lower-case A-labels and an odd local part quoted.

    ValueError with the reason where it is no address or not safe in a header or a command.
    Idempotent. The local part's case is kept; its non-ASCII needs SMTPUTF8.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and plain.end(1) <= _LOCAL_LIMIT and len(text) <= _ADDRESS_LIMIT:
        return text
    try:
        return _normalised(text)
    except ValueError as error:
        shown = f"{text[:80]!r}" + ("..." if len(text) > 80 else "")
        raise ValueError(f"{shown} is no email address: {error}") from None


def envelope(email: str) -> str:
    """What MAIL FROM and RCPT TO carry between < >. ValueError as check_address."""
    return check_address(email)


def mailbox(address: Address) -> str:
    """`Name <ada@example.com>` for a header, not folded; ASCII but for a non-ASCII local part.

    ValueError as check_address.
    """
    email = check_address(address.email)
    name = phrase(address.name) if address.name else ""
    return f"{name} <{email}>" if name else email


def needs_smtputf8(email: RenderedEmail) -> bool:
    """True where a local part is not ASCII: only a relay with SMTPUTF8 (RFC 6531) takes it."""
    everyone = (email.from_, *email.to, *email.cc, *email.bcc, *email.reply_to)
    return any(not address.email.rpartition("@")[0].isascii() for address in everyone)


@lru_cache(maxsize=256)  # asked of senders only
def domain_of(email: str) -> str:
    """The domain as A-labels. ValueError as check_address."""
    return check_address(email).rpartition("@")[2]


def check_domain(text: str) -> str:
    """The domain as lower-case A-labels. ValueError with the reason where it is none."""
    domain = (text if text.isascii() else _a_labels(text)).lower()
    for label in domain.split("."):
        if not _LABEL.fullmatch(label):
            raise ValueError(f"{label!r} is no label of a domain name")
    return domain


def _normalised(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    if len(text) > _ADDRESS_LIMIT:
        raise ValueError(f"it is longer than {_ADDRESS_LIMIT} octets")
    for char in text:
        _check_char(char)
    local, at, domain = text.rpartition("@")
    if not at:
        raise ValueError("it has no @")
    address = f"{_local(local)}@{check_domain(domain)}"
    if len(address.encode()) > _ADDRESS_LIMIT:
        raise ValueError(f"it is longer than {_ADDRESS_LIMIT} octets")
    return address


def _check_char(char: str) -> None:
    if char in ",;<>":
        raise ValueError(f"it holds {char!r}; give one address, without its name")
    if " " < char <= "~" or char in _JOINERS:
        return
    if unicodedata.category(char)[0] in "CZ":
        name = unicodedata.name(char, "a control character")
        raise ValueError(f"it holds U+{ord(char):04X} ({name})")


def _local(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    local = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not local:
        raise ValueError("nothing stands before its @")
    if not quoted and not _ATOMS_AND_DOTS.fullmatch(local):
        raise ValueError('what stands before its last @ belongs in double quotes ("a@b"@c.com)')
    if not _DOT_ATOM.fullmatch(local):  # "john..doe" is real: old Japanese phones allowed it
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if len(local.encode()) > _LOCAL_LIMIT:
        raise ValueError(f"more than {_LOCAL_LIMIT} octets stand before its @")
    return local


@lru_cache(maxsize=256)  # a sender has few domains and many messages
def _a_labels(domain: str) -> str:
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"its domain is not a valid IDN: {error}") from None
