"""DKIM signatures: other people verify them, and any change that matters breaks them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from dkim_samples import CENTURY, SIGNED_AT, ed25519, newsletter, rsa, rsa_key, tags, verdicts
from hypothesis import example, given, settings
from mime_samples import hostile, sample

from vero_deliver import mime
from vero_deliver.errors import MessageError
from vero_deliver.mime.signer import Canonicalization
from vero_deliver.rendered import Address

FORMS: tuple[Canonicalization, ...] = ("relaxed/relaxed", "relaxed/simple")
Change = Callable[[bytes], bytes]


def signed(*signers: mime.Signer, raw: bytes | None = None) -> bytes:
    return mime.sign(raw or mime.build(newsletter(), "k"), signers or (rsa(), ed25519()), SIGNED_AT)


@pytest.mark.parametrize("form", FORMS)
@given(hostile, hostile, hostile)
@settings(max_examples=100, deadline=None)
@example("", "", "")
@example("  a \t b  ", "\n\n\n", " \n\t\n")
def test_whatever_is_sent_verifies(
    form: Canonicalization, subject: str, text: str, html: str
) -> None:
    """dkimpy accepts RSA and Ed25519 over any built message, in both canonicalizations."""
    email = newsletter(subject=subject, text=text, html=html)
    raw = mime.sign(
        mime.build(email, "k"),
        (rsa(canonicalization=form), ed25519(canonicalization=form)),
        SIGNED_AT,
    )
    assert verdicts(raw) == [True, True]


def test_signers_may_differ_in_canonicalization() -> None:
    """Each signature has the body hash of its own canonicalization."""
    raw = signed(rsa(canonicalization="relaxed/simple"), ed25519())
    assert tags(raw, 0)["bh"] != tags(raw, 1)["bh"]
    assert verdicts(raw) == [True, True]


def test_a_short_message_verifies() -> None:
    """Fields that are missing are named once, and the signature holds."""
    raw = mime.sign(mime.build(sample(), "k"), [rsa()], SIGNED_AT)
    assert verdicts(raw) == [True]
    assert tags(raw)["h"].count("Reply-To") == 1


def test_non_ascii_local_part_verifies() -> None:
    """A message for SMTPUTF8 is signed as its UTF-8 octets (RFC 8616 section 5)."""
    raw = mime.build(newsletter(to=(Address("jörg@example.com"),)), "k")
    assert verdicts(signed(raw=raw)) == [True, True]


def replaced(old: bytes, new: bytes) -> Change:
    def change(raw: bytes) -> bytes:
        assert raw.count(old) == 1
        return raw.replace(old, new)

    return change


def without(name: bytes) -> Change:
    def change(raw: bytes) -> bytes:
        changed, count = re.subn(rb"(?m)^%b: .*\r\n(?:[ \t].*\r\n)*" % name, b"", raw)
        assert count == 1
        return changed

    return change


def in_front(field: bytes) -> Change:
    return lambda raw: field + b"\r\n" + raw


def behind(field: bytes) -> Change:
    return lambda raw: raw.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n", 1)


@pytest.mark.parametrize(
    "change",
    [
        replaced(b"Subject: Hello", b"Subject: Hallo"),
        lambda raw: raw[:-9] + b"x" + raw[-8:],
        replaced(b"From: Vero Shop", b"From: Zero Shop"),
        replaced(b"<https://example.com/u/1>", b"<https://example.org/u/1>"),
        without(b"List-Unsubscribe"),
        without(b"List-Unsubscribe-Post"),
        without(b"Cc"),
        without(b"References"),
        *(
            place(name + b": x@example.org")
            for place in (in_front, behind)
            for name in (b"From", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"Reply-To")
        ),
        in_front(b"List-Unsubscribe: <https://example.org>"),
        in_front(b"List-Unsubscribe-Post: x"),
        lambda raw: raw + b"more\r\n",
    ],
)
def test_changes_break_the_signature(change: Change) -> None:
    """A changed, added or removed field or body octet fails both signatures."""
    assert verdicts(change(signed())) == [False, False]


@pytest.mark.parametrize("name", [b"Reply-To", b"List-Unsubscribe", b"Cc"])
def test_absent_fields_cannot_be_added(name: bytes) -> None:
    """What the message does not have is signed as not there."""
    raw = signed(raw=mime.build(sample(), "k"))
    assert verdicts(raw) == [True, True]
    assert verdicts(in_front(name + b": x@example.org")(raw)) == [False, False]


@pytest.mark.parametrize(
    "change",
    [
        in_front(b"Received: from a by b; Mon, 1 Jan 2026 00:00:00 +0000"),
        in_front(b"Return-Path: <bounce@example.com>"),
        in_front(b"Bcc: x@example.org"),
        replaced(b"X-Campaign: unsigned", b"X-Campaign: changed"),
        replaced(b"Subject: Hello", b"SUBJECT:   Hello  "),
        replaced(b"References: <a@example.com> <b", b"References: <a@example.com>\r\n\t<b"),
        lambda raw: raw + b"\r\n\r\n",
    ],
)
def test_what_relays_do_keeps_the_signature(change: Change) -> None:
    """Trace fields, folding, the case of names and empty lines at the end do no harm."""
    assert verdicts(change(signed())) == [True, True]


def test_equal_names_keep_their_order() -> None:
    """Two fields of one name verify as they stand, and not swapped."""
    raw = mime.build(sample(), "k")
    both = b"Cc: a@example.com\r\nCc: b@example.com\r\n"
    swapped = b"Cc: b@example.com\r\nCc: a@example.com\r\n"
    raw = signed(raw=both + raw)
    assert tags(raw)["h"].count("Cc") == 3
    assert verdicts(raw) == [True, True]
    assert verdicts(raw.replace(both, swapped)) == [False, False]


def test_names_in_h() -> None:
    """Exactly the fields worth signing, twice where a second one would deceive."""
    assert tags(signed())["h"].split(":") == [
        *["From"] * 2,
        *["To"] * 2,
        *["Cc"] * 2,
        *["Subject"] * 2,
        *["Date"] * 2,
        *["Message-ID"] * 2,
        *["Reply-To"] * 2,
        "In-Reply-To",
        "References",
        *["MIME-Version"] * 2,
        *["Content-Type"] * 2,
        "Content-Transfer-Encoding",
        "List-Id",
        *["List-Unsubscribe"] * 2,
        *["List-Unsubscribe-Post"] * 2,
        "Feedback-ID",
    ]


def test_tags() -> None:
    """The tags are the RFC's; l= and z= are not there."""
    found = tags(signed(rsa()))
    assert list(found) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
    assert (found["v"], found["a"], found["c"]) == ("1", "rsa-sha256", "relaxed/relaxed")
    assert (found["d"], found["s"]) == ("example.com", "rsa1")


def test_identity_is_the_i_tag() -> None:
    """An identity below the domain is written and verifies."""
    raw = signed(rsa(identity="news@Mail.Example.com"))
    assert tags(raw)["i"] == "news@mail.example.com"
    assert verdicts(raw) == [True]


def test_the_clock_is_the_callers() -> None:
    """t= is the given moment in whole seconds, whatever its zone."""
    at = datetime(2026, 3, 1, 10, 30, 15, 999_999, tzinfo=timezone(timedelta(hours=1)))
    raw = mime.sign(mime.build(newsletter(), "k"), [rsa()], at)
    assert tags(raw)["t"] == str(int(datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC).timestamp()))


def test_naive_clock_is_refused() -> None:
    """A moment without a zone is a ValueError, as everywhere in mime."""
    with pytest.raises(ValueError, match="timezone"):
        mime.sign(mime.build(newsletter(), "k"), [rsa()], SIGNED_AT.replace(tzinfo=None))


@pytest.mark.parametrize(("seconds", "valid"), [(CENTURY, True), (1, False)])
def test_expiry(seconds: int, valid: bool) -> None:
    """x= is t= and the seconds; verifiers refuse what has expired."""
    raw = signed(rsa(expires_after=seconds), ed25519(expires_after=seconds))
    assert int(tags(raw)["x"]) - int(tags(raw)["t"]) == seconds
    assert verdicts(raw) == [valid, valid]


def test_equal_input_gives_equal_bytes() -> None:
    """Neither algorithm has a random part."""
    assert signed() == signed()


def test_message_follows_unchanged() -> None:
    """Signatures stand in front in the signers' order; not one byte of the message differs."""
    raw = mime.build(newsletter(), "k")
    result = signed(raw=raw)
    assert result.endswith(b"\r\n" + raw)
    assert [tags(result, at)["s"] for at in (0, 1)] == ["rsa1", "ed1"]
    assert mime.sign(raw, [], SIGNED_AT) == raw


def test_lines_are_short() -> None:
    """The longest signature in use, with every tag, stays within 78 columns."""
    signer = mime.Signer(
        "example.com",
        "a" * 40,
        rsa_key(4096),
        identity=f"{'a' * 40}@example.com",
        expires_after=CENTURY,
    )
    raw = signed(signer)
    assert max(map(len, raw.split(b"\r\nFrom:")[0].split(b"\r\n"))) <= 78


@pytest.mark.parametrize("ends", [b"\n", b"\r"])
def test_other_line_ends_are_refused(ends: bytes) -> None:
    """A transport would rewrite them, and every signature would fail."""
    with pytest.raises(MessageError, match="CRLF"):
        signed(raw=mime.build(newsletter(), "k").replace(b"\r\n", ends))


def test_no_from_is_refused() -> None:
    """RFC 6376 section 5.4: the From field must be signed."""
    with pytest.raises(MessageError, match="From"):
        signed(raw=b"To: ada@example.com\r\n\r\nHello\r\n")
