"""The canonical forms that a DKIM signature covers (RFC 6376 section 3.4); CRLF line ends."""

from __future__ import annotations

import re

# the two literal spaces in front make the search skip ahead; [ \t]+ takes ten times as long
_SPACE_RUN = re.compile(rb"  +")
_FOLDING = re.compile(rb"[\t\n\r ]+")
_FIELD_END = re.compile(rb"\r\n(?![\t ])")


def relaxed_fields(head: bytes, names: frozenset[bytes]) -> dict[bytes, list[bytes]]:
    """Relaxed fields of these lower-case names, each with its CRLF, in their order; 3.4.2."""
    found: dict[bytes, list[bytes]] = {}
    for field in _FIELD_END.split(head):
        name, _, value = field.partition(b":")
        name = name.rstrip(b"\t ").lower()
        if name in names:
            value = _FOLDING.sub(b" ", value).strip(b" ")
            found.setdefault(name, []).append(b"%b:%b\r\n" % (name, value))
    return found


def simple_body(body: bytes) -> bytes:
    """The body with exactly one CRLF at its end; section 3.4.3."""
    return body.rstrip(b"\r\n") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """The body with blanks reduced to one space, none at a line's end; section 3.4.4.

    Nothing at all where only blanks and empty lines are left.
    """
    spaced = _SPACE_RUN.sub(b" ", body.replace(b"\t", b" "))
    lines = (spaced + b"\r\n").replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return lines + b"\r\n" if lines else b""
