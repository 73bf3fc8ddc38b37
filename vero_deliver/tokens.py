"""Tokens that only we can have made: what they name, signed with HMAC-SHA256 (RFC 2104).

    base64url(what it names) "." base64url(the first 16 octets of the signature)

The purpose is signed and not written: a token of one purpose is none of another.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret, reveal

SHORTEST_SECRET: Final = 16  # characters
_SIGNATURE: Final = 16  # octets; RFC 2104 section 5 allows half of them


def make_token(secret: str | Secret, purpose: bytes, named: bytes) -> str:
    """The token; the same arguments give the same one. The secret may sign other things too.

    Raises ConfigError where the secret is shorter than SHORTEST_SECRET.
    """
    return f"{_base64(named)}.{_base64(_signature(secret, purpose, named))}"


def read_token(
    token: str, secrets: Sequence[str | Secret], purpose: bytes, *, longest: int
) -> bytes:
    """What a token of that purpose names. Raises ValueError where it is not ours, or changed.

    secrets: the present one and former ones, while they are changed. ConfigError for none.
    longest: characters of a token that are looked at.
    """
    if not secrets:
        raise ConfigError("tokens: give the secret that signs them")
    if len(token) > longest:
        raise ValueError("the token is too long to be one of ours")
    head, _, tail = token.partition(".")
    named, given = _octets(head), _octets(tail)
    good = [hmac.compare_digest(_signature(secret, purpose, named), given) for secret in secrets]
    if not any(good):
        raise ValueError("the token is not signed with our secret")
    return named


def checked(secret: str | Secret) -> str | Secret:
    """The secret. Raises ConfigError where it is too short to keep anybody out."""
    if len(reveal(secret)) < SHORTEST_SECRET:
        raise ConfigError(
            f"the secret that signs has less than {SHORTEST_SECRET} characters; make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


def hmac_sha256(secret: str | Secret, signed: bytes) -> bytes:
    """32 octets."""
    return hmac.digest(reveal(secret).encode("utf-8", "surrogatepass"), signed, "sha256")


def _signature(secret: str | Secret, purpose: bytes, named: bytes) -> bytes:
    return hmac_sha256(checked(secret), purpose + named)[:_SIGNATURE]


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _octets(text: str) -> bytes:
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the token is not of our form") from None
    if _base64(octets) != text:  # the last character has bits that say nothing
        raise ValueError("the token is not of our form")
    return octets
