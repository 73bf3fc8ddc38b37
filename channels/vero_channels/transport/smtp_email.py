"""An email as the letter that goes over the wire."""

from __future__ import annotations

import re
from typing import Final

from vero_channels.transport.keys import wire_key
from vero_channels.transport.smtp_letter import Dsn, Letter
from vero_deliver import mime
from vero_deliver.errors import MessageError, Refused
from vero_deliver.rendered import RenderedEmail

_ENVID: Final = 100  # characters of an envelope id (RFC 3461 4.4)
_XTEXT: Final = re.compile(r"[!-*,-<>-~]+")  # what stands for itself in one
_MAILBOX: Final = re.compile(
    r'("(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s<>"\x00-\x1f\x7f]+)@[^\s<>@"\x00-\x1f\x7f]+'
)


def letter_of(
    rendered: RenderedEmail,
    key: str,
    *,
    channel: str,
    domains: mime.Domains,
    dsn: Dsn | None = None,
    require_tls: bool = False,
) -> tuple[Letter, str]:
    """The letter and its Message-ID. Raises Refused where it cannot be written.

    domains: by the From address, whose keys sign and where bounces go.
    """
    try:
        letter = Letter(
            sender=_path(domains.return_path(rendered, key)),
            recipients=tuple(map(_path, rendered.recipients)),
            data=domains.signed(rendered, key),
            utf8=mime.needs_smtputf8(rendered),
            require_tls=require_tls,
            dsn=dsn,
            envelope_id=wire_key(key, _ENVID, _XTEXT) if dsn else "",
        )
        message_id = mime.message_id(rendered, key)
    except (MessageError, ValueError) as error:
        raise Refused(f"this email cannot be sent: {error}", channel=channel) from None
    if not letter.recipients:
        raise Refused("this email has no recipient", channel=channel)
    return letter, message_id


def domain_of(path: bytes) -> str:
    """The domain of a path, `<ada@example.com>`, in lower case."""
    return path.decode().strip("<>").rpartition("@")[2].lower().rstrip(".")


def _path(email: str) -> bytes:
    address = mime.envelope(email)
    if not _MAILBOX.fullmatch(address):
        raise ValueError(f"{address!r} is no address for an SMTP command")
    return f"<{address}>".encode()
