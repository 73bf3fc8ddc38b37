"""Bodies in 7-bit lines of at most 76 columns: quoted-printable for text, base64 for files."""

from __future__ import annotations

import base64
import binascii
import re

SURROGATES = re.compile(r"[\ud800-\udfff]")
# b2a_qp counts a line's last blank as one column and then writes three: 77 or 78 in all.
# Both patterns start with a literal, which makes the search ten times faster than an anchor.
_OVERLONG = re.compile(rb"=(?=20\n|09\n)(?<=[^\n]{74}=)")
_FROM = re.compile(rb"\nFrom( .*)")


def quoted_printable(text: str) -> bytes:
    """UTF-8 quoted-printable (RFC 2045 section 6.7) with CRLF line ends.

    It decodes to the text with every CR, LF and CRLF a line break, a line break at the end
    where there was none, and U+FFFD for lone surrogates.
    """
    # Only LF may reach b2a_qp: it takes its line end from the first one it sees.
    encoded = b"\n" + binascii.b2a_qp(_utf8(_lines(text)))
    encoded = _OVERLONG.sub(b"=\n=", encoded)
    # mbox writers turn "From " into ">From " and break the DKIM signature
    encoded = _FROM.sub(_masked_from, encoded)
    return encoded[1:].replace(b"\n", b"\r\n")


def base64_lines(content: bytes) -> bytes:
    """Base64 (RFC 2045 section 6.8) with CRLF line ends; empty for no content."""
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def _lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATES.sub("\ufffd", text).encode()


def _masked_from(match: re.Match[bytes]) -> bytes:
    rest = match[1]
    fits = len(b"=46rom") + len(rest) <= 76
    return (b"\n=46rom" if fits else b"\n=46rom=\n") + rest
