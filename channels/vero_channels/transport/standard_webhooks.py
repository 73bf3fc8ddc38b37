"""Signatures of the Standard Webhooks specification 1.0 (standardwebhooks.com), made and read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from vero_channels.transport.webhooks import (
    Post,
    header,
    need_secrets,
    of_base64,
    recent,
    same,
)
from vero_deliver.errors import ConfigError, NotAuthentic
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


def check(
    post: Post, secrets: Sequence[Secret], tolerance: float, channel: str, prefix: str = "webhook"
) -> str:
    """The id. Raises NotAuthentic unless one of the secrets has signed it, the time and the body.

    prefix: of the header fields; Svix, whose signature it was, has its own name there.
    """
    id_ = header(post, f"{prefix}-id", channel)
    timestamp = header(post, f"{prefix}-timestamp", channel)
    signed = f"{id_}.{timestamp}.".encode("utf-8", "surrogatepass") + post.body
    known = [
        base64.b64encode(hmac.digest(octets(secret), signed, "sha256")).decode()
        for secret in secrets
    ]
    given = header(post, f"{prefix}-signature", channel).split()
    if not any(same(one.removeprefix("v1,"), known) for one in given if one[:3] == "v1,"):
        raise NotAuthentic("the signature does not fit the body", channel=channel)
    recent(timestamp, post, tolerance, channel)
    return id_


def need_signing_secrets(secrets: Sequence[Secret]) -> None:
    """ConfigError where there is none, or one that is none."""
    need_secrets(secrets, "signing_secrets")
    if not all(octets(secret) for secret in secrets):
        raise ConfigError('signing_secrets: a secret is not base64 after "whsec_"')


def octets(secret: str | Secret) -> bytes:
    """What a secret stands for; none where it is no base64."""
    return of_base64(reveal(secret).removeprefix(_PREFIX))


def _signature(key: Secret, signed: bytes) -> str:
    digest = hmac.new(bytes.fromhex(key.reveal()), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _decoded(secret: str | Secret) -> bytes:
    key = octets(secret)
    if len(key) not in _OCTETS:
        raise ConfigError(
            "signing_secrets: a secret is `whsec_` and the base64 of 24 to 64 random octets"
        )
    return key
