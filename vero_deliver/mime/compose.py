"""The whole message: header fields in their fixed order, then the tree of parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Literal

from vero_deliver.errors import MessageError
from vero_deliver.mime.address import mailbox
from vero_deliver.mime.body import quoted_printable
from vero_deliver.mime.headers import extra_fields, folded, unstructured
from vero_deliver.mime.ids import boundary, date, message_id
from vero_deliver.mime.parts import Part, file_part, multipart, text_part

if TYPE_CHECKING:
    from vero_deliver.mime.chunks import Printed
    from vero_deliver.rendered import Address, RenderedEmail


def build(
    email: RenderedEmail, key: str, *, html: Printed | None = None, text: Printed | None = None
) -> bytes:
    """The message as bytes with CRLF line ends; equal arguments give equal bytes.

    html, text: the email's own, as their template printed them, to be encoded faster.
    ASCII throughout, unless a local part is not (see needs_smtputf8). Bcc is left out.
    MessageError on an unsafe address, header name or cid; ValueError on a naive `email.at`.
    """
    head = "".join([*_fields(email, key), "MIME-Version: 1.0\r\n"])
    body = _body(email, html, text, partial(boundary, key, email.at))
    return b"".join([f"{head}{body.fields}\r\n".encode(), *body.body])


def _fields(email: RenderedEmail, key: str) -> Iterator[str]:
    yield _sender("From", email.from_)
    yield _addresses("To", email.to) if email.to else "To: undisclosed-recipients:;\r\n"
    if email.cc:
        yield _addresses("Cc", email.cc)
    if email.reply_to:
        yield _addresses("Reply-To", email.reply_to)
    yield unstructured("Subject", email.subject)
    yield f"Date: {date(email.at)}\r\n"
    yield folded("Message-ID", message_id(email, key))
    yield from extra_fields(email.headers)


@lru_cache(maxsize=256)  # a sender has many messages
def _sender(name: str, address: Address) -> str:
    return _addresses(name, [address])


def _addresses(name: str, addresses: Sequence[Address]) -> str:
    try:
        listed = ", ".join(map(mailbox, addresses))
    except ValueError as error:
        raise MessageError(f"{name}: {error}") from None
    return folded(name, listed)


def _body(
    email: RenderedEmail,
    html: Printed | None,
    text: Printed | None,
    delimiter: Callable[[str], str],
) -> Part:
    # reading email.html would join its pieces
    rich, plain = html or email.html, text or email.text
    is_rich = bool(rich)
    shown = [file for file in email.attachments if file.cid and is_rich]
    attached = [file for file in email.attachments if not (file.cid and is_rich)]
    body = _part("html", rich) if is_rich else _part("plain", plain)
    if shown:
        files = [file_part(file, "inline") for file in shown]
        body = multipart("related", delimiter("related"), [body, *files])
    if is_rich and plain:
        body = multipart("alternative", delimiter("alternative"), [_part("plain", plain), body])
    if attached:
        files = [file_part(file, "attachment") for file in attached]
        body = multipart("mixed", delimiter("mixed"), [body, *files])
    return body


def _part(subtype: Literal["plain", "html"], text: str | Printed) -> Part:
    encoded = quoted_printable(text) if isinstance(text, str) else text.quoted_printable()
    return text_part(subtype, encoded)
