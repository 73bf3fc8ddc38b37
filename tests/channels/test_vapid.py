"""VAPID: tokens that others verify, made once per push service."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from py_vapid import Vapid02

from vero_deliver.secret import Secret
from vero_deliver.vapid import Vapid, new_vapid_key

PEM = new_vapid_key()
SUBJECT = "mailto:ops@example.com"
SERVICE = "https://push.example.net"


def claims(authorization: Secret) -> Any:
    token = authorization.reveal().split("t=")[1].split(",")[0]
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_others_verify_it() -> None:
    """py-vapid accepts the signature and the key beside it."""
    vapid = Vapid(PEM, SUBJECT)
    header = vapid.authorization(SERVICE).reveal()
    assert header.startswith("vapid t=")
    assert header.endswith(f", k={vapid.public_key}")
    assert Vapid02.verify(header.replace(", ", ","))
    other = Vapid(new_vapid_key(), SUBJECT).public_key
    assert not Vapid02.verify(header.replace(", ", ",").replace(vapid.public_key, other))


def test_claims() -> None:
    """The audience is the service's origin, the end 12 hours away, the subject the sender's."""
    made = Vapid(PEM, SUBJECT, clock=lambda: 1_700_000_000.5).authorization(SERVICE)
    assert claims(made) == {"aud": SERVICE, "exp": 1_700_043_200, "sub": SUBJECT}


def test_a_token_is_kept_for_its_service() -> None:
    """One for each origin; a new one an hour before its end, or where the clock went back."""
    now = 1_700_000_000.0
    vapid = Vapid(PEM, SUBJECT, clock=lambda: now)
    first = vapid.authorization(SERVICE)
    assert claims(vapid.authorization("https://other.example.net"))["aud"] != SERVICE
    now += 11 * 3600
    assert vapid.authorization(SERVICE) == first
    now += 1
    assert claims(vapid.authorization(SERVICE))["exp"] == int(now) + 43_200
    now -= 3600
    assert claims(vapid.authorization(SERVICE))["exp"] == int(now) + 43_200


def test_tokens_do_not_pile_up() -> None:
    """Endpoints are chosen by subscribers, so that what is kept is bounded."""
    vapid = Vapid(PEM, SUBJECT)
    for number in range(250):
        vapid.authorization(f"https://{number}.example.net")
    assert len(vapid._tokens) == 200


def test_the_key_of_other_tools() -> None:
    """32 octets in base64url, as web-push writes them, are the same key."""
    key = Vapid(PEM, SUBJECT)._key.private_numbers().private_value.to_bytes(32)
    raw = base64.urlsafe_b64encode(key).decode()
    for form in (raw, raw.rstrip("="), f" {raw}\n"):
        assert Vapid(Secret(form), SUBJECT).public_key == Vapid(PEM, SUBJECT).public_key


def pem(curve: Any = None, password: bytes = b"") -> str:
    key = generate_private_key(curve or SECP384R1())
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize(
    "key",
    ["", "hunter2", pem(), pem(password=b"x"), "A" * 43, "žžž", "-----BEGIN PRIVATE KEY-----"],
    ids=["empty", "word", "P-384", "encrypted", "zero", "letters", "half"],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    """The error shows nothing of it and says how to make one."""
    with pytest.raises(ValueError, match="vero-deliver key new vapid") as caught:
        Vapid(key, SUBJECT)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("subject", ["", "ops@example.com", "http://example.com", "mailto:a\nb"])
def test_a_subject_is_a_way_to_reach_us(subject: str) -> None:
    """Apple refuses any other."""
    with pytest.raises(ValueError, match="subject is an address to reach you"):
        Vapid(PEM, subject)


def test_repr_shows_no_key() -> None:
    """Only the public half is shown."""
    vapid = Vapid(PEM, SUBJECT)
    assert vapid.public_key in repr(vapid)
    assert PEM.split("\n")[1] not in repr(vapid)
