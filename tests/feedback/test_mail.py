"""Feedback that comes as mail, from servers that follow the RFCs and from others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import mail_samples as samples
import pytest
from flufl.bounce import all_failures
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_samples import DIGEST, KEY, MESSAGE_ID, PATH, SECRET, arf, report

from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import MEANING, Feedback
from vero_deliver.feedback.mail import read_mail
from vero_deliver.secret import Secret

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(raw: bytes, **more: Any) -> list[Feedback]:
    return read_mail(raw, **{"secrets": [SECRET], "at": NOON, **more})


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "POSTFIX",
            {
                "kind": "bounced",
                "reason": "invalid",
                "permanent": True,
                "smtp_code": 550,
                "enhanced_status": "5.1.1",
                "recipient": "ada+news@example.org",
            },
        ),
        (
            "POSTFIX_DELAYED",
            {"kind": "deferred", "reason": "timed_out", "permanent": False},
        ),
        (
            "POSTFIX_EXPIRED",
            {"kind": "bounced", "reason": "timed_out", "permanent": False},
        ),
        ("EXCHANGE", {"kind": "bounced", "reason": "invalid", "enhanced_status": "5.1.10"}),
        ("GMAIL", {"kind": "bounced", "reason": "spam", "permanent": False}),
        ("GLOBAL", {"kind": "bounced", "recipient": "jörg@example.org", "permanent": True}),
        (
            "EXIM",
            {
                "kind": "bounced",
                "reason": "invalid",
                "permanent": True,
                "smtp_code": 550,
                "recipient": "ada@example.org",
            },
        ),
        ("EXIM_WARNING", {"kind": "deferred", "recipient": "ada@example.org"}),
        (
            "VACATION",
            {"kind": "autoresponded", "recipient": "ada@example.org", "permanent": None},
        ),
    ],
)
def test_mail_of(sample: str, expected: dict[str, Any]) -> None:
    """Each server's form gives the same vocabulary, and the delivery that its return path names."""
    [found] = read(getattr(samples, sample))
    assert {name: getattr(found, name) for name in expected} == expected
    assert (found.key, found.digest, found.channel) == (KEY, DIGEST, "smtp")
    assert found.at.tzinfo is UTC


def test_qmail_names_each_address() -> None:
    """The words of each recipient are its own."""
    ada, bob = read(samples.QMAIL)
    assert (ada.recipient, bob.recipient) == ("ada@example.org", "bob@example.org")
    assert (ada.enhanced_status, bob.enhanced_status) == ("5.1.1", "5.1.2")
    assert ada.permanent
    assert "Sorry" in bob.diagnostic


def test_every_action() -> None:
    """Delayed is no bounce, relayed no delivery, a full mailbox no dead address."""
    found = read(samples.SEVERAL)
    assert [(one.recipient.partition("@")[0], one.kind, one.permanent) for one in found] == [
        ("full", "bounced", False),
        ("late", "deferred", False),
        ("ok", "delivered", None),
        ("far", "sent", None),
        ("list", "delivered", None),
        ("new", "unknown", None),
    ]
    assert len({one.id for one in found}) == len(found)


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ("abuse", "complained", "spam"),
        ("Abuse", "complained", "spam"),
        ("fraud", "complained", "spam"),
        ("virus", "complained", "other"),
        ("opt-out", "unsubscribed", ""),
        ("not-spam", "unknown", ""),
        ("auth-failure", "unknown", ""),
        ("other", "unknown", ""),
    ],
)
def test_complaint(told: str, kind: str, reason: str) -> None:
    """A type of ARF; not-spam is no complaint."""
    [found] = read(arf(told))
    assert (found.kind, found.reason, found.recipient) == (kind, reason, "ada@example.org")
    assert (found.key, found.ip) == (KEY, "192.0.2.1")


def test_complaint_without_a_recipient() -> None:
    """Who is not named by the report is the original's To."""
    [found] = read(arf("abuse", ""))
    assert found.recipient == "ada@example.org"
    assert found.provider_id == MESSAGE_ID


def test_complaint_in_a_loops_mailbox() -> None:
    """A feedback loop's mail comes to another address; the report itself has the return path."""
    raw = arf("abuse").replace(f"Delivered-To: {PATH}".encode(), b"Delivered-To: fbl@example.com")
    [found] = read(raw.replace(f"\r\nTo: {PATH}".encode(), b"\r\nTo: fbl@example.com", 1))
    assert found.key == KEY


def test_reply_of_a_person_is_no_feedback() -> None:
    """What a person wrote is nothing here, whatever its subject."""
    assert read(samples.REPLY) == []
    assert read(b"") == []


def test_unsigned_bounce_is_not_authentic() -> None:
    """A bounce that anybody could have written suppresses nobody."""
    raw = samples.POSTFIX.replace(PATH.encode(), b"shop@example.com")
    with pytest.raises(NotAuthentic):
        read(raw)
    with pytest.raises(NotAuthentic):
        read(samples.POSTFIX, secrets=[Secret("another secret, long enough")])


def test_rotated_secret() -> None:
    """Bounces of what was sent before the rotation."""
    [found] = read(samples.POSTFIX, secrets=[Secret("another secret, long enough"), SECRET])
    assert found.key == KEY


def test_envelope_counts() -> None:
    """The address that the server was told, where no header has it."""
    raw = samples.POSTFIX.replace(PATH.encode(), b"shop@example.com")
    [found] = read(raw, recipient=PATH.upper())
    assert found.key == KEY


def test_without_return_paths() -> None:
    """Who signs none gets what the mail says: the digest of its Message-ID."""
    for raw in (samples.POSTFIX, samples.POSTFIX_DELAYED, samples.EXIM, samples.QMAIL):
        found = read(raw, secrets=())[0]
        assert (found.key, found.digest, found.provider_id) == ("", DIGEST, MESSAGE_ID)


def test_id_is_the_mails() -> None:
    """The same mail, fetched twice, has the same ids."""
    first, second = read(samples.POSTFIX), read(b"Received: by mx\r\n" + samples.POSTFIX)
    assert first[0].id == second[0].id == "<bounce-1@mx.example.org>/0"


def test_date_is_the_mails_unless_it_is_later() -> None:
    """A date in the future is the clock of somebody else."""
    assert read(samples.POSTFIX)[0].at == datetime(2026, 11, 24, 10, tzinfo=UTC)
    early = NOON - timedelta(days=1)
    assert read(samples.POSTFIX, at=early)[0].at == early
    assert read(samples.POSTFIX.replace(b"Date: Tue", b"Date: no"), at=NOON)[0].at <= NOON


def test_message_id_is_not_believed_over_the_return_path() -> None:
    """Who has one signed address cannot make a bounce for another delivery."""
    raw = samples.POSTFIX.replace(MESSAGE_ID.encode(), f"<{'0' * 32}@example.com>".encode())
    [found] = read(raw)
    assert (found.key, found.digest, found.provider_id) == (KEY, DIGEST, "")


def test_secret_that_is_too_short_is_the_callers_error() -> None:
    """A wrong configuration is no broken mail."""
    with pytest.raises(ValueError, match="16 or more"):
        read(samples.POSTFIX, secrets=[Secret("short")])


def test_report_without_recipients_is_read_as_words() -> None:
    """A report that has lost its fields may still say it in words."""
    raw = report("Reporting-MTA: dns; x", words="<ada@example.org>:\n550 5.1.1 unknown user")
    [found] = read(raw)
    assert (found.kind, found.recipient, found.permanent) == ("bounced", "ada@example.org", True)


FLUFL = ["POSTFIX", "POSTFIX_EXPIRED", "EXCHANGE", "GMAIL", "EXIM", "QMAIL", "POSTFIX_DELAYED"]


@pytest.mark.parametrize("sample", FLUFL)
def test_mailmans_reader_agrees(sample: str) -> None:
    """flufl.bounce finds the same addresses, for good or for now."""
    raw: bytes = getattr(samples, sample)
    temporary, permanent = all_failures(message_from_bytes(raw))
    found = read(raw)
    theirs = {address.decode() for address in temporary | permanent}
    # it leaves the xtext of RFC 3461 as it is
    assert {one.recipient.replace("+", "+2B") for one in found} == theirs
    assert bool(temporary) == (found[0].kind == "deferred")


ALL = [value for value in vars(samples).values() if isinstance(value, bytes)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), st.data())
def test_broken_mail(sample: bytes, data: st.DataObject) -> None:
    """A mail with anything anywhere gives feedback or one of our errors."""
    at = data.draw(st.integers(0, len(sample)))
    length = data.draw(st.integers(0, 40))
    raw = sample[:at] + data.draw(st.binary(max_size=30)) + sample[at + length :]
    try:
        found = read(raw)
    except (NotAuthentic, NotUnderstood):
        return
    for one in found:
        assert one.kind in MEANING
        assert isinstance(one.recipient, str)
        assert one.at <= NOON


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 50_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
            for n in range(3000)
        ),
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        report("Final-Recipient: rfc822; " + "a" * 500_000 + "\nAction: failed"),
        b"From: mailer-daemon@x\r\nSubject: undeliverable\r\n\r\n" + b"a@" * 500_000,
        b"From: mailer-daemon@x\r\nSubject: undeliverable\r\n\r\n" + b"---" * 300_000,
        b"X-Failed-Recipients: " + b"a@b," * 200_000 + b"\r\n\r\n",
        b"Content-Type: text/plain; charset=nonsense\r\nX-Failed-Recipients: a@b\r\n\r\n\xff",
        b"Delivered-To: " + b"b+" * 100_000 + b"\r\nX-Failed-Recipients: a@b\r\n\r\n",
    ],
)
@pytest.mark.timeout(10)
def test_large_mail(raw: bytes) -> None:
    """Nothing takes long, nothing falls over."""
    try:
        found = read(raw, secrets=())
    except NotUnderstood:
        return
    assert len(found) <= 50
    assert all(len(one.diagnostic) <= 2000 for one in found)
