"""The whole message: its tree, names, date, and that equal input gives equal bytes."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mime_samples import AT, canonical, field, hostile, one_line, parsed, sample

from vero_deliver import mime
from vero_deliver.errors import MessageError
from vero_deliver.rendered import Address, File, RenderedEmail

PDF = File("bill.pdf", b"%PDF", "application/pdf")
LOGO = File("logo.png", b"\x89PNG", "image/png", cid="logo@example.com")


def tree(part: Any) -> Any:
    if part.is_multipart():
        return part.get_content_subtype(), [tree(child) for child in part.iter_parts()]
    return part.get_content_type()


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"text": "t"}, "text/plain"),
        ({"html": "h"}, "text/html"),
        ({"text": ""}, "text/plain"),
        ({"text": "t", "html": "h"}, ("alternative", ["text/plain", "text/html"])),
        ({"html": "h", "attachments": (LOGO,)}, ("related", ["text/html", "image/png"])),
        (
            {"text": "t", "html": "h", "attachments": (PDF, LOGO)},
            (
                "mixed",
                [
                    ("alternative", ["text/plain", ("related", ["text/html", "image/png"])]),
                    "application/pdf",
                ],
            ),
        ),
        (
            {"text": "t", "attachments": (LOGO, PDF)},
            ("mixed", ["text/plain", "image/png", "application/pdf"]),
        ),
    ],
)
def test_tree(fields: dict[str, Any], shape: Any) -> None:
    """Parts nest as readers expect: mixed(alternative(text, related(html, inline)), files)."""
    message = parsed(mime.build(sample(**fields), "k"))
    assert tree(message) == shape
    assert not any(part.defects for part in message.walk())


def test_inline_files_are_found_by_cid() -> None:
    """An inline image is `inline` with its Content-ID, in a related part that names its root."""
    message = parsed(mime.build(sample(html="<img>", attachments=(LOGO,)), "k"))
    _, image = message.iter_parts()
    assert image["Content-ID"] == "<logo@example.com>"
    assert image.get_content_disposition() == "inline"
    assert message["Content-Type"].params["type"] == "text/html"


@pytest.mark.parametrize(
    ("given_type", "written"),
    [
        ("image/svg+xml", "image/svg+xml"),
        ("text/calendar;method=REQUEST", "text/calendar; method=REQUEST"),
        ('text/csv ; charset="utf-8"', 'text/csv; charset="utf-8"'),
        ("", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("text/plain\r\nBcc: x", "application/octet-stream"),
        ("text/plain; name", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed; boundary=x", "application/octet-stream"),
    ],
)
def test_content_types_are_validated(given_type: str, written: str) -> None:
    """A media type is written with its parameters; anything else is an octet stream."""
    raw = mime.build(sample(attachments=(File("f", b"x", given_type),)), "k")
    assert f"\r\nContent-Type: {written}\r\n".encode() in raw


@pytest.mark.parametrize("cid", ["a b", "a>\r\nBcc: x", "č", "x" * 201, "a<b"])
def test_unwritable_cids_are_refused(cid: str) -> None:
    """A cid that could not stand in < > is a MessageError: the HTML names it to the letter."""
    with pytest.raises(MessageError, match="cid"):
        mime.build(sample(attachments=(File("f", b"x", "image/png", cid),)), "k")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("bill 1.pdf", 'attachment; filename="bill 1.pdf"'),
        ('a"b\\c.txt', 'attachment; filename="a\\"b\\\\c.txt"'),
        ("účet.pdf", "attachment; filename*=utf-8''%C3%BA%C4%8Det.pdf"),
        ("=?utf-8?q?x?=", "attachment; filename*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"),
        ("\r\n", "attachment"),
    ],
)
def test_filenames(name: str, written: str) -> None:
    """ASCII filenames are quoted, others are RFC 2231; an empty one is left out."""
    raw = mime.build(sample(attachments=(File(name, b"x", "text/plain"),)), "k")
    assert f"\r\nContent-Disposition: {written}\r\n".encode() in raw


@given(hostile)
@settings(max_examples=100, deadline=None)
def test_filenames_round_trip(name: str) -> None:
    """Any filename decodes to its one-line form from lines of at most 76."""
    raw = mime.build(sample(attachments=(File(name, b"x", "text/plain"),)), "k")
    (file,) = parsed(raw).iter_attachments()
    # not .get_filename(): it strips
    assert file["Content-Disposition"].params.get("filename", "") == one_line(name)
    assert max(map(len, raw.split(b"\r\n"))) <= 76


def hostile_emails() -> st.SearchStrategy[RenderedEmail]:
    files = st.builds(File, hostile, st.binary(max_size=100), hostile, st.sampled_from(["", "c@x"]))
    return st.builds(
        sample,
        from_=st.builds(Address, st.just("shop@example.com"), hostile),
        cc=st.lists(st.builds(Address, st.just("c@example.com"), hostile), max_size=2).map(tuple),
        subject=hostile,
        text=hostile,
        html=hostile,
        headers=st.dictionaries(st.sampled_from(["X-A", "X-B"]), hostile),
        attachments=st.lists(files, max_size=2).map(tuple),
    )


def first(message: EmailMessage, kind: str) -> bytes | None:
    for part in message.walk():
        if part.get_content_type() == kind and not part.get_content_disposition():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    return None


@given(hostile_emails(), hostile)
@settings(max_examples=100, deadline=None)
def test_any_content_is_one_well_formed_message(rendered: RenderedEmail, key: str) -> None:
    """Whatever it holds: ASCII, CRLF only, short lines, the expected fields, and it reads back."""
    raw = mime.build(rendered, key)
    message = parsed(raw)
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    expected = ["From", "To", *["Cc"][: len(rendered.cc)], "Subject", "Date", "Message-ID"]
    names = [name for name in message if not name.startswith("Content-")]
    assert names == [*expected, *rendered.headers, "MIME-Version"]
    assert str(message["Subject"]) == one_line(rendered.subject)
    for kind, text in (("text/plain", rendered.text), ("text/html", rendered.html)):
        if text:
            assert first(message, kind) == canonical(text).encode()


@given(hostile_emails(), hostile)
@settings(max_examples=50, deadline=None)
def test_equal_input_gives_equal_bytes(rendered: RenderedEmail, key: str) -> None:
    """A preview is a promise: building twice gives the same bytes."""
    assert mime.build(rendered, key) == mime.build(rendered, key)


def test_keys_and_clocks_change_the_boundary() -> None:
    """Each key and each moment has its own boundaries; no part shares one with another."""
    later = sample(html="h", text="t", attachments=(PDF, LOGO), at=AT + timedelta(seconds=1))
    now = sample(html="h", text="t", attachments=(PDF, LOGO))
    raws = [mime.build(now, "a"), mime.build(now, "b"), mime.build(later, "a")]
    found = [re.findall(rb'boundary="(=_vd_[0-9a-f]{24})"', raw) for raw in raws]
    assert [len(each) for each in found] == [3, 3, 3]
    assert len({name for each in found for name in each}) == 9


def test_message_id_is_the_keys() -> None:
    """The Message-ID depends on the key and the sender's domain, not on clock or content."""
    email = sample(from_=Address("shop@Příklad.cz"))
    other = sample(from_=Address("shop@Příklad.cz"), at=AT + timedelta(days=1), subject="Other")
    assert mime.message_id(email, "k") == mime.message_id(other, "k")
    assert re.fullmatch(r"<[0-9a-f]{32}@xn--pklad-zsa96e\.cz>", mime.message_id(email, "k"))
    assert mime.message_id(email, "k") != mime.message_id(email, "l")
    assert field(mime.build(email, "k"), "Message-ID") == mime.message_id(email, "k")


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 11, 3, 7, 1, 9, tzinfo=UTC), "Tue, 03 Nov 2026 07:01:09 +0000"),
        (
            datetime(2026, 2, 28, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
            "Sat, 28 Feb 2026 00:00:00 -0330",
        ),
        (
            datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=57, seconds=44))),
            "Tue, 31 Dec 1889 23:02:16 +0000",
        ),
    ],
)
def test_date(at: datetime, written: str) -> None:
    """The Date is the email's moment in its own zone, English whatever the locale."""
    value = field(mime.build(sample(at=at), "k"), "Date")
    assert value == written
    assert email.utils.parsedate_to_datetime(value) == at


def test_one_moment_is_written_in_each_zone() -> None:
    """Emails of equal moments have each the Date of their own zone, whichever comes first."""
    dates = [
        field(mime.build(sample(at=AT.astimezone(timezone(timedelta(hours=hours)))), "k"), "Date")
        for hours in (0, 2, 0)
    ]
    assert dates == [
        "Mon, 23 Nov 2026 17:11:09 +0000",
        "Mon, 23 Nov 2026 19:11:09 +0200",
        "Mon, 23 Nov 2026 17:11:09 +0000",
    ]


def test_a_naive_date_is_refused() -> None:
    """A moment without a zone is a ValueError that says what to give."""
    with pytest.raises(ValueError, match="UTC"):
        mime.build(sample(at=datetime(2026, 1, 1)), "k")


def test_rendered_mime_is_build() -> None:
    """RenderedEmail.mime(key) gives these bytes."""
    assert sample().mime("k") == mime.build(sample(), "k")
