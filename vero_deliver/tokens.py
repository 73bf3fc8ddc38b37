"""Signed tokens: what they say may be read by everybody, and made up by nobody.

    base64url(what it says) . base64url(the first 16 octets of an HMAC-SHA256)

The signature covers a purpose, so that a token of one kind is none of another.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from vero_deliver.secret import Secret, reveal

SHORTEST_SECRET: Final = 16  # characters
LONGEST: Final = 12_000  # characters of a token that are looked at
_SIGNATURE: Final = 16  # octets; RFC 2104 section 5 allows half of them


def seal(purpose: str, secret: str | Secret, said: bytes) -> str:
    """The token; the same arguments give the same one."""
    return f"{_base64(said)}.{_base64(_signature(purpose, secret, said))}"


def unseal(
    purpose: str, secrets: Sequence[str | Secret], token: str, longest: int = LONGEST
) -> bytes:
    """What it says. ValueError where none of the secrets has signed just this for that purpose."""
    if len(token) > longest:
        raise ValueError("the token is too long to be one of ours")
    head, _, tail = token.partition(".")
    said, given = _octets(head), _octets(tail)
    good = [hmac.compare_digest(_signature(purpose, secret, said), given) for secret in secrets]
    # base64 of other spelling would be the same token
    if not any(good) or f"{_base64(said)}.{_base64(given)}" != token:
        raise ValueError("the token is not signed with our secret")
    return said


def is_long_enough(secret: str | Secret) -> bool:
    """Whether it keeps anybody out."""
    return len(reveal(secret)) >= SHORTEST_SECRET


def _signature(purpose: str, secret: str | Secret, said: bytes) -> bytes:
    key = reveal(secret).encode("utf-8", "surrogatepass")
    return hmac.digest(key, purpose.encode() + b"\0" + said, "sha256")[:_SIGNATURE]


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the token is not of our form") from None
