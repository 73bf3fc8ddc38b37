"""What a server's refusal says about an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.feedback import Reason
from vero_deliver.feedback.status import refusal


@pytest.mark.parametrize(
    ("words", "reason", "permanent"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist", "invalid", True),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", "invalid", True),
        ("550 5.4.1 Recipient address rejected: Access denied", "invalid", True),
        ("550 5.2.1 The email account that you tried to reach is disabled", "invalid", True),
        ("556 5.1.10 example.org has a null MX", "invalid", True),
        ("550 5.4.4 no such host", "invalid", True),
        ("552 5.2.2 The email account is over quota", "bounced", False),
        ("452 4.2.2 mailbox full", "bounced", False),
        ("552 mailbox full", "bounced", False),
        ("552-5.3.4 message too large", "bounced", False),
        ("550 5.7.1 blocked using zen.spamhaus.org", "blocked", False),
        ("550 5.7.26 unauthenticated sender", "blocked", False),
        ("550 5.7.1 this message looks like spam", "spam", False),
        ("554 5.7.1 <unknown@spam.example>: Relay access denied", "blocked", False),
        ("550 no such user here", "invalid", True),
        ("550 <blocked@spam.example>: user unknown", "invalid", True),
        ("550 5.0.0 550 5.1.1 unknown", "invalid", True),
        ("554 rejected, sender on black list", "blocked", False),
        ("550 go away", "bounced", True),
        ("450 4.2.0 greylisted, try again", "bounced", False),
        ("421 4.4.2 connection timed out", "timed_out", False),
        ("4.4.7 delivery time expired", "timed_out", False),
        ("451 4.1.1 mailbox not yet there", "invalid", False),
        ("553 5.1.8 sender address does not exist", "other", None),
        ("no code at all", "bounced", None),
        ("", "bounced", None),
        ("version 5.10.2.1 of 192.0.2.1", "bounced", None),
    ],
)
def test_refusal(words: str, reason: Reason, permanent: bool | None) -> None:
    """The words of real servers."""
    found = refusal(words)
    assert (found.reason, found.permanent) == (reason, permanent)


def test_given_code_and_status_count() -> None:
    """What a provider tells apart comes before what stands in the words."""
    found = refusal("host said: 550 no", code=451, status="4.7.0")
    assert (found.code, found.status, found.permanent) == (451, "4.7.0", False)
    assert refusal("550 5.1.1 no", code=605, status="nonsense").code == 550


@given(st.text(), st.none() | st.integers(), st.text())
def test_any_words(words: str, code: int | None, status: str) -> None:
    """Nothing that a server says is an error."""
    found = refusal(words, code=code, status=status)
    assert found.code is None or 200 <= found.code < 600


@pytest.mark.timeout(5)
@pytest.mark.parametrize("words", ["a" * 10**6, "@" * 10**6, "user " * 10**5, "5.1" * 10**5])
def test_long_words(words: str) -> None:
    """A long diagnostic takes no long time."""
    assert refusal(words).reason
