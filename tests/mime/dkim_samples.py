"""DKIM keys, their DNS records, and dkimpy as the verifier."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mime_samples import sample

from vero_deliver import mime
from vero_deliver.rendered import Address, File, RenderedEmail

SIGNED_AT = datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC)
CENTURY = 100 * 365 * 86_400  # seconds


@lru_cache
def rsa_key(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


@lru_cache
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def rsa(**options: Any) -> mime.Signer:
    return mime.Signer("example.com", "rsa1", rsa_key(), **options)


def ed25519(**options: Any) -> mime.Signer:
    return mime.Signer("example.com", "ed1", ed25519_key(), **options)


def record(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """The TXT record that publishes a key."""
    if isinstance(key, RSAPrivateKey):
        kind, encoding, form = "rsa", Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    else:
        kind, encoding, form = "ed25519", Encoding.Raw, PublicFormat.Raw
    public = base64.b64encode(key.public_key().public_bytes(encoding, form))
    return f"v=DKIM1; k={kind}; p={public.decode()}"


def zone() -> dict[str, str]:
    """What DNS would say."""
    return {
        "rsa1._domainkey.example.com": record(rsa_key()),
        "ed1._domainkey.example.com": record(ed25519_key()),
    }


def verdicts(raw: bytes, records: dict[str, str] | None = None) -> list[bool]:
    """What dkimpy makes of each signature, from the top."""
    known = zone() if records is None else records
    count = raw.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")

    def txt(name: bytes, timeout: int = 5) -> bytes | None:
        text = known.get(name.decode().rstrip("."))
        return text.encode() if text else None

    return [_verifies(raw, at, txt) for at in range(count)]


def _verifies(raw: bytes, at: int, txt: Any) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(at, dnsfunc=txt))
    except dkim.DKIMException:
        return False


def tags(raw: bytes, at: int = 0) -> dict[str, str]:
    """The tags of one DKIM-Signature, white space left out."""
    head = raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", "")
    fields = [line for line in head.split("\r\n") if line.startswith("DKIM-Signature:")]
    value = fields[at].removeprefix("DKIM-Signature:").replace(" ", "")
    return dict(tag.split("=", 1) for tag in value.split(";"))


def newsletter(**fields: Any) -> RenderedEmail:
    """An email with every field that a signature may cover, two parts and a file."""
    given: dict[str, Any] = {
        "html": "<p>Hello  Ada</p>\n<p>\t\u010de\u0161tina</p>\n\n",
        "text": "Hello  Ada\n\n\n",
        "cc": (Address("bob@example.net", "Bob"),),
        "reply_to": (Address("help@example.com"),),
        "headers": {
            "In-Reply-To": "<a@example.com>",
            "References": "<a@example.com> <b@example.com>",
            "List-Id": "News <news.example.com>",
            "List-Unsubscribe": "<https://example.com/u/1>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Feedback-ID": "c1:example",
            "X-Campaign": "unsigned",
        },
        "attachments": (File("a.bin", bytes(range(256)), "application/octet-stream"),),
    }
    return sample(**{**given, **fields})
