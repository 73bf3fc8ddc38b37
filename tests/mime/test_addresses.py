"""Addresses: accepted, normalised or refused with a reason."""

from __future__ import annotations

import unicodedata
from email.header import decode_header, make_header
from email.utils import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mime_samples import field, hostile, one_line, parsed, sample

from vero_deliver import mime
from vero_deliver.errors import MessageError
from vero_deliver.rendered import Address

ADA_AND_BOB = ["ada@example.com", "bob@example.com"]


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Love+x@EXAMPLE.com", "Ada.Love+x@example.com"),
        ("ada@příklad.cz", "ada@xn--pklad-zsa96e.cz"),
        ("ada@PŘÍKLAD.cz", "ada@xn--pklad-zsa96e.cz"),
        ("ada@例え。jp", "ada@xn--r8jz45g.jp"),
        ("jörg@example.com", "jörg@example.com"),
        ("john..doe@docomo.ne.jp", '"john..doe"@docomo.ne.jp'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ('"ada"@example.com', "ada@example.com"),
        ('"a\\"b"@example.com', '"a\\"b"@example.com'),
        ("root@localhost", "root@localhost"),
    ],
)
def test_normal_form(written: str, normalised: str) -> None:
    """The domain is lower-case A-labels; the local part keeps its case, quoted where odd."""
    assert mime.check_address(written) == mime.envelope(written) == normalised


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("ada", "no @"),
        ("@example.com", "before its @"),
        ('""@example.com', "double quotes"),
        ("ada@", "no label"),
        ("ada @example.com", r"U\+0020 \(SPACE\)"),
        ("ada@example.com\r\nRCPT TO:<eve@example.com>", r"U\+000D"),
        ("ada@example.com\n", r"U\+000A"),
        ("ada\0@example.com", r"U\+0000"),
        ("ada\xa0@example.com", "NO-BREAK SPACE"),
        ("ada\u200b@example.com", "ZERO WIDTH SPACE"),
        ("ada\u202e@example.com", "RIGHT-TO-LEFT OVERRIDE"),
        ("ada\ud800@example.com", r"U\+D800"),
        ("ada@example.com,eve@example.com", "','"),
        ("Ada <ada@example.com>", "'<'|SPACE"),
        ("ada@example.com;", "';'"),
        ('"a;b"@example.com', "';'"),
        ("a@b@example.com", "double quotes"),
        ("a:b@example.com", "double quotes"),
        ("a" * 65 + "@example.com", "64 octets"),
        ("č" * 33 + "@example.com", "64 octets"),
        ("ada@" + "a." * 125 + "com", "254 octets"),
        ("ada@" + "a" * 64 + ".com", "no label"),
        ("ada@-example.com", "no label"),
        ("ada@example..com", "no label"),
        ("ada@exam_ple.com", "no label"),
        ("ada@[127.0.0.1]", "no label"),
        ("ada@℀.com", "not a valid IDN"),
        ("ada@" + "č" * 70 + ".com", "not a valid IDN"),
    ],
)
def test_refusals_say_why(written: str, reason: str) -> None:
    """An unusable address is a ValueError that names the reason, and itself in escaped form."""
    with pytest.raises(ValueError, match=reason) as caught:
        mime.check_address(written)
    assert str(caught.value).isprintable()


def test_a_long_refusal_is_cut() -> None:
    """A refusal quotes 80 characters of the address at most."""
    with pytest.raises(ValueError, match=r"\.\.\. is no email address") as caught:
        mime.check_address("x" * 100_000)
    assert len(str(caught.value)) < 200


@given(hostile | st.emails() | st.builds("{}@{}".format, hostile, hostile))
@settings(max_examples=200, deadline=None)
@example("a@b\u00df.com")
def test_accepted_addresses_are_safe_and_stable(text: str) -> None:
    """Whatever is accepted is its own normal form, in limits, and breaks no command."""
    try:
        address = mime.check_address(text)
    except ValueError:
        return
    assert mime.check_address(address) == address
    assert len(address.encode()) <= 254
    assert not set(address) & set("\r\n\0\t <>,;")
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zs"} for char in address)
    assert address.rpartition("@")[2].isascii()


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "ada@example.com"),
        ("Ada Lovelace", "Ada Lovelace <ada@example.com>"),
        ("Lovelace, Ada", '"Lovelace, Ada" <ada@example.com>'),
        ('J. "Bob" \\ Doe', '"J. \\"Bob\\" \\\\ Doe" <ada@example.com>'),
        ("Adéla", "=?utf-8?b?QWTDqWxh?= <ada@example.com>"),
        ("Adéla Nováčková", "=?utf-8?b?QWTDqWxhIE5vdsOhxI1rb3bDoQ==?= <ada@example.com>"),
        ("Řeřicha, Ž", "=?utf-8?b?xZhlxZlpY2hhLCDFvQ==?= <ada@example.com>"),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <ada@example.com>"),
        (" Ada\r\nBcc: x ", '"Ada Bcc: x" <ada@example.com>'),
        ("a\xa0b", "=?utf-8?q?a=C2=A0b?= <ada@example.com>"),
    ],
)
def test_mailbox_forms(name: str, header: str) -> None:
    """Atoms stay, specials are quoted, the rest becomes encoded words."""
    assert mime.mailbox(Address("ada@example.com", name)) == header


@given(hostile)
@settings(max_examples=150, deadline=None)
def test_display_names_round_trip(name: str) -> None:
    """A display name decodes to its one-line form, and the address stays the only one."""
    raw = mime.build(sample(to=(Address("ada@example.com", name), Address("bob@example.com"))), "k")
    message = parsed(raw)
    assert [each.addr_spec for each in message["To"].addresses] == ADA_AND_BOB
    written = field(raw, "To").rpartition("ada@example.com")[0].removesuffix("<").strip()
    # not .display_name: Python 3.11.7 puts spaces between encoded words there
    if written.startswith("=?"):
        assert str(make_header(decode_header(written))) == one_line(name)
    else:
        assert unquote(written) == one_line(name)


def test_non_ascii_domain_is_never_an_encoded_word() -> None:
    """The standard library's invalid `<=?utf-8?q?...?=@..>` cannot happen: domains are A-labels."""
    raw = mime.build(sample(from_=Address("ada@příklad.cz", "Ada")), "k")
    assert field(raw, "From") == "Ada <ada@xn--pklad-zsa96e.cz>"
    assert field(raw, "Message-ID").endswith("@xn--pklad-zsa96e.cz>")
    assert raw.isascii()


def test_non_ascii_local_part_is_raw_utf8_in_its_field_only() -> None:
    """With SMTPUTF8 the address is written as it is; names and everything else stay ASCII."""
    email = sample(to=(Address("jörg@example.com", "Jörg"),), subject="Grüße", text="Grüße\n")
    raw = mime.build(email, "k")
    assert mime.needs_smtputf8(email)
    assert field(raw, "To") == "=?utf-8?b?SsO2cmc=?= <jörg@example.com>"
    assert raw.replace("jörg".encode(), b"").isascii()


@pytest.mark.parametrize("place", ["to", "cc", "bcc", "reply_to"])
def test_smtputf8_is_needed_wherever_the_local_part_is(place: str) -> None:
    """One non-ASCII local part anywhere needs SMTPUTF8; a non-ASCII domain or name does not."""
    assert mime.needs_smtputf8(sample(**{place: (Address("jörg@example.com"),)}))
    assert not mime.needs_smtputf8(sample(**{place: (Address("j@müller.de", "Jörg"),)}))


@pytest.mark.parametrize("place", ["From", "To", "Cc", "Reply-To"])
def test_build_refuses_an_unsafe_address(place: str) -> None:
    """An address that nobody checked is a MessageError that names the field."""
    unsafe = Address("ada@example.com>\r\nBcc: <eve@example.com")
    attribute = {"From": "from_", "To": "to", "Cc": "cc", "Reply-To": "reply_to"}[place]
    email = sample(**{attribute: unsafe if place == "From" else (unsafe,)})
    with pytest.raises(MessageError, match=f"^{place}: "):
        mime.build(email, "k")
