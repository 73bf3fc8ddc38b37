"""JSON Web Tokens (RFC 7519) as Apple and Google want them: ES256 or RS256, by the key's kind."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vero_deliver.secret import Secret, reveal

SigningKey = EllipticCurvePrivateKey | RSAPrivateKey


def load_key(pem: str | Secret) -> SigningKey:
    """A private key of P-256 or RSA. ValueError, which shows nothing of it, where it is none."""
    try:
        key = load_pem_private_key(reveal(pem).strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # or it is encrypted
        key = None
    if isinstance(key, RSAPrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("no private key of P-256 or RSA in PEM")


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: SigningKey) -> str:
    """The token. `alg` is added to the header."""
    algorithm = "RS256" if isinstance(key, RSAPrivateKey) else "ES256"
    parts = [{"alg": algorithm, **header}, dict(claims)]
    text = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{_base64(_signature(key, text.encode()))}"


def _signature(key: SigningKey, text: bytes) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(text, PKCS1v15(), SHA256())
    # two numbers of 32 octets (RFC 7518 3.4)
    r, s = decode_dss_signature(key.sign(text, ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")
