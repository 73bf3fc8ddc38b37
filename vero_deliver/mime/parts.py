"""The tree of parts: text, files and the multiparts that hold them (RFC 2046, RFC 2387)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vero_deliver.errors import MessageError
from vero_deliver.mime.body import base64_lines, quoted_printable
from vero_deliver.mime.headers import Field
from vero_deliver.mime.parameters import content_type, parameter

if TYPE_CHECKING:
    from vero_deliver.rendered import File

_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")


@dataclass(frozen=True, slots=True)
class Part:
    """A body and the Content-* fields that say what it is, each with its CRLF."""

    fields: tuple[str, ...]
    body: bytes

    def __bytes__(self) -> bytes:
        return "".join((*self.fields, "\r\n")).encode() + self.body


def text_part(subtype: Literal["plain", "html"], text: str) -> Part:
    """A text part, quoted-printable even where ASCII: no relay has a reason to re-encode it."""
    fields = (
        f"Content-Type: text/{subtype}; charset=utf-8\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
    )
    return Part(fields, quoted_printable(text))


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
    return Part(tuple(fields), base64_lines(file.content))


def multipart(
    subtype: Literal["alternative", "related", "mixed"], boundary: str, parts: Sequence[Part]
) -> Part:
    """The parts between delimiters, in their order."""
    words = [f"multipart/{subtype}", f'boundary="{boundary}"']
    if subtype == "related":
        words.insert(1, 'type="text/html"')  # RFC 2387 section 3.1: the root's type
    delimiter = f"--{boundary}\r\n".encode()
    body = b"".join(piece for part in parts for piece in (delimiter, bytes(part), b"\r\n"))
    field = str(Field("Content-Type").words(_listed(words)))
    return Part((field,), body + f"--{boundary}--\r\n".encode())


def _listed(words: Sequence[str]) -> Iterable[str]:
    return [*(f"{word};" for word in words[:-1]), words[-1]]


def _checked_cid(cid: str) -> str:
    if not _CONTENT_ID.fullmatch(cid):
        raise MessageError(
            f"attachment cid {cid[:80]!r}: use 1 to 200 ASCII letters, digits, '.', '-', '_' or '@'"
        )
    return cid
