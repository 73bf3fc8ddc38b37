"""DKIM signatures (RFC 6376, RFC 8301, RFC 8463): a function of message, keys and clock.

No l=, which lets text be appended, and no z=, which repeats the header.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from vero_deliver.errors import MessageError
from vero_deliver.mime.canonical import (
    is_simple,
    relaxed_body,
    relaxed_fields,
    relaxed_name,
    simple_body,
)
from vero_deliver.mime.headers import Field
from vero_deliver.mime.signer import Canonicalization, Signer, Tags

_BODIES: dict[Canonicalization, Callable[[bytes], bytes]] = {
    "relaxed/relaxed": relaxed_body,
    "relaxed/simple": simple_body,
}

# How often h= names a field beyond its occurrences. Once more, and nobody can add a second
# From or Subject under the signature (RFC 6376 section 8.15).
_SIGNED = {
    "From": 1,
    "To": 1,
    "Cc": 1,
    "Subject": 1,
    "Date": 1,
    "Message-ID": 1,
    "Reply-To": 1,
    "In-Reply-To": 0,
    "References": 0,
    "MIME-Version": 1,  # a second set of these makes the same body read as something else
    "Content-Type": 1,
    "Content-Transfer-Encoding": 1,
    "List-Id": 0,
    "List-Unsubscribe": 1,  # both: RFC 8058 section 4
    "List-Unsubscribe-Post": 1,
    "Feedback-ID": 0,
}
_WORD_COLUMNS = 75  # of a word that fills a line; Field puts a space before it
_BODY_HASH = "x" * 44  # as wide as the base64 of any SHA-256


def sign(message: bytes, signers: Sequence[Signer], at: datetime) -> bytes:
    """The message with its `signatures` in front."""
    return signatures(message, signers, at) + message


def signatures(message: bytes, signers: Sequence[Signer], at: datetime) -> bytes:
    """One DKIM-Signature field per signer, in the signers' order, to stand before the message.

    message: as `build` gives it; every line end is CRLF. Equal arguments give equal bytes.
    Ed25519 belongs beside RSA, never alone: large receivers do not verify it.
    MessageError where the header has no From or a bare CR or LF; ValueError on a naive `at`.
    """
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no timezone: give a datetime with tzinfo, such as UTC")
    end = message.find(b"\r\n\r\n")
    names, covered = _covered(message[:end] if end >= 0 else message)
    start = end + 4 if end >= 0 else len(message)
    second = int(at.timestamp())
    forms: set[Canonicalization] = {signer.canonicalization for signer in signers}
    hashes: dict[Canonicalization, bytes] = {
        form: _body_hash(form, message, start) for form in forms
    }
    return b"".join(
        [
            _signature(signer, _opening(signer.tags, names, second), covered, hashes)
            for signer in signers
        ]
    )


def _covered(head: bytes) -> tuple[tuple[str, ...], bytes]:
    """The names of the h= tag, and the fields that they cover."""
    try:
        names, values = relaxed_fields(head)
    except ValueError as error:
        raise MessageError(f"{error}; sign what mime.build gave") from None
    plan = _plan(names)
    return plan.names, b"".join([start + values[at] + b"\r\n" for at, start in plan.covered])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is signed of a header with certain fields. covered: their places, and `name:`."""

    names: tuple[str, ...]
    covered: tuple[tuple[int, bytes], ...]


@lru_cache(maxsize=64)  # the messages of one template have the same fields
def _plan(found: tuple[bytes, ...]) -> _Plan:
    places: dict[bytes, list[int]] = {}
    for at, written in enumerate(found):
        places.setdefault(relaxed_name(written), []).append(at)
    if b"from" not in places:
        raise MessageError("the message has no From, and DKIM cannot do without (RFC 6376, 5.4)")
    names: list[str] = []
    covered: list[tuple[int, bytes]] = []
    for name, extra in _SIGNED.items():
        lower = name.lower().encode()
        present = places.get(lower, [])
        names += [name] * (len(present) + extra)
        # RFC 6376 section 5.4.2: from the bottom up
        covered += [(at, lower + b":") for at in reversed(present)]
    return _Plan(tuple(names), tuple(covered))


@lru_cache(maxsize=256)  # a clock's second, signer and template have many messages
def _opening(tags: Tags, names: tuple[str, ...], second: int) -> tuple[bytes, bytes]:
    """The signature up to the value of bh=: folded, and as the signature covers it."""
    words = ["v=1;", f"a={tags.algorithm};", f"c={tags.canonicalization};"]
    words += [f"d={tags.domain};", f"s={tags.selector};", f"t={second};"]
    if tags.expires_after is not None:
        words.append(f"x={second + tags.expires_after};")
    if tags.identity:
        words.append(f"i={tags.identity};")
    words += [*_listed(names), f"bh={_BODY_HASH};"]
    folded = str(Field("DKIM-Signature").words(words)).removesuffix(f"{_BODY_HASH};\r\n")
    # relaxed, a folded field is its words one space apart
    relaxed = f"dkim-signature:{' '.join(words)}".removesuffix(f"{_BODY_HASH};")
    return folded.encode(), relaxed.encode()


def _listed(names: Sequence[str]) -> list[str]:
    words = ["h="]
    for name in names:
        if len(words[-1]) + len(name) >= _WORD_COLUMNS:
            words.append("")
        words[-1] += f"{name}:"
    words[-1] = words[-1].removesuffix(":") + ";"
    return words


def _body_hash(form: Canonicalization, message: bytes, start: int) -> bytes:
    if form == "relaxed/simple" and is_simple(message, start):  # nothing to copy
        return _base64(hashlib.sha256(memoryview(message)[start:]).digest())
    return _base64(hashlib.sha256(_BODIES[form](message[start:])).digest())


def _signature(
    signer: Signer,
    opening: tuple[bytes, bytes],
    covered: bytes,
    hashes: dict[Canonicalization, bytes],
) -> bytes:
    folded, relaxed = opening
    body_hash = hashes[signer.canonicalization]
    # in what is signed, b= is empty
    signature = signer.signature(b"%b%b%b; b=" % (covered, relaxed, body_hash))
    value = b"b=" + _base64(signature)
    # wider than a line, so no piece follows another or the bh= on a line
    pieces = [value[at : at + _WORD_COLUMNS] for at in range(0, len(value), _WORD_COLUMNS)]
    return b"%b%b;\r\n %b\r\n" % (folded, body_hash, b"\r\n ".join(pieces))


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)
