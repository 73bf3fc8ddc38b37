"""Header fields: hostile values, names, encoding and folding."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mime_samples import BODY_NAMES, OWN_NAMES, field, fields, hostile, one_line, parsed, sample

from vero_deliver import mime
from vero_deliver.errors import MessageError
from vero_deliver.mime.encoded_words import encoded_words
from vero_deliver.rendered import Address


def head_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_encoded_line_feed_in_a_subject_starts_no_field() -> None:
    """`=?utf-8?q?=0ABcc:_x?=` in data stays text: CVE-2024-6923's way in is closed."""
    subject = "Hi =?utf-8?q?=0ABcc:_x?="
    raw = mime.build(sample(subject=subject), "k")
    assert b"=0ABcc" not in raw
    assert parsed(raw)["Subject"] == subject


def test_trailing_line_feed_leaves_no_blank_line() -> None:
    """A subject's trailing newline is dropped; the header does not end early."""
    raw = mime.build(sample(subject="Hello\n"), "k")
    assert [name for name, _ in fields(raw)] == [*OWN_NAMES, *BODY_NAMES]
    assert field(raw, "Subject") == "Hello"


def test_controls_become_replacement_characters() -> None:
    """NUL, DEL, C1 controls and lone surrogates in a value become U+FFFD."""
    raw = mime.build(sample(subject="a\0b\x7fc\x85d\ud800e"), "k")
    assert parsed(raw)["Subject"] == "a\ufffdb\ufffdc\ufffdd\ufffde"


@pytest.mark.parametrize(
    "name", ["", "X Y", "X:Y", "X\r\nBcc", "X\n", "X\0", "X-É", "X\x7f", "X" * 77, "Bcc: x\r\nY"]
)
def test_bad_names_are_refused(name: str) -> None:
    """A header name that is not RFC 5322 ftext is a MessageError that shows it escaped."""
    with pytest.raises(MessageError, match="header name") as caught:
        mime.build(sample(headers={name: "value"}), "k")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("From", "`from`"),
        ("to", "`to`"),
        ("CC", "`cc`"),
        ("Bcc", "`bcc`"),
        ("Reply-To", "`reply_to`"),
        ("Subject", "`subject`"),
        ("Date", "clock"),
        ("Message-Id", "key"),
        ("MIME-Version", "leave it out"),
        ("Content-Type", "`html`, `text`"),
        ("content-disposition", "`attachments`"),
    ],
)
def test_owned_names_are_refused(name: str, use: str) -> None:
    """A field that build writes itself cannot be added; the error says what to use."""
    with pytest.raises(MessageError, match=re.escape(use)):
        mime.build(sample(headers={name: "x"}), "k")


def test_names_that_differ_by_case_are_one() -> None:
    """Two spellings of one name are a MessageError."""
    with pytest.raises(MessageError, match="twice"):
        mime.build(sample(headers={"X-Tag": "a", "x-tag": "b"}), "k")


def test_order_of_fields() -> None:
    """Own fields come first in a fixed order, then the message's as they are listed."""
    email = sample(
        cc=(Address("c@example.com"),),
        reply_to=(Address("r@example.com"),),
        bcc=(Address("hidden@example.com"),),
        headers={"X-B": "1", "List-Id": "<x.example.com>", "X-A": "2"},
    )
    raw = mime.build(email, "k")
    expected = ["From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID"]
    assert [name for name, _ in fields(raw)] == [*expected, "X-B", "List-Id", "X-A", *BODY_NAMES]
    assert b"hidden" not in raw


def test_nobody_in_to_is_an_empty_group() -> None:
    """Without a To the field holds the empty group undisclosed-recipients."""
    raw = mime.build(sample(to=(), bcc=(Address("ada@example.com"),)), "k")
    assert field(raw, "To") == "undisclosed-recipients:;"


def test_only_the_odd_span_is_encoded() -> None:
    """Plain words around the non-ASCII ones stay readable."""
    raw = mime.build(sample(subject="Your order — shipped"), "k")
    assert field(raw, "Subject") == "Your order =?utf-8?b?4oCU?= shipped"


def test_empty_values_are_bare_names() -> None:
    """An empty value leaves no trailing white space."""
    raw = mime.build(sample(subject=" ", headers={"X-Empty": ""}), "k")
    assert b"\r\nSubject:\r\n" in raw
    assert b"\r\nX-Empty:\r\n" in raw


def test_a_long_url_stays_whole() -> None:
    """List-Unsubscribe folds between its URLs and never inside or into encoded words."""
    url = f"<https://example.com/u?t==?{'x' * 800}>"
    value = f"{url}, <mailto:u@example.com>"
    raw = mime.build(sample(headers={"List-Unsubscribe": value}), "k")
    assert field(raw, "List-Unsubscribe") == value
    assert f" {url},".encode() in head_lines(raw)


@pytest.mark.parametrize("name", ["References", "In-Reply-To", "Feedback-ID", "LIST-Help"])
def test_structured_values_are_not_encoded(name: str) -> None:
    """Ids and URLs in ASCII are kept to the letter."""
    value = " ".join(f"<{number:070}=?@example.com>" for number in range(30))
    assert field(mime.build(sample(headers={name: value}), "k"), name) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("<https://example.com/" + "x" * 980 + ">", "998"),
        ("<https://example.com/č>", "%-encode the rest"),
        ("<https://example.com/=?utf-8?q?=0ABcc:_x?=>", "encoded word"),
    ],
)
def test_unwritable_urls_are_refused(value: str, reason: str) -> None:
    """An URL over a line's limit, with non-ASCII or that would be decoded is a MessageError."""
    with pytest.raises(MessageError, match=reason):
        mime.build(sample(headers={"List-Unsubscribe": value}), "k")


def test_a_list_id_may_have_a_name_in_any_language() -> None:
    """The description of a List-Id is encoded, its id is not."""
    raw = mime.build(sample(headers={"List-Id": "Týdenní výběr <weekly.example.com>"}), "k")
    assert field(raw, "List-Id").endswith("?= <weekly.example.com>")
    assert str(parsed(raw)["List-Id"]) == "Týdenní výběr <weekly.example.com>"


@given(hostile)
@settings(max_examples=150, deadline=None)
def test_subjects_round_trip(subject: str) -> None:
    """Any subject decodes to its one-line form in short ASCII lines, and adds no field."""
    raw = mime.build(sample(subject=subject), "k")
    assert [name for name, _ in fields(raw)] == [*OWN_NAMES, *BODY_NAMES]
    assert raw.isascii()
    assert max(map(len, head_lines(raw))) <= 76
    assert str(parsed(raw)["Subject"]) == one_line(subject)


@given(st.sampled_from(["X-Data", "List-Id", "References"]), hostile)
@settings(max_examples=200, deadline=None)
def test_extra_headers_add_one_field(name: str, value: str) -> None:
    """Any value gives exactly its one field in lines of at most 998, or a MessageError."""
    try:
        raw = mime.build(sample(headers={name: value}), "k")
    except MessageError:
        assert name != "X-Data"
        return
    assert [found for found, _ in fields(raw)] == [*OWN_NAMES, name, *BODY_NAMES]
    assert raw.isascii()
    assert max(map(len, head_lines(raw))) <= 998
    # strip: the library keeps the space of a value that starts on the second line
    assert str(parsed(raw)[name]).strip(" ") == one_line(value)


@given(st.dictionaries(hostile | st.text("aB-:\n\x7f", max_size=4), hostile, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_header_names(headers: dict[str, str]) -> None:
    """Any mapping gives exactly its fields or a MessageError."""
    try:
        raw = mime.build(sample(headers=headers), "k")
    except MessageError:
        return
    assert [name for name, _ in fields(raw)] == [*OWN_NAMES, *headers, *BODY_NAMES]


def decoded(word: str) -> str:
    return str(parsed(f"Subject: {word}\r\n\r\n".encode())["Subject"])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.integers(-10, 100))
@settings(max_examples=100, deadline=None)
def test_encoded_words_keep_their_limits(text: str, room: int) -> None:
    """Words are at most 75 long, and each decodes alone: none splits a character."""
    words = list(encoded_words(text, room))
    assert all(len(word) <= 75 for word in words)
    assert "".join(map(decoded, words)) == text


def test_a_grapheme_wider_than_a_word_is_split() -> None:
    """A base under a hundred accents still gives words of at most 75."""
    text = "a" + "\u0301" * 100
    words = list(encoded_words(text))
    assert max(map(len, words)) <= 75
    assert "".join(map(decoded, words)) == text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Danke für Ihre Bestellung_1", "=?utf-8?q?Danke_f=C3=BCr_Ihre_Bestellung=5F1?="),
        ("Žluťoučký kůň", "=?utf-8?b?xb1sdcWlb3XEjWvDvSBrxa/FiA==?="),
    ],
)
def test_the_shorter_encoding_is_taken(text: str, word: str) -> None:
    """Mostly ASCII text becomes Q with readable spaces, other text B."""
    assert list(encoded_words(text)) == [word]


@pytest.mark.parametrize("grapheme", ["e\u0301", "\U0001f469\u200d\U0001f680", "\u270a\U0001f3fd"])
def test_encoded_words_keep_graphemes_together(grapheme: str) -> None:
    """Combining marks, joined emoji and modifiers stay in the word of their base."""
    texts = [decoded(word) for word in encoded_words(grapheme * 40)]
    assert len(texts) > 2
    assert all(text == grapheme * (len(text) // len(grapheme)) for text in texts)
