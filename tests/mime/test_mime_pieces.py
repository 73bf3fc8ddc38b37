"""Emails that hold their template's pieces: they read as those that hold the text alone."""

from __future__ import annotations

import pickle
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from dkim_samples import ed25519, rsa, rsa_key, verdicts
from hypothesis import given, settings
from hypothesis import strategies as st
from mime_samples import AT, hostile, parsed

from vero_deliver import mime
from vero_deliver.rendered import Address, File, RenderedEmail, document

CONSTANTS = ["<p>Hello  ", "</p>\n", "<p style='a=b'>", "\t\n", "From ", "=", " "]
LOGO = File("logo.png", b"\x89PNG", "image/png", cid="logo@example.com")

printed = st.lists(hostile | st.sampled_from(CONSTANTS), max_size=8).map(
    lambda pieces: mime.Printed(pieces, mime.Chunks(CONSTANTS))
)


def of_pieces(**fields: Any) -> RenderedEmail:
    """An email of Ada's made of pieces, but for the given fields."""
    given_fields = {
        "from_": Address("shop@example.com", "Vero Shop"),
        "to": (Address("ada@example.com"),),
        "subject": "Hello",
        "html": mime.Printed(["<p>Hello  ", "Ada", "</p>\n"], mime.Chunks(CONSTANTS)),
        "text": mime.Printed(["Hello ", "Ada", "\n"], mime.Chunks(["Hello ", "\n"])),
        "at": AT,
    }
    return RenderedEmail.of_pieces(**{**given_fields, **fields})


def leaves(message: EmailMessage) -> list[tuple[list[tuple[str, str]], Any]]:
    return [
        ([(name, str(value)) for name, value in part.items()], part.get_payload(decode=True))
        for part in message.walk()
    ]


@given(hostile | printed, hostile | printed, st.sampled_from([(), (LOGO,)]))
@settings(max_examples=200, deadline=None)
def test_a_message_reads_the_same_without_pieces(
    html: str | mime.Printed, text: str | mime.Printed, attachments: tuple[File, ...]
) -> None:
    """Header and content of every part are those of the email made of the whole texts."""
    email = of_pieces(html=html, text=text, attachments=attachments)
    plain = replace(email)
    assert leaves(parsed(email.mime("k"))) == leaves(parsed(plain.mime("k")))
    assert max(map(len, email.mime("k").split(b"\r\n"))) <= 76


def test_pieces_are_what_is_encoded() -> None:
    """The constants' own encoding is in the message: nothing is encoded anew."""
    assert b"<p>Hello =20=\r\nAda=\r\n</p>\r\n" in of_pieces().mime("k")


def test_pieces_do_not_tell_emails_apart() -> None:
    """An email is equal to the one made of the whole texts, and shown as it is."""
    email, plain = of_pieces(), replace(of_pieces())
    assert email == plain
    assert repr(email) == repr(plain)
    assert document(email) == document(plain)
    assert (email.html, email.text) == ("<p>Hello  Ada</p>\n", "Hello Ada\n")


@pytest.mark.parametrize("build_first", [True, False])
def test_a_changed_email_has_its_own_content(build_first: bool) -> None:
    """What replaces the html is sent: neither pieces nor bytes of the old one are kept."""
    email = of_pieces()
    if build_first:
        email.mime("k")
    changed = replace(email, html="<p>Bye</p>\n")
    assert b"<p>Bye</p>" in changed.mime("k")
    assert b"Ada=\r\n</p>" not in changed.mime("k")


def test_signed_is_sign_of_mime() -> None:
    """Signatures are those of `mime.sign` at the email's moment, and they verify."""
    email, signers = of_pieces(), [rsa(), ed25519()]
    assert email.signed("k", signers) == mime.sign(email.mime("k"), signers, AT)
    assert verdicts(email.signed("k", signers)) == [True, True]


def test_signed_by_nobody_is_mime() -> None:
    """Without signers the message is as it is."""
    assert of_pieces().signed("k", []) == of_pieces().mime("k")


def test_equal_signers_share_what_was_signed() -> None:
    """A signer loaded anew finds the signature; one with another option or order does not."""
    email = of_pieces()
    signature = email.signature("k", [rsa(), ed25519()])
    assert email.signature("k", [rsa(), ed25519()]) is signature
    first = email.signed("k", [rsa(), ed25519()])
    assert first == signature + email.mime("k")
    assert email.signed("k", [ed25519(), rsa()]) != first
    assert email.signed("k", [rsa(identity="@example.com"), ed25519()]) != first
    assert email.signed("l", [rsa(), ed25519()]) != first


def test_a_pickle_has_the_bytes_but_no_pieces() -> None:
    """Another process sends the bytes that were built here, and builds others from the text."""
    email = of_pieces()
    built, signed = email.mime("k"), email.signed("k", [rsa()])
    sent = pickle.loads(pickle.dumps(email))
    assert sent == email
    assert sent.mime("k") == built
    assert sent.signed("k", [rsa()]) == signed
    assert sent.mime("l") == replace(email).mime("l")
    assert b"Chunks" not in pickle.dumps(email)


@given(printed, printed, st.sampled_from([(), (File("a.html", b"<p>no</p>", "text/html"),)]))
@settings(max_examples=200, deadline=None)
def test_a_pickle_reads_the_same(
    html: mime.Printed, text: mime.Printed, attachments: tuple[File, ...]
) -> None:
    """What is read back from the message's bytes is what the template printed."""
    email = of_pieces(html=html, text=text, attachments=attachments)
    raw = email.mime("k")
    sent = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(email))))
    assert (sent.html, sent.text) == (str(html), str(text))
    assert sent.mime("k") == raw
    assert sent == email


def test_a_pickle_has_each_body_once() -> None:
    """The bytes of the message hold the bodies; they do not travel twice."""
    body = "<p>" + "lorem ipsum " * 5_000
    email = of_pieces(html=mime.Printed([body], mime.Chunks([body])))
    size = len(email.mime("k"))
    assert size < len(pickle.dumps(email)) < size + 1_000


def test_a_pickle_has_no_key() -> None:
    """An email that was signed does not carry its signer away."""
    email = of_pieces()
    email.signed("k", [rsa()])
    dumped, secret = pickle.dumps(email), rsa_key().private_numbers()
    assert b"PRIVATE KEY" not in dumped
    assert b"Signer" not in dumped
    width = (secret.p.bit_length() + 7) // 8
    assert secret.p.to_bytes(width, "big") not in dumped
