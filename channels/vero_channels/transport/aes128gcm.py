"""Encryption for one browser: RFC 8291 over RFC 8188, in one record."""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD: Final = 4096  # octets; push services take no more (RFC 8291 section 4)


def encrypt(
    plaintext: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    sender: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push; 103 octets longer than the plaintext, 4096 at most.

    p256dh: the browser's public key, 65 octets. auth: its secret, 16 octets. salt, sender: new
    for every message; given only to compare with an example. ValueError where a key is none.
    """
    if len(auth) != 16:
        raise ValueError(f"the subscription's auth has {len(auth)} octets instead of 16")
    theirs = _public(p256dh)
    salt = salt or os.urandom(16)
    sender = sender or generate_private_key(SECP256R1())
    ours = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # section 3.4; its HKDF is one block, which is two HMACs
    shared = _hmac(auth, sender.exchange(ECDH(), theirs))
    secret = _hmac(salt, _hmac(shared, b"WebPush: info\0" + p256dh + ours + b"\1"))
    key = _hmac(secret, b"Content-Encoding: aes128gcm\0\1")[:16]
    nonce = _hmac(secret, b"Content-Encoding: nonce\0\1")[:12]
    head = salt + _RECORD.to_bytes(4) + len(ours).to_bytes(1) + ours
    return head + AESGCM(key).encrypt(nonce, plaintext + b"\2", None)  # 2: the last record


def _public(point: bytes) -> EllipticCurvePublicKey:
    try:
        if len(point) == 65:  # its compressed form would be another key to the browser
            return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        pass
    raise ValueError("the subscription's p256dh is no point of P-256 in 65 octets")


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
