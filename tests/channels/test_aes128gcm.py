"""Encryption for browsers: the RFC's example, and what another library decrypts."""

from __future__ import annotations

import base64

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from vero_channels.transport.aes128gcm import encrypt

BROWSER = generate_private_key(SECP256R1())
P256DH = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
AUTH = bytes(range(16))


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8291() -> None:
    """Appendix A, octet by octet."""
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        octets(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        octets("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=octets("DGv6ra1nlYgDCS1FRnbzlw"),
        sender=derive_private_key(
            int.from_bytes(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), SECP256R1()
        ),
    )
    assert body == octets(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=3993))
@settings(max_examples=50, deadline=None)
def test_others_decrypt_it(plaintext: bytes) -> None:
    """http_ece, with which other senders encrypt, reads it; it is 103 octets longer."""
    body = encrypt(plaintext, P256DH, AUTH)
    assert len(body) == len(plaintext) + 103 <= 4096
    assert http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH) == plaintext


def test_no_two_are_alike() -> None:
    """Each message has its own salt and its own key."""
    first, second = encrypt(b"x", P256DH, AUTH), encrypt(b"x", P256DH, AUTH)
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


@pytest.mark.parametrize(
    "point",
    [b"", P256DH[:-1], b"\4" + b"\xff" * 64, b"\2" + P256DH[1:33], b"\0" * 65],
    ids=["empty", "short", "off the curve", "compressed", "zero"],
)
def test_what_is_no_key_is_refused(point: bytes) -> None:
    """A point off the curve would give its chooser our secrets."""
    with pytest.raises(ValueError, match="p256dh is no point of P-256"):
        encrypt(b"x", point, AUTH)


def test_auth_has_16_octets() -> None:
    """Another length is a subscription that was not copied whole."""
    with pytest.raises(ValueError, match="auth has 15 octets instead of 16"):
        encrypt(b"x", P256DH, AUTH[1:])
