"""The canonical forms that a DKIM signature covers (RFC 6376 section 3.4); CRLF line ends."""

from __future__ import annotations

import re

from vero_deliver import speedups

# the two literal spaces in front make the search skip ahead; [ \t]+ takes ten times as long
_SPACE_RUN = re.compile(rb"  +")
_BLANKS = re.compile(rb"[\t ]+")


def relaxed_fields(head: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    """Names as they are written and relaxed values; section 3.4.2.

    ValueError where a line ends in anything but CRLF. There is no line end at the head's end.
    """
    if speedups.compiled:
        found = speedups.compiled.relaxed_fields(head)
    else:
        ends = head.count(b"\r\n")
        is_whole = head.count(b"\n") == ends and head.count(b"\r") == ends
        found = _relaxed_fields(head) if is_whole else None
    if found is None:
        raise ValueError("the header has line ends other than CRLF")
    return found


def _relaxed_fields(head: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    names, values = header_fields(head)
    return names, [relaxed_value(value) for value in values]


def header_fields(head: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    """Names and values as they are written, but for folds, which are a bare LF.

    head: every line end in it is CRLF, and there is none at its end.
    """
    folded = head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t")
    names, _, values = zip(*[line.partition(b":") for line in folded.split(b"\r\n")], strict=True)
    return names, list(values)


def relaxed_name(name: bytes) -> bytes:
    """The name in lower case, without the blanks before its colon; section 3.4.2."""
    return name.rstrip(b"\t ").lower()


def relaxed_value(value: bytes) -> bytes:
    """The value, as `header_fields` gives it, unfolded and with single spaces; section 3.4.2."""
    value = value.replace(b"\n", b"")  # the blank behind it stays
    if b"  " in value or b"\t" in value:
        value = _BLANKS.sub(b" ", value)
    return value.strip(b" ")


def simple_body(body: bytes) -> bytes:
    """The body with exactly one CRLF at its end; section 3.4.3."""
    return body if _ends_once(body) else body.rstrip(b"\r\n") + b"\r\n"


def is_simple(message: bytes, start: int) -> bool:
    """Whether the body that starts there is in simple form already."""
    return len(message) - start > 2 and _ends_once(message)


def relaxed_body(body: bytes) -> bytes:
    """The body with blanks reduced to one space, none at a line's end; section 3.4.4.

    Nothing at all where only blanks and empty lines are left.
    """
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    spaced = _SPACE_RUN.sub(b" ", body)
    if _ends_once(spaced) and b" \r\n" not in spaced:
        return spaced
    lines = (spaced + b"\r\n").replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return lines + b"\r\n" if lines else b""


def _ends_once(body: bytes) -> bool:
    return body.endswith(b"\r\n") and body[-3:-2] not in (b"", b"\r", b"\n")
