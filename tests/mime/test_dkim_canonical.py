"""Canonical forms and signatures against the RFCs' own examples."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed, Simple
from dkim_samples import SIGNED_AT, tags, verdicts
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver import mime
from vero_deliver.mime.canonical import (
    header_fields,
    relaxed_body,
    relaxed_name,
    relaxed_value,
    simple_body,
)

# RFC 6376 section 3.4.5, example 1 and 2
HEAD = b"A: X\r\nB : Y\t\r\n\tZ  "
BODY = b" C \r\nD \t E\r\n\r\n\r\n"

# RFC 8463 appendix A
ED25519_SEED = base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
RSA_KEY = """-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi
Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM
KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm
6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe
zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy
6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc
uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy
WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd
WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a
licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst
o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe
uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL
-----END RSA PRIVATE KEY-----
"""
RECORDS = {
    "brisbane._domainkey.football.example.com": (
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    ),
    "test._domainkey.football.example.com": (
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
        "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
        "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
        "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    ),
}
BODY_HASH = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
UNSIGNED = {
    "brisbane": """\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=""",
    "test": """\
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=""",
}
SIGNATURES = {
    "brisbane": "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
    "test": "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
    "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
}
MESSAGE = b"""\
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
COVERED = [b"from", b"to", b"subject", b"date", b"message-id"]  # their second naming adds nothing

bodies = st.text(" \ta.\x0b\x0c\xa0\n", max_size=60).map(
    lambda text: text.replace("\n", "\r\n").encode()
)


def rfc_signer(selector: str) -> mime.Signer:
    """A signer with the RFC's key."""
    key = RSA_KEY if selector == "test" else Ed25519PrivateKey.from_private_bytes(ED25519_SEED)
    return mime.Signer("football.example.com", selector, key, identity="@football.example.com")


def relaxed(head: bytes) -> dict[bytes, bytes]:
    """The fields of a header in their relaxed form, by name."""
    names, values = header_fields(head)
    listed = zip(map(relaxed_name, names), map(relaxed_value, values), strict=True)
    return {name: b"%b:%b\r\n" % (name, value) for name, value in listed}


def test_rfc_6376_relaxed_header() -> None:
    """Names in lower case, values unfolded, blanks reduced, in their order."""
    assert relaxed(HEAD) == {b"a": b"a:X\r\n", b"b": b"b:Y Z\r\n"}


def test_rfc_6376_relaxed_body() -> None:
    """Blanks are reduced, and gone at line ends; so are empty lines at the end."""
    assert relaxed_body(BODY) == b" C\r\nD E\r\n"


def test_rfc_6376_simple_body() -> None:
    """Only empty lines at the end are gone."""
    assert simple_body(BODY) == b" C \r\nD \t E\r\n"


def test_empty_bodies() -> None:
    """The hashes that RFC 6376 sections 3.4.3 and 3.4.4 print for a body of nothing."""
    hashes = [
        base64.b64encode(hashlib.sha256(form(body)).digest()).decode()
        for form in (simple_body, relaxed_body)
        for body in (b"", b"\r\n\r\n")
    ]
    assert hashes == [
        *["frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="] * 2,
        *["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] * 2,
    ]


folded = st.text(" \ta:\xa0\n", max_size=30).map(lambda text: text.replace("\n", "\r\n ").encode())


@given(st.lists(folded, min_size=1, max_size=4))
def test_relaxed_fields_are_dkimpys(written: list[bytes]) -> None:
    """Any values, folded anyhow, have the same relaxed form as in dkimpy."""
    given_fields = [(b"X-%d" % at, b" " + value) for at, value in enumerate(written)]
    head = b"\r\n".join(b"%b:%b" % field for field in given_fields)
    assert list(relaxed(head).items()) == [
        (name, b"%b:%b" % (name, value))
        for name, value in Relaxed.canonicalize_headers(
            [(name, value + b"\r\n") for name, value in given_fields]
        )
    ]


@given(bodies)
def test_simple_bodies_are_dkimpys(body: bytes) -> None:
    """Any body has the same simple form as in dkimpy."""
    assert simple_body(body) == Simple.canonicalize_body(body)


@given(bodies)
def test_relaxed_bodies_are_dkimpys(body: bytes) -> None:
    """Any body of whole lines has the same relaxed form as in dkimpy."""
    # dkimpy keeps a blank before an end that has no CRLF; the RFC adds the CRLF
    whole = body if body.endswith(b"\r\n") else body + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(whole)


@pytest.mark.parametrize("selector", ["brisbane", "test"])
def test_rfc_8463_signatures(selector: str) -> None:
    """What the RFC signed, signed with its keys, gives its signatures to the bit."""
    head, _, body = MESSAGE.partition(b"\r\n\r\n")
    fields = relaxed(head)
    own = UNSIGNED[selector].replace("\n", "\r\n").encode()
    unsigned = relaxed(own)[b"dkim-signature"].removesuffix(b"\r\n")
    data = b"".join(fields[name] for name in COVERED) + unsigned
    assert base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode() == BODY_HASH
    signature = rfc_signer(selector).signature(data)
    assert base64.b64encode(signature).decode() == SIGNATURES[selector]


@pytest.mark.parametrize("selector", ["brisbane", "test"])
def test_rfc_8463_message(selector: str) -> None:
    """The RFC's message signed with its keys verifies by its DNS records, with its body hash."""
    raw = mime.sign(MESSAGE, [rfc_signer(selector)], SIGNED_AT)
    assert verdicts(raw, RECORDS) == [True]
    assert tags(raw)["bh"] == BODY_HASH
