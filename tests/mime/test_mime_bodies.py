"""Bodies: quoted-printable text, base64 files, and their line ends."""

from __future__ import annotations

import base64
import quopri
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mime_samples import canonical, hostile, parsed, sample

from vero_deliver import mime
from vero_deliver.mime.body import base64_lines, quoted_printable
from vero_deliver.rendered import File


@given(hostile | st.text("a= \t\r\n.\u010d", max_size=400))
@settings(max_examples=200, deadline=None)
@example("a" * 75 + " \n")
@example("a" * 74 + "\t\nb")
@example("a" * 73 + "= ")
@example("From " + "x" * 71 + "\nFrom " + "From " * 40)
def test_text_round_trips_in_short_lines(text: str) -> None:
    """Any text decodes to itself with CRLF line ends; lines are printable ASCII of at most 76."""
    encoded = quoted_printable(text)
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert encoded.isascii()
    assert all(char >= 32 or char == 9 for line in lines for char in line)
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in lines)
    assert quopri.decodestring(encoded) == canonical(text).encode()


@pytest.mark.parametrize("width", [74, 75, 76])
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_trailing_blank_at_the_margin(width: int, blank: str) -> None:
    """b2a_qp's lines of 77 and 78 columns are broken once more."""
    encoded = quoted_printable("a" * width + blank + "\n")
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert quopri.decodestring(encoded) == b"a" * width + blank.encode() + b"\r\n"


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends_are_one(ends: str) -> None:
    """CR, LF and CRLF are the same line break, whichever comes first."""
    assert quoted_printable(ends.join("abc")) == b"a\r\nb\r\nc\r\n"


def test_mixed_line_ends() -> None:
    """b2a_qp's guess by the first newline has no say."""
    assert quoted_printable("a\nb\r\nc\rd\r\r\ne") == b"a\r\nb\r\nc\r\nd\r\n\r\ne\r\n"


@pytest.mark.parametrize("text", ["From me\n", "x\nFrom me\n", "y" * 75 + "From me\n"])
def test_from_is_masked(text: str) -> None:
    """A line that starts with "From " is written so that no mbox alters it."""
    assert b"=46rom me" in quoted_printable(text)


def test_from_inside_a_line_is_not_masked() -> None:
    """Only the start of a line counts."""
    assert quoted_printable("x From me\nFrom: me\n") == b"x From me\r\nFrom: me\r\n"


@pytest.mark.parametrize("part", ["text", "html"])
@pytest.mark.parametrize("text", ["plain\n", "žluťoučký kůň\n" * 30])
def test_text_is_never_8bit(part: str, text: str) -> None:
    """Text parts are quoted-printable always: a relay without 8BITMIME re-encodes nothing."""
    raw = mime.build(sample(**{"text": "", part: text}), "k")
    assert parsed(raw)["Content-Transfer-Encoding"] == "quoted-printable"
    assert raw.isascii()


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_files_round_trip(content: bytes) -> None:
    """Base64 lines of at most 76 columns decode to the content."""
    lines = base64_lines(content).split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert base64.b64decode(b"".join(lines), validate=True) == content


@pytest.mark.parametrize("text", ["kůň From  \n", "From ", "=", " ", "\r", "x"])
def test_big_bodies_take_linear_time(text: str) -> None:
    """A body of 10 million characters is encoded in seconds, whatever it repeats."""
    email = sample(text=text * (10_000_000 // len(text)))
    started = time.process_time()
    raw = mime.build(email, "k")
    assert time.process_time() - started < 10
    assert len(raw) > 10_000_000


def test_attachments_are_kept_to_the_octet() -> None:
    """A file's line ends and NULs are not text's."""
    content = bytes(range(256)) + b"\r\n\n\r"
    raw = mime.build(sample(attachments=(File("a.txt", content, "text/plain"),)), "k")
    (file,) = parsed(raw).iter_attachments()
    assert file.get_payload(decode=True) == content
