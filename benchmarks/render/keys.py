"""The DKIM key that ours and the peers sign with, made anew for each run."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from vero_deliver import mime

DOMAIN, SELECTOR = "shop.example.com", "bench"
_KEY = generate_private_key(65537, 2048)
PEM = _KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
SIGNER = mime.Signer(DOMAIN, SELECTOR, _KEY, canonicalization="relaxed/simple")
_PUBLIC = _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
RECORDS = {
    f"{SELECTOR}._domainkey.{DOMAIN}.".encode(): (b"v=DKIM1; k=rsa; p=" + base64.b64encode(_PUBLIC))
}


def rsa_operation() -> Callable[[object], bytes]:
    """One RSA-2048 signature by `cryptography`, of as many bytes as a header has."""
    padding, digest, data = PKCS1v15(), hashes.SHA256(), b"x" * 500
    return lambda _: _KEY.sign(data, padding, digest)
