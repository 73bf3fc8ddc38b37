"""The whole message: header fields in their fixed order, then the tree of parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vero_deliver.errors import MessageError
from vero_deliver.mime.address import mailbox
from vero_deliver.mime.headers import Field, extra_fields, unstructured
from vero_deliver.mime.ids import boundary, date, message_id
from vero_deliver.mime.parts import Part, file_part, multipart, text_part

if TYPE_CHECKING:
    from vero_deliver.rendered import Address, RenderedEmail


def build(email: RenderedEmail, key: str) -> bytes:
    """The message as bytes with CRLF line ends; equal arguments give equal bytes.

    ASCII throughout, unless a local part is not (see needs_smtputf8). Bcc is left out.
    MessageError on an unsafe address, header name or cid; ValueError on a naive `email.at`.
    """
    head = "".join((*_fields(email, key), "MIME-Version: 1.0\r\n"))
    return head.encode() + bytes(_body(email, partial(boundary, key, email.at)))


def _fields(email: RenderedEmail, key: str) -> Iterator[str]:
    yield _addresses("From", [email.from_])
    yield _addresses("To", email.to) if email.to else "To: undisclosed-recipients:;\r\n"
    if email.cc:
        yield _addresses("Cc", email.cc)
    if email.reply_to:
        yield _addresses("Reply-To", email.reply_to)
    yield unstructured("Subject", email.subject)
    yield f"Date: {date(email.at)}\r\n"
    yield str(Field("Message-ID").words([message_id(email, key)]))
    yield from extra_fields(email.headers)


def _addresses(name: str, addresses: Sequence[Address]) -> str:
    try:
        listed = ", ".join(map(mailbox, addresses))
    except ValueError as error:
        raise MessageError(f"{name}: {error}") from None
    return str(Field(name).words(listed.split(" ")))


def _body(email: RenderedEmail, delimiter: Callable[[str], str]) -> Part:
    shown = [file for file in email.attachments if file.cid and email.html]
    attached = [file for file in email.attachments if not (file.cid and email.html)]
    body = text_part("html", email.html) if email.html else text_part("plain", email.text)
    if shown:
        files = [file_part(file, "inline") for file in shown]
        body = multipart("related", delimiter("related"), [body, *files])
    if email.html and email.text:
        text = text_part("plain", email.text)
        body = multipart("alternative", delimiter("alternative"), [text, body])
    if attached:
        files = [file_part(file, "attachment") for file in attached]
        body = multipart("mixed", delimiter("mixed"), [body, *files])
    return body
