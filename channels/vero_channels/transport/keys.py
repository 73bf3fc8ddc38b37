"""The delivery's key as a provider's field can carry it, so that feedback can be matched to it."""

from __future__ import annotations

import hashlib
import re
import uuid

from vero_deliver.mime import Named, key_digest

VERO_KEY = "vero_key"  # the name of the custom argument, tag or metadata field

_PLAIN = re.compile(r"[!-~](?:[ -~]*[!-~])?")  # printable ASCII, no blank at either end
_HASHED = re.compile(r"sha256-([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("6f1a3c52-6f0e-5b0c-9d7e-0c6a4f6d2b11")
_IN_NAMESPACE = hashlib.sha1(_NAMESPACE.bytes, usedforsecurity=False)


def wire_key(key: str, limit: int = 200, allowed: re.Pattern[str] = _PLAIN) -> str:
    """The key itself, or `sha256-` and 64 hex digits of it where the field could not hold it.

    limit: characters that the field takes, at least 71. allowed: what it may consist of.
    """
    if len(key) <= limit and allowed.fullmatch(key) and not key.startswith("sha256-"):
        return key
    return f"sha256-{hashlib.sha256(_octets(key)).hexdigest()}"


def named(written: str) -> Named:
    """The delivery that a `wire_key` names; both fields are empty where it is empty."""
    hashed = _HASHED.fullmatch(written)
    if hashed:
        return Named("", hashed[1][:32])
    return Named(written, key_digest(written)) if written else Named("", "")


def key_uuid(key: str) -> str:
    """A UUID (version 5) that stands for the key: always the same one."""
    hashed = _IN_NAMESPACE.copy()
    hashed.update(_octets(key))
    digits = hashed.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]  # what uuid.uuid5 does takes three times as long
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _octets(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
