"""The tree of parts: text, files and the multiparts that hold them (RFC 2046, RFC 2387)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from vero_deliver.errors import MessageError
from vero_deliver.mime.body import base64_lines
from vero_deliver.mime.headers import Field, folded
from vero_deliver.mime.parameters import content_type, parameter

if TYPE_CHECKING:
    from vero_deliver.rendered import File

_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")

_TEXT_FIELDS = {
    subtype: f"Content-Type: text/{subtype}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    for subtype in ("plain", "html")
}


class Part(NamedTuple):
    """A body in pieces, to be joined once, and its Content-* fields; all with their CRLF."""

    fields: str
    body: tuple[bytes, ...]


def text_part(subtype: Literal["plain", "html"], encoded: bytes) -> Part:
    """A text part, quoted-printable even where ASCII: no relay has a reason to re-encode it."""
    return Part(_TEXT_FIELDS[subtype], (encoded,))


def file_part(file: File, disposition: Literal["attachment", "inline"]) -> Part:
    """A file in base64. MessageError where its cid could not be written in a header."""
    fields = [
        str(Field("Content-Type").words(_listed(content_type(file.content_type)))),
        "Content-Transfer-Encoding: base64\r\n",
        str(
            Field("Content-Disposition").words(
                _listed([disposition, *parameter("filename", file.filename)])
            )
        ),
    ]
    if file.cid:
        fields.append(f"Content-ID: <{_checked_cid(file.cid)}>\r\n")
    return Part("".join(fields), (base64_lines(file.content),))


def multipart(
    subtype: Literal["alternative", "related", "mixed"], boundary: str, parts: Sequence[Part]
) -> Part:
    """The parts between delimiters, in their order."""
    delimiter = f"--{boundary}"
    body: list[bytes] = []
    for part in parts:
        body += (f"{delimiter}\r\n{part.fields}\r\n".encode(), *part.body, b"\r\n")
    body.append(f"{delimiter}--\r\n".encode())
    return Part(_multipart_field(subtype, len(boundary)) % boundary, tuple(body))


@lru_cache(maxsize=64)  # boundaries are of one length
def _multipart_field(subtype: str, width: int) -> str:
    """The Content-Type, with %s in the place of a boundary of that many characters."""
    root = 'type="text/html"; ' if subtype == "related" else ""  # RFC 2387 section 3.1
    place = "x" * width
    field = folded("Content-Type", f'multipart/{subtype}; {root}boundary="{place}"')
    return field.replace(f'"{place}"', '"%s"')


def _listed(words: Sequence[str]) -> Iterable[str]:
    return [*(f"{word};" for word in words[:-1]), words[-1]]


def _checked_cid(cid: str) -> str:
    if not _CONTENT_ID.fullmatch(cid):
        raise MessageError(
            f"attachment cid {cid[:80]!r}: use 1 to 200 ASCII letters, digits, '.', '-', '_' or '@'"
        )
    return cid
