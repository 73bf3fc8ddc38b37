"""Tokens of push reports: made by us, or worth nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vero_deliver.errors import ConfigError
from vero_deliver.push_reports import Reported, make_token, read_token
from vero_deliver.secret import Secret
from vero_deliver.testing import HOSTILE_KEYS, NOON

SECRET = Secret("correct-horse-battery")
FORMER = Secret("a-secret-of-last-year")


def token(key: str = "order-1-push", secret: Secret = SECRET) -> str:
    return make_token(secret, channel="fcm", key=key, at=NOON)


def test_a_token_names_its_push() -> None:
    """Channel, key and moment come back, whatever the key is made of."""
    for key in HOSTILE_KEYS:
        made = token(key[:200])
        assert made.isascii()
        assert read_token(made, [SECRET], now=NOON) == Reported("fcm", key[:200], NOON)


def test_the_same_push_has_the_same_token() -> None:
    """A push that is rendered again is equal, octet by octet."""
    assert token() == token()
    assert token("a") != token("b")


def test_any_change_is_noticed() -> None:
    """No character of a token may be changed, none be missing or added."""
    good = token()
    changed = {
        good[:n] + c + good[n + 1 :] for n in range(len(good)) for c in "A.~" if good[n] != c
    }
    changed |= {good[:-1], good[1:], good + "A", good + ".", "." + good, "", ".", "ž.ž"}
    for each in changed - {good}:
        with pytest.raises(ValueError, match="token"):
            read_token(each, [SECRET], now=NOON)


def test_secrets_can_be_changed() -> None:
    """A token of a former secret is read while that is given, and then no more."""
    old = token(secret=FORMER)
    assert read_token(old, [SECRET, FORMER], now=NOON).key == "order-1-push"
    with pytest.raises(ValueError, match="not signed with our secret"):
        read_token(old, [SECRET], now=NOON)


def test_a_token_ends() -> None:
    """Sixty days after the rendering it is worth nothing."""
    assert read_token(token(), [SECRET], now=NOON + timedelta(days=60))
    with pytest.raises(ValueError, match="older than 60 days"):
        read_token(token(), [SECRET], now=NOON + timedelta(days=60, seconds=1))


def test_seconds_are_what_a_token_keeps() -> None:
    """The moment is UTC and whole seconds, whatever timezone it was given in."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    made = make_token("s" * 16, channel="c", key="k", at=at)
    assert read_token(made, ["s" * 16], now=at).at == at.replace(microsecond=0)


def test_a_secret_has_to_be_one() -> None:
    """No secret, or a short one, is a mistake of the configuration and shows nothing."""
    with pytest.raises(ConfigError, match="less than 16 characters") as caught:
        token(secret=Secret("hunter2"))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="give the secret"):
        read_token(token(), [], now=NOON)
