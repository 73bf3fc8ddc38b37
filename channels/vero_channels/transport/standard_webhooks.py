"""Signatures of the Standard Webhooks specification 1.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret, reveal

_PREFIX = "whsec_"
_OCTETS: Final = range(24, 65)  # of a secret
# an id stands before a full stop in what is signed
ID: Final = re.compile(r"[!-\-/-~](?:[ -\-/-~]*[!-\-/-~])?")


class Signatures:
    """Signs with every secret: the new one and the old one, while receivers change."""

    def __init__(self, secrets: Sequence[str | Secret]) -> None:
        """secrets: "whsec_" and base64. ConfigError where one is not that, without showing it."""
        self._keys = tuple(Secret(_decoded(each).hex()) for each in secrets)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def fields(self, id_: str, at: datetime, body: bytes) -> dict[str, str]:
        """The header fields of one attempt: webhook-timestamp and webhook-signature."""
        seconds = str(int(at.timestamp()))
        signed = f"{id_}.{seconds}.".encode() + body
        return {
            "webhook-timestamp": seconds,
            "webhook-signature": " ".join(_signature(key, signed) for key in self._keys),
        }


def _signature(key: Secret, signed: bytes) -> str:
    digest = hmac.new(bytes.fromhex(key.reveal()), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _decoded(secret: str | Secret) -> bytes:
    try:
        key = base64.b64decode(reveal(secret).removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _OCTETS:
        raise ConfigError(
            "signing_secrets: a secret is `whsec_` and the base64 of 24 to 64 random octets"
        )
    return key
