"""Signers: keys in every form, names checked, nothing of a key shown."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim_samples import SIGNED_AT, ed25519, ed25519_key, newsletter, rsa, rsa_key, verdicts

from vero_deliver import mime
from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret

# nobody's: openssl genrsa 512
SHORT_KEY = """\
-----BEGIN RSA PRIVATE KEY-----
MIIBOgIBAAJBAPO0Pw3JI8ENWjZO2WifwiiflNnxmO4wrYIeVR6D19+BKOfj0Mhn
sy9ruKzd4G1XGaDhFsVlBgwqvQPnkapRQ00CAwEAAQJAe5ROWR5DHDU6JsnrI0vH
+DOcFryVkUtr4Myi2zt+L15hXrWcIo0UcyF4+NCyxbSdcVB9XejC79zpqN/AMMt9
/QIhAPnpUEQF7ySpFsXuWpcA4/v4LEhxZJpPBg56yakfK1FHAiEA+aQ32DgFF/qQ
2O+xSSSpIx0IWXe8WVa9ACUSh7+xsMsCIQCXqXvIjEFg4iyr2caoNSYmV6moHQiM
jMCEMQgI1p2XKQIgT2rXvThtHmi/BdSTENLR3/LPgi7eQ4mdjNs+XuMz8ysCIHvH
R3pKbMxAIUsKrmYBhCgcSz2JA3kiyBsWp+/AsM1r
-----END RSA PRIVATE KEY-----
"""


def pem(
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    raw = rsa_key().private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return raw.decode()


def signer(key: str | bytes | Secret) -> mime.Signer:
    return mime.Signer("example.com", "rsa1", key)


@pytest.mark.parametrize(
    "key",
    [
        pem(),
        pem(PrivateFormat.TraditionalOpenSSL),
        pem().encode(),
        Secret(pem()),
        pem().replace("\n", "\r\n"),
        "\n" + pem().replace("\n", "\n  "),
    ],
    ids=["pkcs8", "pkcs1", "bytes", "secret", "crlf", "indented"],
)
def test_every_form_of_a_key_signs(key: str | bytes | Secret) -> None:
    """The same RSA key in any form makes the same signature."""
    raw = mime.build(newsletter(), "k")
    assert mime.sign(raw, [signer(key)], SIGNED_AT) == mime.sign(raw, [rsa()], SIGNED_AT)


def test_ed25519_pem() -> None:
    """An Ed25519 key in PKCS#8 is recognised."""
    raw = ed25519_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found = mime.Signer("example.com", "ed1", raw)
    assert found.algorithm == "ed25519-sha256"
    assert found.signature(b"x") == ed25519().signature(b"x")


def public_key() -> str:
    public = rsa_key().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ec_key() -> str:
    key = generate_ec_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def openssh_key() -> str:
    raw = ed25519_key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return raw.decode()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: "", "no private key"),
        (lambda: "\ud800 \u010d", "no private key"),
        (lambda: pem()[:400] + "\n-----END PRIVATE KEY-----\n", "no private key"),
        (lambda: pem().replace("\n", "\\n"), "line breaks"),
        (lambda: pem().replace("A", "B"), "no private key"),
        (public_key, "public key"),
        (openssh_key, "OpenSSH"),
        (ec_key, "EllipticCurve|EC"),
        (lambda: pem(encryption=BestAvailableEncryption(b"x")), "encrypted"),
        (lambda: SHORT_KEY, "512 bits"),
    ],
)
def test_unusable_keys_are_refused(make: Callable[[], str], reason: str) -> None:
    """A ConfigError says which key, what is wrong and what to do, and shows no line of it."""
    key = make()
    with pytest.raises(ConfigError, match=reason) as caught:
        signer(key)
    assert "rsa1._domainkey.example.com" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not [line for line in key.split("\n") if len(line) > 40 and line in str(caught.value)]


def test_repr_shows_names_only() -> None:
    """A signer in a log line says where its key is published."""
    assert repr(rsa()) == "Signer(domain='example.com', selector='rsa1')"
    assert str(rsa()) == repr(rsa())


def test_names_are_normalised() -> None:
    """Domain and selector become what DNS has: lower-case A-labels."""
    found = mime.Signer("News.P\u0158\u00cdKLAD.cz", "V1.EU", ed25519_key())
    assert (found.domain, found.selector) == ("news.xn--pklad-zsa96e.cz", "v1.eu")


@pytest.mark.parametrize(
    "selector", ["", "a b", "a;b", "a\r\nb", "-a", "a-", "a..b", ".a", "a_b", "\u010d", "a" * 64]
)
def test_bad_selectors_are_refused(selector: str) -> None:
    """A selector is a DNS name (RFC 6376 section 3.1); nothing else gets into the header."""
    with pytest.raises(ConfigError, match=r"selector for example\.com"):
        mime.Signer("example.com", selector, rsa_key())


def test_names_too_long_for_dns_are_refused() -> None:
    """The record's whole name has at most 253 characters."""
    with pytest.raises(ConfigError, match="too long"):
        mime.Signer("example.com", ".".join(["a" * 60] * 4), rsa_key())


@pytest.mark.parametrize("domain", ["", "exam_ple.com", "a..b", "a b", "\u2100.com", "x;d=y.com"])
def test_bad_domains_are_refused(domain: str) -> None:
    """A domain that is none is a ConfigError with an example of one."""
    with pytest.raises(ConfigError, match=r"DKIM domain.*give one such as"):
        mime.Signer(domain, "v1", rsa_key())


def test_mixed_up_arguments_show_no_key() -> None:
    """A key in the place of domain or selector stays hidden."""
    for arguments in ((pem(), "v1", "example.com"), ("example.com", pem(), "v1")):
        with pytest.raises(ConfigError) as caught:
            mime.Signer(*arguments)
        assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("identity", ["", "@example.com", "a.b@example.com", "@x.example.com"])
def test_identities_in_the_domain(identity: str) -> None:
    """i= is in d= or below it."""
    assert rsa(identity=identity).identity == identity


@pytest.mark.parametrize(
    "identity",
    [
        "example.com",
        "@example.org",
        "@badexample.com",
        "@com",
        "a;b@example.com",
        "a=b@example.com",
        "a b@example.com",
        ".a@example.com",
        "j\u00f6rg@example.com",
        "@",
    ],
)
def test_identities_elsewhere_are_refused(identity: str) -> None:
    """An i= outside d=, or one that would need encoding, is a ConfigError."""
    with pytest.raises(ConfigError, match=r"rsa1\._domainkey\.example\.com"):
        rsa(identity=identity)


@pytest.mark.parametrize(
    "options",
    [{"canonicalization": "simple/simple"}, {"expires_after": 0}, {"expires_after": 1.5}],
)
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    """An unknown canonicalization and a lifetime that is none are ConfigErrors."""
    with pytest.raises(ConfigError, match=next(iter(options))):
        rsa(**options)


def test_pickling_keeps_everything() -> None:
    """A signer signs the same after it has been pickled."""
    raw = mime.build(newsletter(), "k")
    options = {"identity": "@example.com", "canonicalization": "relaxed/simple", "expires_after": 9}
    given = (rsa(**options), ed25519())
    again = pickle.loads(pickle.dumps(given))
    assert mime.sign(raw, again, SIGNED_AT) == mime.sign(raw, given, SIGNED_AT)


def test_worker_processes_sign() -> None:
    """Signing uses one core per process, so signers go to workers that were spawned."""
    raw = mime.build(newsletter(), "k")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        signed = pool.submit(mime.sign, raw, [rsa(), ed25519()], SIGNED_AT).result()
    assert verdicts(signed) == [True, True]
