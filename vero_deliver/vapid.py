"""The key by which push services know a sender of Web Push: VAPID (RFC 8292), ES256 (RFC 7518)."""

from __future__ import annotations

import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vero_deliver.secret import Secret, reveal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_LIFE: Final = 12 * 3600  # seconds; RFC 8292 section 2 allows 24 hours
_LEFT: Final = 3600  # seconds that a token still has when it is used
_ORIGINS: Final = 200  # tokens kept


class Vapid:
    """Signs for push services: one token for each, kept for hours.

    private_key: PEM, or the 32 octets in base64url, as other tools write them. subject: how a
    push service reaches you, "mailto:ops@example.com" or an https URL. ValueError where either
    is wrong; it shows nothing of the key.
    """

    def __init__(
        self,
        private_key: str | Secret,
        subject: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not subject.startswith(("mailto:", "https://")) or len(subject.split()) != 1:
            raise ValueError('subject is an address to reach you: "mailto:ops@example.com"')
        self._key = _loaded(reveal(private_key).strip())
        self._subject, self._clock = subject, clock
        self._tokens: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self.public_key: Final = _base64(_point(self._key))
        """The public half in base64url: the applicationServerKey of the page."""

    def __repr__(self) -> str:
        return f"Vapid({self._subject!r}, public_key={self.public_key!r})"

    def authorization(self, origin: str) -> Secret:
        """The value of Authorization for a push service: "https://push.example.net"."""
        now = self._clock()
        expires, token = self._tokens.get(origin, (0.0, ""))
        if not now + _LEFT <= expires <= now + _LIFE:  # also where the clock was set back
            expires, token = now + _LIFE, self._token(origin, int(now + _LIFE))
            self._tokens[origin] = expires, token
            if len(self._tokens) > _ORIGINS:
                self._tokens.popitem(last=False)
        return Secret(f"vapid t={token}, k={self.public_key}")

    def _token(self, origin: str, expires: int) -> str:
        claims = {"aud": origin, "exp": expires, "sub": self._subject}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (_HEADER, claims))
        return f"{signed}.{_base64(_es256(self._key, signed.encode()))}"


_HEADER: Final = {"typ": "JWT", "alg": "ES256"}


def new_vapid_key() -> str:
    """A new private key as PEM, PKCS #8."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _loaded(text: str) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import (
        SECP256R1,
        EllipticCurvePrivateKey,
        derive_private_key,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if not text.startswith("-----"):
            octets = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if len(octets) != 32:
                raise ValueError(text)
            return derive_private_key(int.from_bytes(octets), SECP256R1())
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # none of them, or encrypted
        key = None
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError(
        "private_key is no private key of P-256, in PEM or 32 octets in base64url; make one: "
        "vero-deliver key new vapid"
    )


def _point(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _es256(key: EllipticCurvePrivateKey, signed: bytes) -> bytes:
    """The signature as RFC 7518 section 3.4 has it: two numbers of 32 octets."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    r, s = decode_dss_signature(key.sign(signed, ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")
