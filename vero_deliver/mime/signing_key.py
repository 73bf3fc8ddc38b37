"""Private keys for DKIM: rsa-sha256 (RFC 6376, RFC 8301) and ed25519-sha256 (RFC 8463)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vero_deliver.secret import Secret, reveal

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_NEW_RSA_BITS = 2048
_RSA_BITS = 1024  # RFC 8301 section 3.2: verifiers take nothing shorter


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A checked key. `sign` is deterministic with both algorithms."""

    algorithm: Algorithm
    sign: Callable[[bytes], bytes] = field(repr=False)
    private: PrivateKey = field(repr=False)

    def pem(self) -> bytes:
        """The key as unencrypted PKCS#8."""
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public(self) -> bytes:
        """The public half as DER."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self.private.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def published(self) -> tuple[bytes, ...]:
        """What p= may hold: first what is written, then the other form that receivers read."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self.private.public_key()
        if self.algorithm == "ed25519-sha256":  # RFC 8463 section 4: the bare key
            return (public.public_bytes(Encoding.Raw, PublicFormat.Raw),)
        # RFC 6376 section 3.6.1 says PKCS#1; its example, and everybody, has the longer form
        return self.public(), public.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def signing_key(key: str | bytes | Secret | PrivateKey) -> SigningKey:
    """The key from PEM (PKCS#1 or PKCS#8), or one that `cryptography` has loaded.

    ValueError, which shows nothing of the key, where it cannot sign DKIM.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    private = _loaded(key) if isinstance(key, str | bytes | Secret) else key
    if isinstance(private, RSAPrivateKey):
        return _rsa(private)
    if isinstance(private, Ed25519PrivateKey):
        return _ed25519(private)
    kind = type(private).__name__.removesuffix("PrivateKey")
    raise ValueError(f"the key is of the kind {kind}; DKIM knows RSA and Ed25519")


def new_key(kind: Literal["rsa", "ed25519"]) -> str:
    """A new private key as PEM; RSA of 2048 bits, which every verifier and a DNS answer take."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    private: PrivateKey = (
        generate_private_key(65537, _NEW_RSA_BITS)
        if kind == "rsa"
        else Ed25519PrivateKey.generate()
    )
    return signing_key(private).pem().decode()


def _rsa(private: RSAPrivateKey) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    if private.key_size < _RSA_BITS:
        raise ValueError(
            f"the RSA key has {private.key_size} bits, which receivers reject; make one of 2048"
        )
    padding, digest = PKCS1v15(), SHA256()
    return SigningKey("rsa-sha256", lambda data: private.sign(data, padding, digest), private)


def _ed25519(private: Ed25519PrivateKey) -> SigningKey:
    def sign(data: bytes) -> bytes:
        return private.sign(hashlib.sha256(data).digest())  # RFC 8463 section 3

    return SigningKey("ed25519-sha256", sign, private)


def _loaded(pem: str | bytes | Secret) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = pem if isinstance(pem, bytes) else reveal(pem).encode(errors="replace")
    try:
        return load_pem_private_key(text, None)
    except TypeError:  # "Password was not given but private key is encrypted"
        raise ValueError(
            "the key is encrypted; decrypt it: openssl pkey -in encrypted.pem -out key.pem"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(_what_it_is(text)) from None


def _what_it_is(text: bytes) -> str:
    if b"-----BEGIN PUBLIC KEY-----" in text:
        return "this is the public key, which belongs in DNS; give the private key"
    if b"-----BEGIN OPENSSH PRIVATE KEY-----" in text:
        return "this is an OpenSSH key; make one for DKIM: openssl genrsa -out key.pem 2048"
    return (
        "this is no private key in PEM form; it starts with the line -----BEGIN PRIVATE KEY----- "
        "or -----BEGIN RSA PRIVATE KEY----- and its line breaks are real ones"
    )
