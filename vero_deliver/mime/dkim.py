"""DKIM signatures (RFC 6376, RFC 8301, RFC 8463): a function of message, keys and clock.

No l=, which lets text be appended, and no z=, which repeats the header.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vero_deliver.errors import MessageError
from vero_deliver.mime.canonical import relaxed_body, relaxed_fields, simple_body
from vero_deliver.mime.headers import Field
from vero_deliver.mime.signer import Canonicalization, Signer

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
_LOWER = {name: name.lower().encode() for name in _SIGNED}
_LOWER_NAMES = frozenset(_LOWER.values())

_WORD_COLUMNS = 75  # of a word that fills a line; Field puts a space before it


def sign(message: bytes, signers: Sequence[Signer], at: datetime) -> bytes:
    """The message with one DKIM-Signature field per signer in front, in the signers' order.

    message: as `build` gives it; every line end is CRLF. Equal arguments give equal bytes.
    Ed25519 belongs beside RSA, never alone: large receivers do not verify it.
    MessageError where the header has no From or a bare CR or LF; ValueError on a naive `at`.
    """
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no timezone: give a datetime with tzinfo, such as UTC")
    head, _, body = message.partition(b"\r\n\r\n")
    covered, second = _covered(head), int(at.timestamp())
    forms: set[Canonicalization] = {signer.canonicalization for signer in signers}
    hashes = {form: _body_hash(form, body) for form in forms}
    signatures = [
        _signature(signer, covered, hashes[signer.canonicalization], second) for signer in signers
    ]
    return "".join(signatures).encode() + message


@dataclass(frozen=True, slots=True)
class _Covered:
    """The part of the header that is signed. names: the h= tag in words."""

    names: list[str]
    fields: bytes


def _covered(head: bytes) -> _Covered:
    bare = head.replace(b"\r\n", b"")
    if b"\n" in bare or b"\r" in bare:
        raise MessageError("the header has line ends other than CRLF; sign what mime.build gave")
    found = relaxed_fields(head, _LOWER_NAMES)
    if b"from" not in found:
        raise MessageError("the message has no From, and DKIM cannot do without (RFC 6376, 5.4)")
    names: list[str] = []
    fields: list[bytes] = []
    for name, extra in _SIGNED.items():
        present = found.get(_LOWER[name], [])
        names += [name] * (len(present) + extra)
        fields += reversed(present)  # RFC 6376 section 5.4.2: from the bottom up
    return _Covered(_listed(names), b"".join(fields))


def _listed(names: Sequence[str]) -> list[str]:
    words = ["h="]
    for name in names:
        if len(words[-1]) + len(name) >= _WORD_COLUMNS:
            words.append("")
        words[-1] += f"{name}:"
    words[-1] = words[-1].removesuffix(":") + ";"
    return words


def _body_hash(form: Canonicalization, body: bytes) -> str:
    return _base64(hashlib.sha256(_BODIES[form](body)).digest())


def _signature(signer: Signer, covered: _Covered, body_hash: str, second: int) -> str:
    words = ["v=1;", f"a={signer.algorithm};", f"c={signer.canonicalization};"]
    words += [f"d={signer.domain};", f"s={signer.selector};", f"t={second};"]
    if signer.expires_after is not None:
        words.append(f"x={second + signer.expires_after};")
    if signer.identity:
        words.append(f"i={signer.identity};")
    words += [*covered.names, f"bh={body_hash};"]
    # relaxed, a folded field is its words one space apart; in what is signed, b= is empty
    own = f"dkim-signature:{' '.join(words)} b="
    value = "b=" + _base64(signer.signature(covered.fields + own.encode()))
    pieces = [value[at : at + _WORD_COLUMNS] for at in range(0, len(value), _WORD_COLUMNS)]
    return str(Field("DKIM-Signature").words([*words, *pieces]))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
