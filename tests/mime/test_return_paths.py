"""Return paths: every delivery's own, short enough, and believed only where signed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver import mime
from vero_deliver.mime import Named, key_digest, named_by, return_path
from vero_deliver.secret import Secret
from vero_deliver.testing import HOSTILE_KEYS, sample_email

SECRET = Secret("a secret of many octets")
OTHER = Secret("another secret of many octets")
DOMAIN = "bounce.example.com"


def test_known_address() -> None:
    """The address of a key never changes: bounces come days after a release."""
    found = return_path("order-1001-email", DOMAIN, SECRET)
    assert found == "b+order-1001-email.ggqwdxxelvno@bounce.example.com"
    found = return_path("Order 1001", DOMAIN, SECRET)
    assert found == f"b+{key_digest('Order 1001')}+xwhs7jt5qfuo@bounce.example.com"


@given(
    st.text() | st.from_regex(r"[a-z0-9._-]{1,60}", fullmatch=True) | st.sampled_from(HOSTILE_KEYS)
)
def test_every_key_fits_and_comes_back(key: str) -> None:
    """Whatever the key, the address is safe in a command, and names key or digest."""
    address = return_path(key, DOMAIN, SECRET)
    local, _, domain = address.partition("@")
    assert len(local) <= 64
    assert re.fullmatch(r"[a-z0-9+._-]+", local)
    assert mime.check_address(address) == address
    named = named_by(address, SECRET)
    assert named is not None
    assert named.key in (key, "")
    assert named.digest == key_digest(key)
    assert domain == DOMAIN


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("k" * 49, True),
        ("k" * 50, False),
        ("a.b-c_d", True),
        ("a..b", False),
        (".a", False),
        ("a.", False),
        ("Order", False),
        ("order:1", False),
        ("", False),
    ],
)
def test_which_keys_are_kept(key: str, kept: bool) -> None:
    """Short lower-case keys stand in the address themselves."""
    named = named_by(return_path(key, DOMAIN, SECRET), SECRET)
    assert named == Named(key if kept else "", key_digest(key))


def test_digest_is_the_message_ids() -> None:
    """A key that does not fit is found by its Message-ID."""
    assert mime.message_id(sample_email(), "Order 1") == f"<{key_digest('Order 1')}@example.com>"


@pytest.mark.parametrize("key", ["order-1", "Order 1"])
def test_case_and_domain_may_change(key: str) -> None:
    """Servers that write capitals, or an alias of the domain, lose nothing."""
    local = return_path(key, DOMAIN, SECRET).partition("@")[0]
    assert named_by(f"{local.upper()}@other.example", SECRET) == named_by(
        f"{local}@{DOMAIN}", SECRET
    )
    assert named_by(f"{local.upper()}@other.example", SECRET)


def test_rotated_secret() -> None:
    """Bounces of what was sent before a rotation are still known."""
    address = return_path("order-1", DOMAIN, SECRET)
    assert named_by(address, OTHER, SECRET) == Named("order-1", key_digest("order-1"))
    assert named_by(address, OTHER) is None
    assert named_by(address) is None


@pytest.mark.parametrize("key", ["order-1", "Order 1"])
def test_nothing_else_is_believed(key: str) -> None:
    """One other character anywhere in the local part, and it names nothing."""
    local = return_path(key, DOMAIN, SECRET).partition("@")[0]
    for at, char in enumerate(local):
        forged = local[:at] + ("b" if char != "b" else "a") + local[at + 1 :]
        assert named_by(f"{forged}@{DOMAIN}", SECRET) is None


@given(st.text())
def test_any_text_is_answered(address: str) -> None:
    """No address of a bounce is an error."""
    assert named_by(address, SECRET) is None
    assert named_by(f"b+{address}.aaaaaaaaaaaa@{DOMAIN}", SECRET) is None


def test_a_key_is_no_digest() -> None:
    """A key that looks like another's digest does not stand for it."""
    digest = key_digest("Order 1")
    assert return_path(digest, DOMAIN, SECRET) != return_path("Order 1", DOMAIN, SECRET)
    assert named_by(return_path(digest, DOMAIN, SECRET), SECRET) == Named(
        digest, key_digest(digest)
    )


@pytest.mark.parametrize("domain", ["", "a b", "bounce.example.com>\r\nRCPT", "x" * 64 + ".com"])
def test_bad_domain_is_an_error(domain: str) -> None:
    """The domain cannot break out of the command."""
    with pytest.raises(ValueError, match="label"):
        return_path("order-1", domain, SECRET)


def test_domain_becomes_a_labels() -> None:
    """An internationalised domain is written as DNS has it."""
    assert return_path("order-1", "příklad.CZ", SECRET).endswith("@xn--pklad-zsa96e.cz")


def test_short_secret_is_refused() -> None:
    """A secret that can be guessed is an error that does not show it."""
    with pytest.raises(ValueError, match="16 or more") as caught:
        return_path("order-1", DOMAIN, Secret("hunter2"))
    assert "hunter2" not in str(caught.value)
