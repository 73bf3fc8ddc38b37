"""Parameters of Content-Type and Content-Disposition (RFC 2045, RFC 2231)."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from vero_deliver.mime.headers import clean

_PLAIN_LIMIT = 60  # with the longest name and its quotes still one line
_SEGMENT_LIMIT = 54  # after ` filename*1000*=`, before `;`
_NAME = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,70}"
_PARAMETER = rf'{_NAME}=(?:{_NAME}|"[A-Za-z0-9 !#-\[\]-~]{{0,60}}")'
_CONTENT_TYPE = re.compile(rf"({_NAME}/{_NAME})((?:[ \t]*;[ \t]*{_PARAMETER})*)")
_ATTRIBUTE_CHARS = frozenset(string.ascii_letters + string.digits + "!#$&+-.^_`|~")


def content_type(text: str) -> list[str]:
    """A file's media type and its parameters: `text/calendar`, `method=REQUEST`.

    What is no type/subtype with plain parameters becomes application/octet-stream; so do
    multipart and message types, which must not be in base64 (RFC 2045 section 6.4).
    """
    match = _CONTENT_TYPE.fullmatch(text.strip())
    if not match or match[1].lower().startswith(("multipart/", "message/")):
        return ["application/octet-stream"]
    return [match[1], *re.findall(_PARAMETER, match[2])]


def parameter(name: str, value: str) -> list[str]:
    """A parameter of any text: quoted, percent-encoded, or in numbered segments where long.

    Nothing for a value that is empty once cleaned.
    """
    value = clean(value)
    if not value:
        return []
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    # "=?": many readers decode RFC 2047 in parameters, where it does not belong
    if value.isascii() and "=?" not in value and len(quoted) <= _PLAIN_LIMIT:
        return [f'{name}="{quoted}"']
    segments = list(_segments(value))
    if len(segments) == 1:
        return [f"{name}*=utf-8''{segments[0]}"]
    lead = ["utf-8''", *[""] * len(segments)]
    return [f"{name}*{at}*={lead[at]}{text}" for at, text in enumerate(segments)]


def _segments(value: str) -> Iterator[str]:
    """Percent-encoded pieces that split no character: some readers decode each by itself."""
    segment, room = "", _SEGMENT_LIMIT - len("utf-8''")
    for char in value:
        encoded = char if char in _ATTRIBUTE_CHARS else _percent(char)
        if len(segment) + len(encoded) > room:
            yield segment
            segment, room = "", _SEGMENT_LIMIT
        segment += encoded
    yield segment


def _percent(char: str) -> str:
    return "".join(f"%{octet:02X}" for octet in char.encode())
